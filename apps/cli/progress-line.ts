/** Progress of long work on stderr: one line that is overwritten in a terminal, a line every few seconds elsewhere. */
import type { CliIo } from './cli-io.js';

const TERMINAL_EVERY_MS = 100;
const PLAIN_EVERY_MS = 5_000;
const CLEAR_LINE = '\r\u001b[K';

export class ProgressLine {
  private shownAt: number;
  private isShown = false;

  constructor(
    private readonly io: CliIo,
    private readonly now: () => number = Date.now,
  ) {
    this.shownAt = now();
  }

  /** `text` is made only when it is shown. */
  update(text: () => string): void {
    const now = this.now();
    if (now - this.shownAt < (this.io.isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS)) return;
    this.shownAt = now;
    this.isShown = this.io.isTerminal;
    this.io.err(this.io.isTerminal ? `${CLEAR_LINE}${text()}` : `${text()}\n`);
  }

  /** A line that stays. */
  note(text: string): void {
    this.clear();
    this.io.err(`${text}\n`);
  }

  clear(): void {
    if (this.isShown) this.io.err(CLEAR_LINE);
    this.isShown = false;
  }
}

/** Events per second since a moment, for progress lines. */
export class RateMeter {
  private readonly startedAt: number;

  constructor(private readonly now: () => number = Date.now) {
    this.startedAt = now();
  }

  perSecond(count: number): string {
    const seconds = (this.now() - this.startedAt) / 1000;
    return seconds <= 0 ? '–' : formatCount(Math.round(count / seconds));
  }
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

export function percent(part: number, whole: number): string {
  return whole <= 0 ? '100 %' : `${Math.min(100, Math.floor((100 * part) / whole))} %`;
}

/** Server-sent events to one page. */

/** The part of a response that a stream needs. */
export interface StreamTarget {
  write(text: string): boolean;
  end(): void;
  destroy(): void;
  readonly writableLength: number;
  on(event: 'drain' | 'close', listener: () => void): unknown;
}

const BUFFERED_BYTES_MAX = 256 * 1024;
const HEARTBEAT_MS = 15_000;
/** A page that has taken nothing for so long is gone. */
const STUCK_MS = 60_000;

/**
 * What a slow page cannot take is not kept: of each kind of event only the newest waits for it. So a stream costs a
 * bounded amount of memory, and a page that catches up sees the present.
 */
export class EventStream {
  private readonly waiting = new Map<string, string>();
  private readonly heartbeat: NodeJS.Timeout;
  private stuckSince: number | null = null;
  private isClosed = false;
  private readonly closers: (() => void)[] = [];

  constructor(
    private readonly target: StreamTarget,
    private readonly now: () => number = () => performance.now(),
    heartbeatMs = HEARTBEAT_MS,
  ) {
    target.on('drain', () => this.flush());
    target.on('close', () => this.close());
    this.heartbeat = setInterval(() => this.beat(), heartbeatMs);
    this.write('retry: 1000\n\n');
  }

  /** To be called when the stream ends, from whichever side. */
  onClose(closer: () => void): void {
    if (this.isClosed) closer();
    else this.closers.push(closer);
  }

  /** True while the page does not keep up: what is sent now replaces what waits. */
  get isBehind(): boolean {
    return this.target.writableLength > BUFFERED_BYTES_MAX;
  }

  /** @param data   without line breaks (JSON) */
  send(event: string, data: string, id: string | null = null): void {
    if (this.isClosed) return;
    const text = `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
    if (this.isBehind) this.waiting.set(event, text);
    else this.write(text);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.heartbeat);
    this.waiting.clear();
    for (const closer of this.closers.splice(0)) closer();
    this.target.end();
  }

  private beat(): void {
    if (!this.isBehind) {
      this.stuckSince = null;
      this.write(': beat\n\n');
      return;
    }
    this.stuckSince ??= this.now();
    if (this.now() - this.stuckSince < STUCK_MS) return;
    this.target.destroy();
    this.close();
  }

  private flush(): void {
    for (const [event, text] of this.waiting) {
      if (this.isClosed || this.isBehind) return;
      this.waiting.delete(event);
      this.write(text);
    }
  }

  private write(text: string): void {
    this.target.write(text);
  }
}

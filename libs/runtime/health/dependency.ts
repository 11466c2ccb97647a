import { setTimeout as delay } from 'node:timers/promises';
import type { AppLogger } from '../logging/app-logger.js';

export interface DependencyStatus {
  readonly name: string;
  readonly isReady: boolean;
  /** Since when it has been waited for, or has been ready; ms. */
  readonly since: number;
  /** Failed attempts in a row. */
  readonly attempts: number;
  readonly lastError: string | null;
}

export interface DependencyOptions {
  /** First pause between attempts; each pause is twice the one before. */
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
}

const DEFAULT_OPTIONS: DependencyOptions = { pauseMs: 200, pauseMaxMs: 10_000 };

/** Something that we need and that may be away: registry, ClickHouse, brokers. */
export class Dependency {
  private isReady = false;
  private since: number;
  private attempts = 0;
  private lastError: string | null = null;

  constructor(
    readonly name: string,
    private readonly logger: AppLogger,
    private readonly options: DependencyOptions = DEFAULT_OPTIONS,
    private readonly now: () => number = Date.now,
  ) {
    this.since = now();
  }

  status(): DependencyStatus {
    const { name, isReady, since, attempts, lastError } = this;
    return { name, isReady, since, attempts, lastError };
  }

  /** Tells of a use that went well. */
  up(): void {
    if (!this.isReady) {
      this.logger.info(`${this.name} is ready`, {
        waitedMs: this.now() - this.since,
        attempts: this.attempts,
      });
      this.since = this.now();
    }
    this.isReady = true;
    this.attempts = 0;
    this.lastError = null;
  }

  /** Tells of a use that failed. */
  down(error: unknown): void {
    if (this.isReady) this.since = this.now();
    this.isReady = false;
    this.attempts++;
    this.lastError = error instanceof Error ? error.message || error.name : String(error);
    this.logger.warnRepeated(`waiting for ${this.name}`, {
      since: new Date(this.since).toISOString(),
      attempts: this.attempts,
      reason: this.lastError,
    });
  }

  /**
   * Tries until it works, with growing pauses.
   *
   * @throws the signal's reason once it is aborted
   */
  async waitFor<Value>(
    attempt: (signal: AbortSignal) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value> {
    for (let pauseMs = this.options.pauseMs; ; pauseMs = Math.min(pauseMs * 2, this.options.pauseMaxMs)) {
      signal.throwIfAborted();
      try {
        const value = await attempt(signal);
        this.up();
        return value;
      } catch (error) {
        signal.throwIfAborted();
        this.down(error);
      }
      await delay(pauseMs, undefined, { signal });
    }
  }
}

/** How fast recorded time passes: as fast as it can be written, or N recorded seconds per second. */

export type ReplaySpeed = 'max' | number;

export interface PaceClock {
  readonly now: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class ReplayPace {
  private startedAt = 0;
  private firstAt: number | null = null;

  constructor(
    private readonly speed: ReplaySpeed,
    private readonly clock: PaceClock,
  ) {}

  /** Milliseconds until an entry of recorded time `at` is due; 0 when it is. The first entry is due at once. */
  dueInMs(at: number): number {
    if (this.speed === 'max') return 0;
    if (this.firstAt === null) {
      this.firstAt = at;
      this.startedAt = this.clock.now();
    }
    return Math.max(0, this.startedAt + (at - this.firstAt) / this.speed - this.clock.now());
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.clock.sleep(ms, signal);
  }
}

export const WALL_CLOCK: PaceClock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    }),
};

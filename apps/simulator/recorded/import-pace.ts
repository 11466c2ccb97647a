/** When the next records of an import may go: its throttle, the clock, and a look at the live path every second. */
import type { ImportThrottle } from './import-throttle.js';
import type { PaceClock } from './replay-pace.js';

const LOOK_EVERY_MS = 1_000;
/** Waits are cut into pieces, so that a lag that is gone is seen. */
const NAP_MS = 200;
/** Nobody has read anything for so long: the services are not running. */
const SILENT_MS = 60_000;

/** What the live path has still to go through, in records. */
export interface LiveLag {
  readonly intake: number;
  readonly relationship: number;
  /** Grows whenever one of the two has read something. */
  readonly read: number;
}

export interface PaceState {
  /** Records per second at present; Infinity: as fast as it goes. */
  readonly rate: number;
  /** Who has too much to go through; null while the import goes on. */
  readonly waitingFor: 'intake' | 'relationship' | null;
  /** Records that the two have still to go through, as last looked at. */
  readonly lag: number;
}

/** The live path is behind, and does not move at all. */
export class LivePathSilentError extends Error {
  override readonly name = 'LivePathSilentError';
  constructor(readonly lag: LiveLag) {
    super(
      `${lag.intake} records wait for intake and ${lag.relationship} for relationship, and nobody reads them`,
    );
  }
}

export class ImportPace {
  private lookAt = -Infinity;
  private lag: LiveLag = { intake: 0, relationship: 0, read: 0 };
  private movedAt = -Infinity;

  /** @param look   null where nobody is live */
  constructor(
    private readonly throttle: ImportThrottle,
    private readonly look: (() => Promise<LiveLag>) | null,
    private readonly clock: PaceClock,
  ) {}

  /** Records to send at once at most. */
  get pieceMax(): number {
    return this.throttle.pieceMax;
  }

  state(): PaceState {
    const { intake, relationship } = this.lag;
    const blamed = intake >= relationship ? 'intake' : 'relationship';
    const waitingFor = this.throttle.isHeld ? blamed : null;
    return { rate: this.throttle.rate, waitingFor, lag: intake + relationship };
  }

  /**
   * Resolves when so many records may go; false when the signal was aborted before.
   * @throws LivePathSilentError
   */
  async pass(records: number, signal: AbortSignal, onWait: () => void): Promise<boolean> {
    while (!signal.aborted) {
      await this.lookAtLive();
      const now = this.clock.now();
      const waitMs = this.throttle.waitMs(now);
      if (waitMs === 0) {
        this.throttle.sent(records, now);
        return true;
      }
      onWait();
      await this.clock.sleep(Math.min(waitMs, NAP_MS), signal);
    }
    return false;
  }

  private async lookAtLive(): Promise<void> {
    if (this.look === null || this.clock.now() < this.lookAt) return;
    const lag = await this.look();
    const now = this.clock.now();
    this.lookAt = now + LOOK_EVERY_MS;
    if (lag.read !== this.lag.read || this.movedAt === -Infinity) this.movedAt = now;
    this.lag = lag;
    this.throttle.observe(lag.intake + lag.relationship);
    if (!this.throttle.isHeld) this.movedAt = now;
    else if (now - this.movedAt >= SILENT_MS) throw new LivePathSilentError(lag);
  }
}

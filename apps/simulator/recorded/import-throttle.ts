/** How fast an import may go: under a cap, and out of the way of live traffic. Pure; the clock is the caller's. */

export interface ThrottleSettings {
  /** Records per second at most; Infinity for no cap. */
  readonly rateMax: number;
  /** Nothing is sent while the live path has more than this many records to go through; Infinity where none is live. */
  readonly lagMax: number;
}

/** Records per second to begin with, where it is not known yet what the live path can take. */
const RATE_FIRST = 1_000;
/** Never slower than this while something may be sent at all. */
const RATE_LEAST = 10;
/** Per look at a live path that has little to go through. */
const GROWTH = 1.25;
/** Of a second: what may go at once. */
const PIECE_S = 0.25;
const PIECE_MAX = 500;

/**
 * Looks of the caller at the lag decide: above `lagMax` nothing goes, and when it goes on it is at half the rate; at
 * half of it or below the rate grows up to the cap.
 */
export class ImportThrottle {
  /** Records per second at present. */
  private current: number;
  private held = false;
  /** Records that went ahead of their time, paid back at the rate. */
  private debt = 0;
  private paidAt = -Infinity;

  constructor(private readonly settings: ThrottleSettings) {
    const { rateMax, lagMax } = settings;
    this.current = lagMax === Infinity ? rateMax : Math.min(RATE_FIRST, rateMax);
  }

  get rate(): number {
    return this.current;
  }

  /** The live path has too much to go through: nothing may go. */
  get isHeld(): boolean {
    return this.held;
  }

  /** Records to gather at most before `waitMs` is asked for them. */
  get pieceMax(): number {
    return Math.max(1, Math.min(PIECE_MAX, Math.floor(this.current * PIECE_S)));
  }

  /** @param lag   records that the live path has still to go through, of the import and all others */
  observe(lag: number): void {
    const { rateMax, lagMax } = this.settings;
    if (lag > lagMax) {
      // Once: what was sent before goes on arriving for a while.
      if (!this.held) this.current = Math.max(Math.min(RATE_LEAST, rateMax), this.current / 2);
      this.held = true;
      return;
    }
    this.held = false;
    if (lag <= lagMax / 2) this.current = Math.min(rateMax, this.current * GROWTH);
  }

  /**
   * Milliseconds until anything may go; 0: now. Infinity while it is held: look at the lag again.
   * @param now   ms, never going back
   */
  waitMs(now: number): number {
    if (this.held) return Infinity;
    this.pay(now);
    return this.debt <= 0 ? 0 : Math.max(1, Math.ceil((this.debt / this.current) * 1_000));
  }

  /** So many records go now; only after `waitMs` has said 0 at this instant. */
  sent(records: number, now: number): void {
    this.pay(now);
    if (this.current !== Infinity) this.debt += records;
  }

  private pay(now: number): void {
    if (this.debt > 0 && now > this.paidAt) {
      this.debt = Math.max(0, this.debt - ((now - this.paidAt) / 1_000) * this.current);
    }
    this.paidAt = Math.max(this.paidAt, now);
  }
}

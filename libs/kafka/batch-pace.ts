/**
 * How far apart the batches of a partition begin. All partitions go by the same grid of time, so that one fetch can
 * ask for many.
 *
 * Batches that take long make the pace longer, since what they wait for is mostly a processor or a broker that has too
 * many of them: a partition keeps out of its batches for as long as it is in them. No further than
 * `LONGEST` times, so that one that was slow for another reason holds nothing up for long.
 */
export class BatchPace {
  /** How long batches take of late, ms. */
  #typicalMs = 0;

  /** @param paceMs   the least; 0: none is kept */
  constructor(private readonly paceMs: number) {}

  /** A batch has taken this long, ms. */
  took(ms: number): void {
    this.#typicalMs += (ms - this.#typicalMs) * NEWEST_SHARE;
  }

  /** @returns how long after `now` (ms, of a clock that all partitions share) the next batch may begin, ms */
  until(now: number): number {
    const { paceMs } = this;
    if (paceMs === 0) return 0;
    const steps = Math.ceil((this.#typicalMs * 2) / paceMs);
    return Math.min(Math.max(steps, 1), LONGEST) * paceMs - (now % paceMs);
  }
}

const NEWEST_SHARE = 0.25;
const LONGEST = 2;

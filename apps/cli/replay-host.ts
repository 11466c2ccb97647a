/** What a replay needs around it: a log to write to, and somebody who folds and archives what was written. */
import type { ReplayTarget } from '../simulator/recorded/replay-plan.js';

export interface DrainProgress {
  /** Records of our topics that the fold and the archive have still to read. */
  readonly recordsLeft: number;
  /** Rows that have still to go to ClickHouse. */
  readonly rowsLeft: number;
}

export interface SchemeStocks {
  readonly schemeId: string;
  /** Persons by tier, index 0–5. */
  readonly tiers: readonly number[];
}

/** What ClickHouse holds of one brand, by all replays and traffic so far. */
export interface BrandTotals {
  readonly brand: string;
  readonly stocks: readonly SchemeStocks[];
  readonly orders: number;
  readonly gmvGrossMinor: number;
  readonly refundsMinor: number;
}

export interface ReplayHost {
  readonly target: ReplayTarget;
  /**
   * Starts folding and archiving beside the replay.
   * @param rows        that may be written
   * @param isWatched   somebody looks at the figures while they move
   */
  start(rows: number, isWatched: boolean): Promise<void>;
  /**
   * Resolves once everything that was written has been folded and archived.
   * @throws CliError   the fold or the archive has given up, or nobody runs them
   */
  waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void>;
  totals(brand: string): Promise<BrandTotals>;
  close(): Promise<void>;
}

import type { Rules } from './rules.js';

/** Where a partition stands between two records. Immutable. */
export interface FoldFrame {
  /** Null before the first `RulesSet`: the default rules apply. */
  readonly rules: Rules | null;
  /** Event time that only ticks move, ms; 0 before the first tick. */
  readonly watermark: number;
  readonly epoch: number;
  readonly generation: number;
  readonly logId: string | null;
  /**
   * The zones that day figures are kept in: of all rules so far, in the order they came. Only grows. Absent
   * until something was folded or rules were set.
   */
  readonly zones?: readonly string[];
}

export const INITIAL_FRAME: FoldFrame = { rules: null, watermark: 0, epoch: 0, generation: 0, logId: null };

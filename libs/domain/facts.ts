/** What the fold says about the world: past-tense events of ours. */

/** 0 none, 1 basic, 2 unpurchased member, 3 purchased member, 4 repeat member. (5, brand KOC, comes with sharing.) */
export type Tier = 0 | 1 | 2 | 3 | 4 | 5;

export type TierCause = 'EVENT' | 'TIME' | 'REFUND' | 'UNLINK' | 'MERGE' | 'RESTATE' | 'ERASURE';

export interface TierChanged {
  readonly type: 'tierChanged';
  readonly brand: string;
  readonly person: string;
  readonly schemeId: string;
  readonly periodId: string;
  readonly from: Tier;
  readonly to: Tier;
  readonly direction: 'UP' | 'DOWN';
  readonly cause: TierCause;
  /** Null when time alone caused it. */
  readonly causeEventId: string | null;
  readonly effectiveAt: number;
  /** Arrival stamp of the record that caused it. */
  readonly detectedAt: number;
  /** epoch × 2^48 + log offset. With (brand, person, scheme, period) the idempotency key. */
  readonly version: bigint;
  readonly evidence: TierEvidence;
}

export interface TierEvidence {
  /** Local days (`YYYY-MM-DD`) with a member purchase that count in the period, ascending, the last 31 at most. */
  readonly purchaseDays: readonly string[];
  /** Tier 2 only: bought before (2b, lapsed) or never (2a). */
  readonly everPurchased: boolean;
  readonly lastShareAt: number | null;
}

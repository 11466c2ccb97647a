import type { CompiledScheme } from './compiled-rules.js';
import type { Tier } from './facts.js';
import { periodAt } from './periods.js';
import type { Relationship } from './relationship.js';
import { standingAt } from './standing.js';
import { baseTier } from './tiers.js';

/** What one person adds to the figures of a scheme's period. Capital is whoever has a tier above 0. */
export interface SchemeShare {
  readonly tier: Tier;
  /** At the close of the period before: with what Conversion compares. */
  readonly baseTier: Tier;
  readonly deepened: boolean;
  /** Deepened, and in the Capital at the close of the period before. */
  readonly deepenedCohort: boolean;
}

/**
 * As of `t` (ms), of a state that nothing was forgotten of. "As of T" is asked as t = T − 1.
 * Null for guests, and for whoever had no relation, payment or refund by then.
 */
export function schemeShare(state: Relationship, scheme: CompiledScheme, t: number): SchemeShare | null {
  const standing = standingAt(state, scheme, t, null);
  if (standing === undefined) return null;
  return {
    tier: standing.tier,
    baseTier: baseTier(state, scheme, periodAt(scheme, t)),
    deepened: standing.deepened,
    deepenedCohort: standing.deepenedCohort,
  };
}

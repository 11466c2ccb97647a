import { compileRules } from './compiled-rules.js';
import { evidenceAt } from './evaluate.js';
import type { Tier, TierChanged } from './facts.js';
import { periodIdAt } from './periods.js';
import type { Relationship } from './relationship.js';
import type { Rules } from './rules.js';
import { standingOf } from './standing.js';

/** What subscribers were told last, and what is true by a fold that has begun anew. */
export interface RestatedTier {
  readonly brand: string;
  readonly person: string;
  readonly schemeId: string;
  readonly published: Tier;
  /** Undefined: nobody is known by this name. */
  readonly state: Relationship | undefined;
}

/** What stamps the fact. */
export interface Restating {
  /** Wall clock, ms. */
  readonly now: number;
  readonly version: bigint;
}

/** The tier that a state has under a scheme; 0 where it has none. */
export function standingTier(state: Relationship | undefined, schemeId: string): Tier {
  return (state === undefined ? undefined : standingOf(state, schemeId))?.tier ?? 0;
}

/** The fact that tells subscribers so; null where it is what they know, or the rules have no such scheme (any more). */
export function restatedTier(
  { brand, person, schemeId, published, state }: RestatedTier,
  rules: Rules,
  { now, version }: Restating,
): TierChanged | null {
  const scheme = compileRules(rules)
    .schemesOf(brand)
    .find(({ scheme: { id } }) => id === schemeId);
  const to = standingTier(state, schemeId);
  if (scheme === undefined || to === published) return null;
  const at = state?.evaluatedAt ?? now;
  return {
    ...{ type: 'tierChanged', brand, person, schemeId },
    ...{ periodId: periodIdAt(scheme, at), from: published, to, direction: to > published ? 'UP' : 'DOWN' },
    ...{ cause: 'RESTATE', causeEventId: null, effectiveAt: at, detectedAt: now, version },
    evidence:
      state === undefined
        ? { purchaseDays: [], everPurchased: false, lastShareAt: null }
        : evidenceAt(state, scheme, at),
  };
}

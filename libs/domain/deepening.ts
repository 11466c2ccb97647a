import type { CompiledScheme } from './compiled-rules.js';
import type { Tier } from './facts.js';
import { periodAt } from './periods.js';
import type { Relationship } from './relationship.js';
import { baseTier, countsAt, forPurchasesIn, tierAt, type TierSource } from './tiers.js';

export type DeepeningSource = TierSource & Pick<Relationship, 'settledRelatedSince'>;

/** The numerator of Conversion, for one person. */
export interface Deepening {
  readonly deepened: boolean;
  readonly cohort: boolean;
}

const NOT_DEEPENED: Deepening = { deepened: false, cohort: false };
const HIGHEST: Tier = 4;

/**
 * Whether the relation has deepened in the period of `t`, up to `t` (FAST+ section 2 Conversion 「有過關系加深」,
 * section 8 rows 3b, 4, 5): at least once in the period the person stood above the level he came from. Later
 * falls take nothing back. The level he came from is
 * - the tier at the close of the period before, if he was in the Capital then: that is the cohort;
 * - else, if he had a relation at any time before this period, 1: coming back is Capital growth, coming back as
 *   a member is deepening;
 * - else the tier at the first instant of his first relation: 0→1 and 0→2 in one go are growth, what comes after
 *   is deepening.
 * `deepened` (literal) counts all of them, `cohort` only the first case; so literal may exceed the Capital of
 * the close before, the cohort never does.
 */
export function deepeningAt(person: DeepeningSource, scheme: CompiledScheme, t: number): Deepening {
  const period = periodAt(scheme, t);
  const upTo = Math.min(t, period.end - 1);
  if (upTo < period.start) return NOT_DEEPENED;
  const since = relatedSince(person);
  if (since > upTo) return NOT_DEEPENED;
  const base = baseTier(person, scheme, period);
  const from = base > 0 ? base : since < period.start ? 1 : tierAt(person, scheme, since);
  if (from >= HIGHEST) return NOT_DEEPENED;
  return roseAbove(from, person, scheme, period.start, upTo)
    ? { deepened: true, cohort: base > 0 }
    : NOT_DEEPENED;
}

/** Start of the person's first relation, ms; Infinity when there never was one. */
export function relatedSince(person: DeepeningSource): number {
  return Math.min(person.settledRelatedSince, person.links.view.any[0]?.from ?? Infinity);
}

/**
 * A tier rises only where a period begins, a link is switched, the first order of a day is paid as a member, or a
 * cancelled order opens again: these are all the instants to look at. Of a day only the first such order matters:
 * a later one finds the day counted.
 */
function roseAbove(
  tier: Tier,
  person: DeepeningSource,
  scheme: CompiledScheme,
  from: number,
  to: number,
): boolean {
  const isAbove = (t: number): boolean => t >= from && t <= to && tierAt(person, scheme, t) > tier;
  if (isAbove(to) || isAbove(from)) return true;
  for (const { toggles } of person.links.lines) for (const { at } of toggles) if (isAbove(at)) return true;
  for (const at of person.money.timeline.cancellations) if (isAbove(at)) return true;
  let rose = false;
  let dayEnd = -Infinity;
  forPurchasesIn(person, scheme, from, to + 1, (at, purchase) => {
    if (rose || at < dayEnd || !countsAt(purchase, at, person, scheme, at)) return;
    dayEnd = scheme.calendar.dayStart(scheme.calendar.dayOf(at) + 1);
    rose = isAbove(at);
  });
  return rose;
}

import type { CompiledScheme } from './compiled-rules.js';
import type { Tier } from './facts.js';
import { periodAt } from './periods.js';
import type { Relationship } from './relationship.js';
import { covers } from './spans.js';
import { baseTier, paidAsMember, purchaseInstant, tierAt, type Purchase, type TierSource } from './tiers.js';

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
 * a later one finds the day counted, or finds fewer days beside it.
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
  const days = new Set<number>();
  const firstOfDay = new Map<number, number>();
  for (const purchase of purchasesOf(person)) {
    const at = purchaseInstant(purchase, scheme);
    if (at > to || !paidAsMember(person, at, scheme)) continue;
    const day = scheme.calendar.dayOf(at);
    days.add(day);
    if (covers(purchase.cancelled, at)) continue;
    const first = firstOfDay.get(day);
    if (first === undefined || at < first) firstOfDay.set(day, at);
  }
  // No instant can stand higher than all its days together; a person with a thousand orders in a day ends here.
  if (tier >= highestWith(person, days.size)) return false;
  for (const { toggles } of person.links.lines) for (const { at } of toggles) if (isAbove(at)) return true;
  for (const at of firstOfDay.values()) if (isAbove(at)) return true;
  for (const { cancelled } of purchasesOf(person))
    for (const span of cancelled) if (isAbove(span.to)) return true;
  return false;
}

function highestWith(person: DeepeningSource, days: number): Tier {
  if (person.links.member.length === 0) return 1;
  if (days === 0) return 2;
  return days === 1 ? 3 : HIGHEST;
}

function* purchasesOf({ money }: DeepeningSource): Iterable<Purchase> {
  yield* money.orders;
  yield* money.purchases;
}

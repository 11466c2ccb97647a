/** Tiers of the private relation (FAST+ section 3), read from a state at any instant that it still knows. */
import type { CompiledScheme, DayRange } from './compiled-rules.js';
import type { Tier } from './facts.js';
import { countedDays, type Period } from './periods.js';
import type { Relationship } from './relationship.js';
import { covers } from './spans.js';
import { firstSince, instantOf, type Purchase } from './timeline.js';

/** The part of a state that tiers are made of. */
export type TierSource = Pick<Relationship, 'links' | 'money'>;

/**
 * The tier at `t` (ms), counting what happened up to and including `t`. "As of T" means events before T, so it
 * is asked as t = T − 1. The first rule that holds decides:
 * no live link 0 · no member 1 · no purchase day in the period 2 · one 3 · more 4.
 */
export function tierAt(person: TierSource, scheme: CompiledScheme, t: number): Tier {
  return tierInDays(person, scheme, t, countedDays(scheme, t));
}

/** The tier at the close of the period before `period`, by the days that this period is compared with. */
export function baseTier(person: TierSource, scheme: CompiledScheme, period: Period): Tier {
  return tierInDays(person, scheme, period.start - 1, period.baseDays);
}

function tierInDays(person: TierSource, scheme: CompiledScheme, t: number, days: DayRange): Tier {
  const { links } = person;
  if (!covers(links.view.any, t)) return 0;
  if (!covers(links.member, t)) return 1;
  switch (daysUpToTwo(person, scheme, t, days)) {
    case 0:
      return 2;
    case 1:
      return 3;
    default:
      // A successful propagation will make it 5, brand KOC, here.
      return 4;
  }
}

/** The purchases that a scheme looks at, by their instant as it sees them (section 8 row 30). */
function purchasesFor(person: TierSource, { scheme }: CompiledScheme): readonly Purchase[] {
  const { timeline } = person.money;
  return scheme.zeroOrderCounts ? timeline.all : timeline.positive;
}

// More than two days make no difference to a tier, so counting stops there: newest first, that is soon.
function daysUpToTwo(person: TierSource, scheme: CompiledScheme, t: number, days: DayRange): 0 | 1 | 2 {
  const purchases = purchasesFor(person, scheme);
  if (purchases.length === 0) return 0;
  const { calendar } = scheme;
  const from = calendar.dayStart(days.first);
  const positive = !scheme.scheme.zeroOrderCounts;
  let dayFrom = Infinity;
  for (
    let i = firstSince(purchases, Math.min(t + 1, calendar.dayStart(days.end)), positive) - 1;
    i >= 0;
    i--
  ) {
    const purchase = purchases[i];
    if (purchase === undefined) break;
    const at = instantOf(purchase, positive);
    if (at < from) break;
    if (!countsAt(purchase, at, person, scheme, t)) continue;
    if (dayFrom !== Infinity) return 2;
    // The others of that day do not matter any more.
    dayFrom = calendar.dayStart(calendar.dayOf(at));
    i = firstSince(purchases, dayFrom, positive);
  }
  return dayFrom === Infinity ? 0 : 1;
}

/** Local days within `days` that count as purchase days at `t`, ascending. */
export function purchaseDays(
  person: TierSource,
  scheme: CompiledScheme,
  t: number,
  days: DayRange = countedDays(scheme, t),
): readonly number[] {
  const { calendar } = scheme;
  const end = Math.min(t + 1, calendar.dayStart(days.end));
  const found: number[] = [];
  forPurchasesIn(person, scheme, calendar.dayStart(days.first), end, (at, purchase) => {
    const day = calendar.dayOf(at);
    if (found[found.length - 1] !== day && countsAt(purchase, at, person, scheme, t)) found.push(day);
  });
  return found;
}

/** Calls `visit` for the scheme's purchases with an instant in [from, end), ascending. */
export function forPurchasesIn(
  person: TierSource,
  scheme: CompiledScheme,
  from: number,
  end: number,
  visit: (at: number, purchase: Purchase) => void,
): void {
  const purchases = purchasesFor(person, scheme);
  const positive = !scheme.scheme.zeroOrderCounts;
  for (let i = firstSince(purchases, from, positive); i < purchases.length; i++) {
    const purchase = purchases[i];
    if (purchase === undefined) return;
    const at = instantOf(purchase, positive);
    if (at >= end) return;
    visit(at, purchase);
  }
}

/**
 * Calls `visit` for each local day in [from, t] with a purchase of the scheme, newest first, whether the purchase
 * counts or not.
 */
export function forPurchaseDaysBack(
  person: TierSource,
  scheme: CompiledScheme,
  from: number,
  t: number,
  visit: (day: number) => void,
): void {
  const purchases = purchasesFor(person, scheme);
  const positive = !scheme.scheme.zeroOrderCounts;
  const { calendar } = scheme;
  let dayFrom = Infinity;
  for (let i = firstSince(purchases, t + 1, positive) - 1; i >= 0; i--) {
    const purchase = purchases[i];
    if (purchase === undefined) return;
    const at = instantOf(purchase, positive);
    if (at < from) return;
    if (at >= dayFrom) continue;
    const day = calendar.dayOf(at);
    dayFrom = calendar.dayStart(day);
    visit(day);
  }
}

/** Instant of the scheme's first purchase at or after `from`; Infinity when there is none. */
export function firstPurchaseSince(person: TierSource, scheme: CompiledScheme, from: number): number {
  const purchases = purchasesFor(person, scheme);
  const positive = !scheme.scheme.zeroOrderCounts;
  const purchase = purchases[firstSince(purchases, from, positive)];
  return purchase === undefined ? Infinity : instantOf(purchase, positive);
}

/** Bought as a member, and not fully refunded by `t`. */
export function countsAt(
  purchase: Purchase,
  at: number,
  person: TierSource,
  { scheme }: CompiledScheme,
  t: number,
): boolean {
  return !covers(purchase.cancelled, t) && paidAsMember(person, at, { scheme });
}

/** A member when paying, or joined so close to it that both were one checkout (section 8 row 10). */
function paidAsMember(person: TierSource, at: number, { scheme }: Pick<CompiledScheme, 'scheme'>): boolean {
  const toleranceMs = scheme.joinToleranceMs;
  for (const { from, to } of person.links.member) {
    if (from <= at && at < to) return true;
    if (Math.abs(from - at) <= toleranceMs) return true;
  }
  return false;
}

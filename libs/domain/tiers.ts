/** Tiers of the private relation (FAST+ section 3), read from a state at any instant that it still knows. */
import type { CompiledScheme, DayRange } from './compiled-rules.js';
import type { Tier } from './facts.js';
import { countedDays, type Period } from './periods.js';
import type { Order, Relationship, SettledPurchase } from './relationship.js';
import { covers } from './spans.js';

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
  const { links, money } = person;
  if (!covers(links.view.any, t)) return 0;
  if (!covers(links.member, t)) return 1;
  switch (daysUpToTwo(money.orders, money.purchases, person, scheme, t, days)) {
    case 0:
      return 2;
    case 1:
      return 3;
    default:
      // A successful propagation will make it 5, brand KOC, here.
      return 4;
  }
}

/** What makes a purchase day: an order that is held, or what remains of it. */
export type Purchase = Pick<Order | SettledPurchase, 'paidAt' | 'paidPositiveAt' | 'cancelled'>;

// More than two days make no difference to a tier, so counting stops there.
function daysUpToTwo(
  orders: readonly Purchase[],
  settled: readonly Purchase[],
  person: TierSource,
  scheme: CompiledScheme,
  t: number,
  days: DayRange,
): 0 | 1 | 2 {
  if (orders.length === 0 && settled.length === 0) return 0;
  const { calendar } = scheme;
  const from = calendar.dayStart(days.first);
  const to = calendar.dayStart(days.end);
  let dayFrom = Infinity;
  let dayTo = Infinity;
  for (const purchases of [orders, settled]) {
    for (const purchase of purchases) {
      const at = purchaseInstant(purchase, scheme);
      if (at < from || at >= to || at > t || (at >= dayFrom && at < dayTo)) continue;
      if (!countsAt(purchase, at, person, scheme, t)) continue;
      if (dayFrom !== Infinity) return 2;
      const day = calendar.dayOf(at);
      dayFrom = calendar.dayStart(day);
      dayTo = calendar.dayStart(day + 1);
    }
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
  const found = new Set<number>();
  for (const purchases of [person.money.orders, person.money.purchases]) {
    for (const purchase of purchases) {
      const at = purchaseInstant(purchase, scheme);
      if (at > t) continue;
      const day = scheme.calendar.dayOf(at);
      if (day < days.first || day >= days.end || found.has(day)) continue;
      if (countsAt(purchase, at, person, scheme, t)) found.add(day);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** When the order was paid, as this scheme sees it; Infinity when it is no purchase (section 8 row 30). */
export function purchaseInstant(purchase: Purchase, { scheme }: CompiledScheme): number {
  return scheme.zeroOrderCounts ? purchase.paidAt : purchase.paidPositiveAt;
}

/** Bought as a member, and not fully refunded by `t`. */
function countsAt(
  purchase: Purchase,
  at: number,
  person: TierSource,
  { scheme }: CompiledScheme,
  t: number,
): boolean {
  return !covers(purchase.cancelled, t) && paidAsMember(person, at, { scheme });
}

/** A member when paying, or joined so close to it that both were one checkout (section 8 row 10). */
export function paidAsMember(
  person: TierSource,
  at: number,
  { scheme }: Pick<CompiledScheme, 'scheme'>,
): boolean {
  const toleranceMs = scheme.joinToleranceMs;
  for (const { from, to } of person.links.member) {
    if (from <= at && at < to) return true;
    if (Math.abs(from - at) <= toleranceMs) return true;
  }
  return false;
}

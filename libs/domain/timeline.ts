/** A person's purchases by their time, so that a period is found without going through a lifetime. */
import type { Span } from './window-port.js';

/** What makes a purchase day: an order that is held, or what remains of it. */
export interface Purchase {
  /** The first line's time; Infinity without lines. */
  readonly paidAt: number;
  /** The first time something other than 0 was paid; Infinity if never. */
  readonly paidPositiveAt: number;
  /** When the order stood fully refunded. */
  readonly cancelled: readonly Span[];
}

export interface Timeline {
  /** By the first payment, ascending. */
  readonly all: readonly Purchase[];
  /** Those for which more than 0 was paid, by the first such payment; the same list where that makes no difference. */
  readonly positive: readonly Purchase[];
  /** Instants at which an order came to stand fully refunded, or ceased to. Nearly always empty. */
  readonly cancellations: readonly number[];
}

export const NO_PURCHASES: Timeline = { all: [], positive: [], cancellations: [] };

export function timelineOf(purchases: readonly Purchase[]): Timeline {
  const all = purchases.filter(({ paidAt }) => paidAt !== Infinity).sort((a, b) => a.paidAt - b.paidAt);
  return { all, positive: positiveOf(all), cancellations: cancellationsOf(all) };
}

/** One order has become another version of itself. */
export function withPurchase(timeline: Timeline, before: Purchase | undefined, after: Purchase): Timeline {
  const held = before !== undefined && before.paidAt !== Infinity ? before : undefined;
  if (held === undefined && after.paidAt === Infinity) return timeline;
  const all = withReplaced(timeline.all, held, after);
  const isPlain = timeline.positive === timeline.all && after.paidAt === after.paidPositiveAt;
  const hadCancelled = (held?.cancelled.length ?? 0) > 0 || after.cancelled.length > 0;
  return {
    all,
    positive: isPlain ? all : positiveOf(all),
    cancellations: hadCancelled ? cancellationsOf(all) : timeline.cancellations,
  };
}

function withReplaced(
  purchases: readonly Purchase[],
  before: Purchase | undefined,
  after: Purchase,
): readonly Purchase[] {
  const others =
    before === undefined
      ? purchases
      : purchases.toSpliced(purchases.indexOf(before, firstSince(purchases, before.paidAt, false)), 1);
  if (after.paidAt === Infinity) return others;
  const place = firstSince(others, after.paidAt + 1, false);
  // `concat` sizes the new list exactly; pushing to a copy would leave half of it empty, for every person.
  return place === others.length ? others.concat(after) : others.toSpliced(place, 0, after);
}

function positiveOf(all: readonly Purchase[]): readonly Purchase[] {
  if (all.every(({ paidAt, paidPositiveAt }) => paidAt === paidPositiveAt)) return all;
  return all
    .filter(({ paidPositiveAt }) => paidPositiveAt !== Infinity)
    .sort((a, b) => a.paidPositiveAt - b.paidPositiveAt);
}

function cancellationsOf(all: readonly Purchase[]): readonly number[] {
  const instants: number[] = [];
  for (const { cancelled } of all) {
    for (const { from, to } of cancelled) {
      instants.push(from);
      if (to !== Infinity) instants.push(to);
    }
  }
  return instants;
}

/** @param positive   going by the first payment of more than 0 */
export function instantOf(purchase: Purchase, positive: boolean): number {
  return positive ? purchase.paidPositiveAt : purchase.paidAt;
}

/** Index of the first purchase at or after `t`; the length when there is none. */
export function firstSince(purchases: readonly Purchase[], t: number, positive: boolean): number {
  let low = 0;
  let high = purchases.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const purchase = purchases[middle];
    if (purchase !== undefined && instantOf(purchase, positive) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

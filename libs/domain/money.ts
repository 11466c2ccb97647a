import type { OrderPaid, OrderRefunded } from './events.js';
import { orderOf } from './orders.js';
import type { Money, Order, OrderLine, Refund, SettledMoney, SettledPurchase } from './relationship.js';
import { NO_PURCHASES, timelineOf, withPurchase } from './timeline.js';
import type { MoneyChange } from './window-port.js';

export const NO_SETTLED_MONEY: SettledMoney = {
  orders: 0,
  zeroOrders: 0,
  grossMinor: 0,
  refundedMinor: 0,
  first: null,
  last: null,
  firstPositive: null,
  lastPositive: null,
};
export const NO_MONEY: Money = moneyOf([], [], [], NO_SETTLED_MONEY);

/** Money of these records, with what follows from them. */
export function moneyOf(
  orders: readonly Order[],
  looseRefunds: readonly Refund[],
  purchases: readonly SettledPurchase[],
  settled: SettledMoney,
): Money {
  let oldestOrderAt = Infinity;
  for (const { paidAt } of orders) if (paidAt < oldestOrderAt) oldestOrderAt = paidAt;
  const timeline =
    orders.length + purchases.length === 0 ? NO_PURCHASES : timelineOf([...orders, ...purchases]);
  return { orders, looseRefunds, purchases, settled, timeline, oldestOrderAt };
}

/**
 * The list with `item` at `place`, in the stead of what is there or before it. V8 takes several times as long for
 * `toSpliced`.
 */
function withOneAt<T>(list: readonly T[], place: number, replaces: boolean, item: T): readonly T[] {
  // `concat` sizes the new list exactly; pushing to a copy would leave half of it empty, for every person.
  if (place === list.length) return list.length === 0 ? [item] : list.concat(item);
  if (replaces && list.length === 1) return [item];
  return list.toSpliced(place, replaces ? 1 : 0, item);
}

function withOrder(money: Money, index: number, before: Order | undefined, after: Order): Money {
  return {
    orders: withOneAt(money.orders, index, before !== undefined, after),
    looseRefunds: money.looseRefunds,
    purchases: money.purchases,
    settled: money.settled,
    timeline: withPurchase(money.timeline, before, after),
    oldestOrderAt: Math.min(money.oldestOrderAt, after.paidAt),
  };
}

/** Takes movements of money as they are found; brand is known to the taker. */
export type MoneySink = (change: Omit<MoneyChange, 'brand'>) => void;

/**
 * A payment. Of two records of one (order, line) the smaller (at, contentHash) counts. An order counts once, at
 * its first line; amounts count where and when their line was paid.
 * @returns `money` itself when the record changes nothing
 */
export function withPayment(money: Money, event: OrderPaid, horizonMs: number, sink: MoneySink): Money {
  const index = orderIndex(money.orders, event.orderId);
  const known = money.orders[index];
  const before = known?.orderId === event.orderId ? known : undefined;
  const line: OrderLine = {
    lineId: event.lineId,
    at: event.at,
    contentHash: event.contentHash,
    amountMinor: event.amountMinor,
    channel: event.channel,
  };
  const lines = before?.lines ?? [];
  let place = 0;
  while (place < lines.length && (lines[place]?.lineId ?? '') < line.lineId) place++;
  const replaced = lines[place]?.lineId === line.lineId ? lines[place] : undefined;
  if (replaced !== undefined && !precedes(line, replaced)) return money;
  const after = orderOf(
    event.orderId,
    withOneAt(lines, place, replaced !== undefined, line),
    before?.refunds ?? [],
    horizonMs,
  );
  if (replaced !== undefined) {
    sink({
      channel: replaced.channel,
      at: replaced.at,
      orders: 0,
      grossMinor: -replaced.amountMinor,
      refundMinor: 0,
    });
  }
  const isNew = before === undefined || before.channel === null;
  sink({
    channel: line.channel,
    at: line.at,
    orders: isNew ? 1 : 0,
    grossMinor: line.amountMinor,
    refundMinor: 0,
  });
  if (!isNew) orderMoved(before, after, sink);
  return withOrder(money, index, before, after);
}

/** The order counts at its first line, and that may have become another one. */
function orderMoved(before: Order, after: Order, sink: MoneySink): void {
  if (before.paidAt === after.paidAt && before.channel === after.channel) return;
  if (before.channel !== null) {
    sink({ channel: before.channel, at: before.paidAt, orders: -1, grossMinor: 0, refundMinor: 0 });
  }
  if (after.channel !== null) {
    sink({ channel: after.channel, at: after.paidAt, orders: 1, grossMinor: 0, refundMinor: 0 });
  }
}

/**
 * A refund lowers money when and where it happens, whatever is known of its order (FAST+ section 8 rows 8, 9);
 * with its order, when that is known, it may cancel a purchase day.
 * @returns `money` itself when the record changes nothing
 */
export function withRefund(money: Money, event: OrderRefunded, horizonMs: number, sink: MoneySink): Money {
  const refund: Refund = {
    lineId: event.lineId,
    refundId: event.refundId,
    at: event.at,
    contentHash: event.contentHash,
    amountMinor: event.amountMinor,
    full: event.full,
    channel: event.channel,
  };
  if (event.orderId === null) {
    const looseRefunds = withRefundAmong(money.looseRefunds, refund, sink);
    return looseRefunds === money.looseRefunds ? money : { ...money, looseRefunds };
  }
  const index = orderIndex(money.orders, event.orderId);
  const known = money.orders[index];
  const before = known?.orderId === event.orderId ? known : undefined;
  const refunds = withRefundAmong(before?.refunds ?? [], refund, sink);
  if (refunds === before?.refunds) return money;
  const after = orderOf(event.orderId, before?.lines ?? [], refunds, horizonMs);
  return withOrder(money, index, before, after);
}

function withRefundAmong(refunds: readonly Refund[], refund: Refund, sink: MoneySink): readonly Refund[] {
  const found = refunds.findIndex((one) => !isRefundBefore(one, refund));
  const place = found < 0 ? refunds.length : found;
  const known = refunds[place];
  const replaced = known?.refundId === refund.refundId && known.lineId === refund.lineId ? known : undefined;
  if (replaced !== undefined) {
    if (!precedes(refund, replaced)) return refunds;
    sink({
      channel: replaced.channel,
      at: replaced.at,
      orders: 0,
      grossMinor: 0,
      refundMinor: -replaced.amountMinor,
    });
  }
  sink({ channel: refund.channel, at: refund.at, orders: 0, grossMinor: 0, refundMinor: refund.amountMinor });
  return withOneAt(refunds, place, replaced !== undefined, refund);
}

function isRefundBefore(a: Refund, b: Refund): boolean {
  if (a.lineId !== b.lineId) {
    if (a.lineId === null || b.lineId === null) return a.lineId === null;
    return a.lineId < b.lineId;
  }
  return a.refundId < b.refundId;
}

/** Which of two records of one id counts. */
function precedes(
  a: { readonly at: number; readonly contentHash: number },
  b: { readonly at: number; readonly contentHash: number },
): boolean {
  return a.at < b.at || (a.at === b.at && a.contentHash < b.contentHash);
}

/** Where the order stands, or would stand. */
function orderIndex(orders: readonly Order[], orderId: string): number {
  let low = 0;
  let high = orders.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((orders[middle]?.orderId ?? '') < orderId) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Settles what lies behind the refund horizon: the money goes into totals, the day stays as long as a scheme
 * can ask for it. From then on a repeated record of such an order can no longer be told from a new one.
 *
 * @param settleBefore   instant, ms: orders paid earlier are settled
 * @param quietBefore    instant, ms: … unless they have a record that is younger than this
 * @param keepFrom       instant, ms: purchases that are older can no longer be asked for
 */
export function pruneMoney(money: Money, settleBefore: number, quietBefore: number, keepFrom: number): Money {
  const isOpen = (order: Order): boolean => {
    if (order.paidAt !== Infinity && order.paidAt >= settleBefore) return true;
    const last = lastRecordAt(order);
    return last >= quietBefore || (order.paidAt === Infinity && last >= settleBefore);
  };
  const open = money.orders.filter(isOpen);
  const looseRefunds = money.looseRefunds.filter(({ at }) => at >= settleBefore);
  const purchases = money.purchases.filter(({ paidAt }) => paidAt >= keepFrom);
  if (
    open.length === money.orders.length &&
    looseRefunds.length === money.looseRefunds.length &&
    purchases.length === money.purchases.length
  ) {
    return money;
  }
  const settled = { ...money.settled };
  const kept: SettledPurchase[] = purchases;
  for (const order of money.orders) {
    if (isOpen(order)) continue;
    settleOrder(settled, order);
    const { paidAt, paidPositiveAt, cancelled } = order;
    if (paidAt !== Infinity && paidAt >= keepFrom) kept.push({ paidAt, paidPositiveAt, cancelled });
  }
  for (const refund of money.looseRefunds) {
    if (refund.at < settleBefore) settled.refundedMinor += refund.amountMinor;
  }
  kept.sort((a, b) => a.paidAt - b.paidAt || a.paidPositiveAt - b.paidPositiveAt);
  return moneyOf(open, looseRefunds, kept, settled);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function settleOrder(settled: Writable<SettledMoney>, order: Order): void {
  settled.grossMinor += order.grossMinor;
  settled.refundedMinor += order.refundedMinor;
  if (order.paidAt === Infinity) return;
  settled.orders += 1;
  settled.first = Math.min(settled.first ?? Infinity, order.paidAt);
  settled.last = Math.max(settled.last ?? -Infinity, order.paidAt);
  if (order.paidPositiveAt === Infinity) {
    settled.zeroOrders += 1;
    return;
  }
  settled.firstPositive = Math.min(settled.firstPositive ?? Infinity, order.paidPositiveAt);
  settled.lastPositive = Math.max(settled.lastPositive ?? -Infinity, order.paidPositiveAt);
}

function lastRecordAt(order: Order): number {
  let last = -Infinity;
  for (const { at } of order.lines) if (at > last) last = at;
  for (const { at } of order.refunds) if (at > last) last = at;
  return last;
}

/** A person's purchases over the whole life (FAST+ CLV: own value). */
export function lifetime(money: Money): SettledMoney {
  const total = { ...money.settled };
  for (const order of money.orders) settleOrder(total, order);
  for (const refund of money.looseRefunds) total.refundedMinor += refund.amountMinor;
  return total;
}

/** Whether anything was ever bought, in whatever identity. */
export function everPurchased(money: Money): boolean {
  return money.settled.orders > 0 || money.orders.some(({ paidAt }) => paidAt !== Infinity);
}

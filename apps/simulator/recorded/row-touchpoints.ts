/** The source touchpoints that a recorded row stands for, as a producer would have sent them. */
import type { Origin, SourceOrder, SourceRelation } from '#domain';
import { rowId, type RecordedRow, type RowOrder } from './recorded-row.js';

export interface RowContext {
  readonly brand: string;
  readonly currency: string;
  readonly sourceName: string;
  readonly origin: Exclude<Origin, 'LIVE'>;
}

/**
 * An order's line is its row, so that equal rows survive; the order column only groups rows.
 * Every field is named: V8 takes tens of microseconds for a spread of this many.
 */
export function orderOfRow(order: RowOrder, at: number, row: number, context: RowContext): SourceOrder {
  const id = rowId(context.sourceName, row);
  const isRefund = order.kind === 'REFUND';
  return {
    type: 'order',
    eventId: id,
    brand: context.brand,
    person: order.person,
    channel: null,
    occurredAt: at,
    sentAt: at,
    origin: context.origin,
    actor: 'CUSTOMER',
    campaign: null,
    entrySource: null,
    publicDomain: false,
    paid: false,
    mechanism: null,
    guide: null,
    shareId: null,
    itemId: null,
    roomId: null,
    groupId: null,
    contentId: null,
    kind: isRefund ? 'REFUNDED' : 'PAID',
    // A person's refund of no known order is money only; a guest has no other identity than an order.
    orderId: order.orderId ?? (isRefund && order.person !== null ? null : id),
    lineId: isRefund ? null : id,
    refundId: isRefund ? id : null,
    amountMinor: order.amountMinor,
    currency: context.currency,
    quantity: order.quantity,
    full: false,
    reviewId: null,
    stars: null,
    positive: null,
  };
}

/**
 * `--members buyers`: who buys has joined, at the instant of the first purchase.
 * @param pseudonym   the person as the log knows him; not in the id of an import, where intake alone may know it
 */
export function joinOfBuyer(
  person: string,
  pseudonym: string,
  first: Pick<RecordedRow, 'at' | 'row'>,
  context: RowContext,
  idLengthMax: number,
): SourceRelation {
  const byRow = `${rowId(context.sourceName, first.row)}:member`;
  const id = context.origin === 'REPLAY' ? `${context.sourceName}:member:${pseudonym}` : byRow;
  return {
    type: 'relation',
    eventId: id.length <= idLengthMax ? id : byRow,
    brand: context.brand,
    person,
    channel: null,
    occurredAt: first.at,
    sentAt: first.at,
    origin: context.origin,
    actor: 'CUSTOMER',
    campaign: null,
    entrySource: null,
    publicDomain: false,
    paid: false,
    mechanism: null,
    guide: null,
    shareId: null,
    itemId: null,
    roomId: null,
    groupId: null,
    contentId: null,
    link: 'MEMBER',
    on: true,
    groupKind: null,
    inviter: null,
    role: null,
    assignee: null,
    linkedPerson: null,
  };
}

/** The source touchpoints that a recorded row stands for, as a producer would have sent them. */
import { type SourceHead, type SourceOrder, type SourceRelation } from '#domain';
import { rowId, type RecordedRow, type RowOrder } from './recorded-row.js';

export interface RowContext {
  readonly brand: string;
  readonly currency: string;
  readonly sourceName: string;
}

/** An order's line is its row, so that equal rows survive; the order column only groups rows. */
export function orderOfRow(order: RowOrder, at: number, row: number, context: RowContext): SourceOrder {
  const id = rowId(context.sourceName, row);
  const refund = order.kind === 'REFUND';
  // A person's refund of no known order is money only; a guest has no other identity than an order.
  const orderId = order.orderId ?? (refund && order.person !== null ? null : id);
  return {
    ...headOf(id, order.person, at, context.brand),
    type: 'order',
    kind: refund ? 'REFUNDED' : 'PAID',
    orderId,
    lineId: refund ? null : id,
    refundId: refund ? id : null,
    amountMinor: order.amountMinor,
    currency: context.currency,
    quantity: order.quantity,
    full: false,
    reviewId: null,
    stars: null,
    positive: null,
  };
}

/** `--members buyers`: who buys has joined, at the instant of the first purchase. */
export function joinOfBuyer(
  person: string,
  /** As the log knows him. */
  pseudonym: string,
  first: Pick<RecordedRow, 'at' | 'row'>,
  context: RowContext,
  idLengthMax: number,
): SourceRelation {
  const id = `${context.sourceName}:member:${pseudonym}`;
  const eventId = id.length <= idLengthMax ? id : `${rowId(context.sourceName, first.row)}:member`;
  return {
    ...headOf(eventId, person, first.at, context.brand),
    type: 'relation',
    link: 'MEMBER',
    on: true,
    groupKind: null,
    inviter: null,
  };
}

function headOf(eventId: string, person: string | null, at: number, brand: string): SourceHead {
  return {
    eventId,
    brand,
    person,
    channel: null,
    occurredAt: at,
    sentAt: at,
    origin: 'REPLAY',
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
  };
}

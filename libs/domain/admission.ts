/** Intake's judgement of one source event: a canonical touchpoint, or a reject with its reason. Pure. */
import type { AdmissionLimits } from './admission-limits.js';
import { contentHash } from './content-hash.js';
import { DEFAULT_CHANNEL, guestPerson, type Touchpoint, type TouchpointHead } from './events.js';
import type { AdmissionReason } from './reject.js';
import {
  UNKNOWN_SYMBOL,
  type SourceEngagement,
  type SourceOrder,
  type SourcePosition,
  type SourceRelation,
  type SourceTouchpoint,
  type TouchpointDetail,
  type Unknown,
} from './source-events.js';
import { faultOf } from './source-faults.js';
import {
  contentShared,
  engaged,
  linkChanged,
  noted,
  orderPaid,
  orderRefunded,
  presaleDeposited,
  reviewed,
  shareClicked,
  visited,
} from './touchpoints.js';

/** How the record came to intake. */
export interface Arrival extends SourcePosition {
  /** The broker's append time, ms. */
  readonly arrivedAt: number;
}

export type Admission =
  | { readonly ok: true; readonly touchpoint: Touchpoint; readonly detail: TouchpointDetail }
  | { readonly ok: false; readonly reason: AdmissionReason; readonly detail: string };

/**
 * The event time is the producer's; where the producer's clock is further off the broker's than tolerated,
 * it is shifted by the difference. Recorded data (`REPLAY`, `BACKFILL`) has its times from elsewhere and is
 * never shifted.
 */
export function admit(source: SourceTouchpoint, arrival: Arrival, limits: AdmissionLimits): Admission {
  const found = faultOf(source, limits);
  if (found !== null) return { ok: false, reason: found.reason, detail: found.detail };
  const clockShiftMs = clockShift(source, arrival, limits);
  const at = source.occurredAt + clockShiftMs;
  if (at < limits.earliestAt) {
    return { ok: false, reason: 'TIME_TOO_EARLY', detail: `event time ${at}${shiftNote(clockShiftMs)}` };
  }
  if (at > arrival.arrivedAt + limits.aheadMaxMs) {
    const ahead = at - arrival.arrivedAt;
    return { ok: false, reason: 'TIME_AHEAD', detail: `${ahead} ms ahead${shiftNote(clockShiftMs)}` };
  }
  const head = headOf(source, arrival, at, clockShiftMs);
  return { ok: true, touchpoint: touchpointOf(source, head), detail: detailOf(source) };
}

function clockShift(source: SourceTouchpoint, arrival: Arrival, limits: AdmissionLimits): number {
  if (source.origin !== 'LIVE') return 0;
  const difference = arrival.arrivedAt - source.sentAt;
  return Math.abs(difference) > limits.skewToleranceMs ? difference : 0;
}

function shiftNote(clockShiftMs: number): string {
  return clockShiftMs === 0 ? '' : ` after a clock shift of ${clockShiftMs} ms`;
}

function headOf(
  source: SourceTouchpoint,
  arrival: Arrival,
  at: number,
  clockShiftMs: number,
): TouchpointHead {
  const guest = source.person === null;
  const person = guest ? guestPerson(orderIdOf(source)) : source.person;
  const channel = said(source.channel) ?? DEFAULT_CHANNEL;
  return {
    eventId: source.eventId,
    brand: source.brand,
    person,
    guest,
    channel,
    at,
    arrivedAt: arrival.arrivedAt,
    clockShiftMs,
    contentHash: contentHash(source, channel, person),
    origin: source.origin,
    entrySource: said(source.entrySource),
    campaign: said(source.campaign),
    staffOrBot: source.actor !== 'CUSTOMER',
  };
}

function orderIdOf(source: SourceTouchpoint): string {
  return source.type === 'order' ? (source.orderId ?? '') : '';
}

function touchpointOf(source: SourceTouchpoint, head: TouchpointHead): Touchpoint {
  const itemId = said(source.itemId);
  const roomId = said(source.roomId);
  const shareId = said(source.shareId);
  switch (source.type) {
    case 'relation':
      return relationTouchpoint(source, head);
    case 'visit': {
      const { publicDomain, paid, dwellMs } = source;
      const surface = known(source.surface);
      return visited(head, { surface, publicDomain, paid, dwellMs, itemId, roomId, shareId });
    }
    case 'engagement':
      return engagementTouchpoint(source, head);
    case 'order':
      return orderTouchpoint(source, head);
    case 'share':
      return known(source.kind) === 'SHARED'
        ? contentShared(head, { shareId: shareId ?? '', itemId, content: said(source.contentId) })
        : shareClicked(head, { shareId: shareId ?? '', sharer: source.sharer, itemId });
  }
}

function relationTouchpoint(source: SourceRelation, head: TouchpointHead): Touchpoint {
  const { on, inviter, assignee } = source;
  const kind = known(source.link);
  switch (kind) {
    case 'REACH':
    case 'MANAGER':
    case 'ROLE':
      return noted(head, { note: kind, on, role: knownOrNull(source.role), assignee, inviter });
    case 'IDENTITY':
    case 'ERASURE':
      throw new Error(`${kind} was not refused`);
    default:
      return linkChanged(head, { link: kind, on, groupKind: knownOrNull(source.groupKind), inviter });
  }
}

function engagementTouchpoint(source: SourceEngagement, head: TouchpointHead): Touchpoint {
  const action = known(source.action);
  if (action === 'GUIDE_LOGGED_IN' || action === 'MESSAGE_DELIVERED') {
    return noted(head, { note: action, on: true, role: null, assignee: null, inviter: null });
  }
  const itemId = said(source.itemId);
  const roomId = said(source.roomId);
  return engaged(head, { action, itemId, roomId, groupId: said(source.groupId) });
}

function orderTouchpoint(source: SourceOrder, head: TouchpointHead): Touchpoint {
  const orderId = source.orderId ?? '';
  const lineId = source.lineId ?? '';
  const itemId = said(source.itemId);
  // `+ 0` turns the −0 of a parsed text into 0.
  const amountMinor = (source.amountMinor ?? 0) + 0;
  const kind = known(source.kind);
  switch (kind) {
    case 'PAID':
    case 'BALANCE_PAID': {
      const presaleBalance = kind === 'BALANCE_PAID';
      const { quantity } = source;
      const shareId = said(source.shareId);
      return orderPaid(head, { orderId, lineId, amountMinor, presaleBalance, itemId, quantity, shareId });
    }
    case 'REFUNDED':
      return orderRefunded(head, {
        orderId: source.orderId,
        lineId: said(source.lineId),
        refundId: source.refundId ?? '',
        amountMinor,
        full: source.full,
      });
    case 'DEPOSIT_PAID':
      return presaleDeposited(head, { orderId, lineId, amountMinor });
    case 'REVIEW_POSTED':
    case 'REVIEW_DELETED': {
      const { stars, positive } = source;
      const deleted = kind === 'REVIEW_DELETED';
      return reviewed(head, { orderId: source.orderId, itemId, stars, positive, deleted });
    }
  }
}

function detailOf(source: SourceTouchpoint): TouchpointDetail {
  const order = source.type === 'order' ? source : null;
  const review = order?.kind === 'REVIEW_POSTED' || order?.kind === 'REVIEW_DELETED';
  return {
    actor: source.actor,
    publicDomain: source.publicDomain,
    paid: source.paid,
    mechanism: said(source.mechanism),
    guide: said(source.guide),
    shareId: said(source.shareId),
    itemId: said(source.itemId),
    roomId: said(source.roomId),
    groupId: said(source.groupId),
    contentId: said(source.contentId),
    couponId: source.type === 'engagement' ? said(source.couponId) : null,
    quantity: order === null || review ? null : order.quantity,
    reviewId: order !== null && review ? said(order.reviewId) : null,
    parentShareId: source.type === 'share' ? said(source.parentShareId) : null,
    contentKind: source.type === 'share' ? knownOrNull(source.contentKind) : null,
    fissionForm: source.type === 'share' ? knownOrNull(source.fissionForm) : null,
  };
}

/** An empty text says nothing. */
function said(value: string | null): string | null {
  return value === '' ? null : value;
}

/** `faultOf` has refused unknown kinds before this is asked. */
function known<T extends string>(symbol: T | Unknown): T {
  if (!isKnown(symbol)) throw new Error('an unknown kind was not refused');
  return symbol;
}

function knownOrNull<T extends string>(symbol: T | Unknown | null): T | null {
  return symbol !== null && isKnown(symbol) ? symbol : null;
}

function isKnown<T extends string>(symbol: T | Unknown): symbol is T {
  return symbol !== UNKNOWN_SYMBOL;
}

/** What can be wrong with a source event, whenever it arrives. The first fault found is the one reported. */
import type { AdmissionLimits } from './admission-limits.js';
import { ALL_CHANNELS } from './events.js';
import type { AdmissionReason } from './reject.js';
import {
  UNKNOWN_SYMBOL,
  type SourceEngagement,
  type SourceHead,
  type SourceOrder,
  type SourceRelation,
  type SourceShare,
  type SourceTouchpoint,
} from './source-events.js';

export interface Fault {
  readonly reason: AdmissionReason;
  readonly detail: string;
}

/** Control characters separate our keys; U+FFFD and lone surrogates are bytes that were not UTF-8. */
const UNFIT_FOR_ID = /[\p{Cc}\p{Cs}\ufffd]/u;
const GUEST_PREFIX = 'order:';
const STARS_MAX = 5;
/** Far beyond any calendar, and such that differences of two still fit Avro's codecs (2^52). */
const TIME_MAX = 4e15;
/** Pieces of an order, milliseconds of a visit. */
const COUNT_MAX = 1e12;

export function faultOf(event: SourceTouchpoint, limits: AdmissionLimits): Fault | null {
  return headFault(event, limits) ?? contextFault(event, limits) ?? bodyFault(event, limits);
}

function headFault(event: SourceTouchpoint, limits: AdmissionLimits): Fault | null {
  return (
    requiredId('event_id', event.eventId, limits.idLengthMax) ??
    requiredId('brand', event.brand, limits.brandLengthMax) ??
    // Keys of our topics are `brand|…`.
    (event.brand.includes('|') ? fault('BAD_CHARACTER', 'brand holds a |') : null) ??
    personFault(event, limits) ??
    channelFault(event.channel, limits) ??
    timeFault('occurred_at', event.occurredAt) ??
    timeFault('sent_at', event.sentAt)
  );
}

function personFault(event: SourceTouchpoint, limits: AdmissionLimits): Fault | null {
  if (event.person === null) {
    return event.type === 'order' ? null : fault('MISSING_PERSON', `${event.type} without a person`);
  }
  return personIdFault('person', event.person, limits);
}

function personIdFault(field: string, value: string | null, limits: AdmissionLimits): Fault | null {
  if (value === null) return null;
  return (
    requiredId(field, value, limits.personLengthMax) ??
    (value.startsWith(GUEST_PREFIX) ? fault('RESERVED_NAME', `${field} starts with ${GUEST_PREFIX}`) : null)
  );
}

function channelFault(channel: string | null, limits: AdmissionLimits): Fault | null {
  if (channel === null || channel === '') return null;
  if (channel === ALL_CHANNELS) return fault('RESERVED_NAME', `channel is ${ALL_CHANNELS}`);
  return requiredId('channel', channel, limits.channelLengthMax);
}

function contextFault(event: SourceHead, limits: AdmissionLimits): Fault | null {
  const { idLengthMax, tagLengthMax } = limits;
  return (
    lengthFault('campaign', event.campaign, tagLengthMax) ??
    lengthFault('entry_source', event.entrySource, tagLengthMax) ??
    lengthFault('mechanism', event.mechanism, tagLengthMax) ??
    lengthFault('guide', event.guide, idLengthMax) ??
    lengthFault('share_id', event.shareId, idLengthMax) ??
    lengthFault('item_id', event.itemId, idLengthMax) ??
    lengthFault('room_id', event.roomId, idLengthMax) ??
    lengthFault('group_id', event.groupId, idLengthMax) ??
    lengthFault('content_id', event.contentId, idLengthMax)
  );
}

function bodyFault(event: SourceTouchpoint, limits: AdmissionLimits): Fault | null {
  switch (event.type) {
    case 'relation':
      return knownKind('link', event.link) ?? relationFault(event, limits);
    case 'visit':
      return knownKind('surface', event.surface) ?? countFault('dwell_ms', event.dwellMs);
    case 'engagement':
      return knownKind('action', event.action) ?? engagementFault(event, limits);
    case 'order':
      return knownKind('kind', event.kind) ?? orderFault(event, limits);
    case 'share':
      return knownKind('kind', event.kind) ?? shareFault(event, limits);
  }
}

function relationFault(event: SourceRelation, limits: AdmissionLimits): Fault | null {
  return (
    personIdFault('inviter', event.inviter, limits) ??
    personIdFault('assignee', event.assignee, limits) ??
    personIdFault('linked_person', event.linkedPerson, limits) ??
    (event.role === null ? null : knownKind('role', event.role)) ??
    relationFieldsFault(event) ??
    unsupportedFault(event)
  );
}

/** Each kind has its own fields; one that it would not keep is refused, so that nothing said gets lost. */
function relationFieldsFault(event: SourceRelation): Fault | null {
  const { link, on, role, assignee, linkedPerson, person } = event;
  const isManager = role === 'CUSTOMER_MANAGER' || role === 'SERVICE_MANAGER';
  if (assignee !== null && link !== 'MANAGER') return fault('CONTRADICTORY', `${link} with assignee`);
  if (linkedPerson !== null && link !== 'IDENTITY') {
    return fault('CONTRADICTORY', `${link} with linked_person`);
  }
  if (role !== null && link !== 'ROLE' && link !== 'MANAGER') {
    return fault('CONTRADICTORY', `${link} with role`);
  }
  switch (link) {
    case 'MANAGER':
      if (!isManager) return fault('CONTRADICTORY', 'MANAGER whose role is no manager');
      if (on && assignee === null) return fault('EMPTY_ID', 'MANAGER without assignee');
      if (assignee === person) return fault('CONTRADICTORY', 'a manager of oneself');
      return nothingOfGroups(event) ?? (event.inviter === null ? null : extraInviter(link));
    case 'ROLE':
      if (role === null || isManager) return fault('CONTRADICTORY', 'ROLE without a role that persons have');
      if (role === 'GUIDE' && !isSaid(event.guide)) return fault('EMPTY_ID', 'a guide without guide');
      if (event.inviter === person) return fault('CONTRADICTORY', 'recruited by oneself');
      return nothingOfGroups(event);
    case 'IDENTITY':
      if (linkedPerson === null) return fault('EMPTY_ID', 'IDENTITY without linked_person');
      return linkedPerson === person ? fault('CONTRADICTORY', 'a person linked with oneself') : null;
    case 'ERASURE':
      return on ? null : fault('CONTRADICTORY', 'an erasure cannot be taken back');
    case 'REACH':
      return nothingOfGroups(event) ?? (event.inviter === null ? null : extraInviter(link));
    default:
      return null;
  }
}

function nothingOfGroups({ link, groupKind }: SourceRelation): Fault | null {
  return groupKind === null ? null : fault('CONTRADICTORY', `${link} with group_kind`);
}

function extraInviter(link: string): Fault {
  return fault('CONTRADICTORY', `${link} with inviter`);
}

/** Both refold what was: taken without doing so, figures would count one person twice, or somebody erased. */
function unsupportedFault({ link }: SourceRelation): Fault | null {
  return link === 'IDENTITY' || link === 'ERASURE'
    ? fault('NOT_SUPPORTED_YET', `${link} is not acted upon by this version`)
    : null;
}

function engagementFault(event: SourceEngagement, limits: AdmissionLimits): Fault | null {
  const { action, couponId } = event;
  if (action === 'GUIDE_LOGGED_IN' || action === 'MESSAGE_DELIVERED') {
    if (isSaid(couponId)) return fault('CONTRADICTORY', `${action} with coupon_id`);
    if (action === 'GUIDE_LOGGED_IN' && !isSaid(event.guide)) {
      return fault('EMPTY_ID', 'GUIDE_LOGGED_IN without guide');
    }
  }
  return lengthFault('coupon_id', couponId, limits.idLengthMax);
}

function isSaid(value: string | null): boolean {
  return value !== null && value.trim() !== '';
}

function orderFault(event: SourceOrder, limits: AdmissionLimits): Fault | null {
  const review = event.kind === 'REVIEW_POSTED' || event.kind === 'REVIEW_DELETED';
  const refund = event.kind === 'REFUNDED';
  if (event.orderId === null) {
    if (!review && !refund) return fault('EMPTY_ID', `${event.kind} without order_id`);
    if (event.person === null) return fault('MISSING_PERSON', `${event.kind} without person and order_id`);
  }
  return (
    (event.orderId === null ? null : requiredId('order_id', event.orderId, limits.idLengthMax)) ??
    lengthFault('line_id', event.lineId, limits.idLengthMax) ??
    countFault('quantity', event.quantity) ??
    (review ? reviewFault(event, limits) : moneyFault(event, limits)) ??
    (refund ? refundFault(event, limits) : notARefundFault(event))
  );
}

function moneyFault(event: SourceOrder, limits: AdmissionLimits): Fault | null {
  const amount = event.amountMinor;
  if (amount === null) return fault('CONTRADICTORY', `${event.kind} without amount_minor`);
  const currency = limits.currencies.get(event.brand) ?? limits.currency;
  if (!Number.isSafeInteger(amount)) return fault('UNSAFE_INTEGER', 'amount_minor');
  if (amount < 0) return fault('NEGATIVE_AMOUNT', `amount_minor is ${amount}`);
  if (amount > limits.amountMinorMax) return fault('AMOUNT_TOO_LARGE', `amount_minor is ${amount}`);
  if (event.currency !== null && event.currency !== currency) {
    return fault('WRONG_CURRENCY', `expected ${currency}`);
  }
  return null;
}

function refundFault(event: SourceOrder, limits: AdmissionLimits): Fault | null {
  if (event.refundId === null) return fault('CONTRADICTORY', 'REFUNDED without refund_id');
  return requiredId('refund_id', event.refundId, limits.idLengthMax);
}

function notARefundFault(event: SourceOrder): Fault | null {
  if (event.refundId !== null && event.refundId !== '') {
    return fault('CONTRADICTORY', `${event.kind} with refund_id`);
  }
  return event.full ? fault('CONTRADICTORY', `${event.kind} with full`) : null;
}

function reviewFault(event: SourceOrder, limits: AdmissionLimits): Fault | null {
  const stars = event.stars;
  if (stars !== null && !(Number.isInteger(stars) && stars >= 0 && stars <= STARS_MAX)) {
    return fault('IMPOSSIBLE_VALUE', `stars is ${stars}, expected 0 to ${STARS_MAX}`);
  }
  return lengthFault('review_id', event.reviewId, limits.idLengthMax);
}

function shareFault(event: SourceShare, limits: AdmissionLimits): Fault | null {
  if (event.shareId === null) return fault('EMPTY_ID', 'share without share_id');
  if (event.kind === 'SHARED' && event.sharer !== null && event.sharer !== event.person) {
    return fault('CONTRADICTORY', 'SHARED by a sharer who is not the person');
  }
  if (event.parentShareId === event.shareId) {
    return fault('CONTRADICTORY', 'a share that is its own parent');
  }
  return (
    requiredId('share_id', event.shareId, limits.idLengthMax) ??
    lengthFault('parent_share_id', event.parentShareId, limits.idLengthMax) ??
    personIdFault('sharer', event.sharer, limits)
  );
}

function requiredId(field: string, value: string, lengthMax: number): Fault | null {
  if (value.length > lengthMax) return tooLong(field, value, lengthMax);
  if (value.trim() === '') return fault('EMPTY_ID', `${field} is empty`);
  return UNFIT_FOR_ID.test(value) ? fault('BAD_CHARACTER', `${field} holds an unfit character`) : null;
}

function lengthFault(field: string, value: string | null, lengthMax: number): Fault | null {
  return value === null || value.length <= lengthMax ? null : tooLong(field, value, lengthMax);
}

function tooLong(field: string, value: string, lengthMax: number): Fault {
  return fault('TOO_LONG', `${field} has ${value.length} characters, at most ${lengthMax}`);
}

function timeFault(field: string, value: number): Fault | null {
  return Number.isSafeInteger(value) && Math.abs(value) <= TIME_MAX ? null : fault('UNSAFE_INTEGER', field);
}

function countFault(field: string, value: number | null): Fault | null {
  if (value === null) return null;
  if (!Number.isSafeInteger(value)) return fault('UNSAFE_INTEGER', field);
  return value >= 0 && value <= COUNT_MAX ? null : fault('IMPOSSIBLE_VALUE', `${field} is ${value}`);
}

function knownKind(field: string, symbol: string): Fault | null {
  return symbol === UNKNOWN_SYMBOL ? fault('UNKNOWN_KIND', `${field} is newer than this version`) : null;
}

function fault(reason: AdmissionReason, detail: string): Fault {
  return { reason, detail };
}

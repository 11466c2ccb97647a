/**
 * One NDJSON line to a source touchpoint. The fields are those of the Avro schemas of the source topics, with
 * their names and defaults; `type` (`order`) or `topic` (`touchpoint.order`) says which. Recorded data is a replay or
 * an import whatever its `origin` says.
 */
import {
  ACTORS,
  CONTENT_KINDS,
  FISSION_FORMS,
  GROUP_KINDS,
  ORDER_KINDS,
  RELATION_KINDS,
  ROLES,
  SHARE_KINDS,
  SOURCE_ACTIONS,
  UNKNOWN_SYMBOL,
  VISIT_SURFACES,
  type Origin,
  type SourceHead,
  type SourceTouchpoint,
} from '#domain';
import { JsonFields } from './json-fields.js';

export interface CanonicalDefaults {
  /** Brand of a line that names none. */
  readonly brand: string;
  /** Event id of a line that has none. */
  readonly eventId: string;
  readonly origin: Exclude<Origin, 'LIVE'>;
}

export type CanonicalResult =
  | { readonly ok: true; readonly event: SourceTouchpoint }
  | { readonly ok: false; readonly reason: 'BAD_JSON' | 'BAD_TOUCHPOINT'; readonly detail: string };

export function parseCanonical(line: string, defaults: CanonicalDefaults): CanonicalResult {
  const record = jsonObject(line);
  if (record === null) return { ok: false, reason: 'BAD_JSON', detail: 'the line is no JSON object' };
  const fields = new JsonFields(record);
  const event = touchpointOf(fields, headOf(fields, record, defaults));
  if (event === null) {
    return {
      ok: false,
      reason: 'BAD_TOUCHPOINT',
      detail: 'type is not relation, visit, engagement, order or share',
    };
  }
  return fields.fault === null
    ? { ok: true, event }
    : { ok: false, reason: 'BAD_TOUCHPOINT', detail: fields.fault };
}

function jsonObject(line: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return new Map<string, unknown>(Object.entries(value));
  } catch {
    return null;
  }
}

function headOf(
  fields: JsonFields,
  record: ReadonlyMap<string, unknown>,
  defaults: CanonicalDefaults,
): SourceHead {
  const occurredAt = fields.instant('occurred_at');
  return {
    eventId: fields.textOrNull('event_id') ?? defaults.eventId,
    brand: fields.textOrNull('brand') ?? defaults.brand,
    person: fields.textOrNull('person'),
    channel: fields.textOrNull('channel'),
    occurredAt,
    sentAt: record.has('sent_at') ? fields.instant('sent_at') : occurredAt,
    origin: defaults.origin,
    actor: fields.symbolOrNull('actor', ACTORS, 'CUSTOMER') ?? 'CUSTOMER',
    campaign: fields.textOrNull('campaign'),
    entrySource: fields.textOrNull('entry_source'),
    publicDomain: fields.flag('public_domain', false),
    paid: fields.flag('paid', false),
    mechanism: fields.textOrNull('mechanism'),
    guide: fields.textOrNull('guide'),
    shareId: fields.textOrNull('share_id'),
    itemId: fields.textOrNull('item_id'),
    roomId: fields.textOrNull('room_id'),
    groupId: fields.textOrNull('group_id'),
    contentId: fields.textOrNull('content_id'),
  };
}

function touchpointOf(fields: JsonFields, head: SourceHead): SourceTouchpoint | null {
  const type = fields.textOrNull('type') ?? fields.textOrNull('topic')?.replace(/^touchpoint\./, '') ?? '';
  switch (type) {
    case 'relation':
      return {
        ...head,
        type,
        link: fields.symbol('link', RELATION_KINDS, UNKNOWN_SYMBOL),
        on: fields.requiredFlag('on'),
        groupKind: fields.symbolOrNull('group_kind', GROUP_KINDS, UNKNOWN_SYMBOL),
        inviter: fields.textOrNull('inviter'),
        role: fields.symbolOrNull('role', ROLES, UNKNOWN_SYMBOL),
        assignee: fields.textOrNull('assignee'),
        linkedPerson: fields.textOrNull('linked_person'),
      };
    case 'visit':
      return {
        ...head,
        type,
        surface: fields.symbol('surface', VISIT_SURFACES, UNKNOWN_SYMBOL),
        dwellMs: fields.integerOrNull('dwell_ms'),
      };
    case 'engagement':
      return {
        ...head,
        type,
        action: fields.symbol('action', SOURCE_ACTIONS, UNKNOWN_SYMBOL),
        couponId: fields.textOrNull('coupon_id'),
      };
    case 'order':
      return {
        ...head,
        type,
        kind: fields.symbol('kind', ORDER_KINDS, UNKNOWN_SYMBOL),
        orderId: fields.textOrNull('order_id'),
        lineId: fields.textOrNull('line_id'),
        refundId: fields.textOrNull('refund_id'),
        amountMinor: fields.integerOrNull('amount_minor'),
        currency: fields.textOrNull('currency'),
        quantity: fields.integerOrNull('quantity'),
        full: fields.flag('full', false),
        reviewId: fields.textOrNull('review_id'),
        stars: fields.integerOrNull('stars'),
        positive: fields.flagOrNull('positive'),
      };
    case 'share':
      return {
        ...head,
        type,
        kind: fields.symbol('kind', SHARE_KINDS, UNKNOWN_SYMBOL),
        sharer: fields.textOrNull('sharer'),
        parentShareId: fields.textOrNull('parent_share_id'),
        contentKind: fields.symbolOrNull('content_kind', CONTENT_KINDS, UNKNOWN_SYMBOL),
        fissionForm: fields.symbolOrNull('fission_form', FISSION_FORMS, UNKNOWN_SYMBOL),
      };
    default:
      return null;
  }
}

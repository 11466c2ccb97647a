/** Short ways to write source events in tests. */
import type {
  SourceEngagement,
  SourceHead,
  SourceOrder,
  SourceRelation,
  SourceShare,
  SourceVisit,
} from '#domain';

type Head = Partial<SourceHead> & { readonly occurredAt: number };

let sequence = 0;

function head(overrides: Head): SourceHead {
  sequence += 1;
  return {
    eventId: `source-${sequence}`,
    brand: 'brand',
    person: 'person',
    channel: null,
    sentAt: overrides.occurredAt,
    origin: 'LIVE',
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
    ...overrides,
  };
}

export function sourceJoin(overrides: Head & Partial<SourceRelation>): SourceRelation {
  return {
    ...{ type: 'relation', link: 'MEMBER', on: true, groupKind: null, inviter: null },
    ...{ role: null, assignee: null, linkedPerson: null },
    ...head(overrides),
    ...overrides,
  };
}

export function sourceVisit(overrides: Head & Partial<SourceVisit>): SourceVisit {
  return { type: 'visit', surface: 'PAGE', dwellMs: null, ...head(overrides), ...overrides };
}

export function sourceEngagement(overrides: Head & Partial<SourceEngagement>): SourceEngagement {
  return { type: 'engagement', action: 'LIKE', couponId: null, ...head(overrides), ...overrides };
}

export function sourceOrder(overrides: Head & Partial<SourceOrder>): SourceOrder {
  sequence += 1;
  return {
    ...{
      type: 'order',
      kind: 'PAID',
      orderId: `order-${sequence}`,
      lineId: '1',
      refundId: null,
      amountMinor: 100,
    },
    ...{ currency: null, quantity: null, full: false, reviewId: null, stars: null, positive: null },
    ...head(overrides),
    ...overrides,
  };
}

export function sourceShare(overrides: Head & Partial<SourceShare>): SourceShare {
  return {
    ...{
      type: 'share',
      kind: 'SHARED',
      sharer: null,
      parentShareId: null,
      contentKind: null,
      fissionForm: null,
    },
    ...head(overrides),
    shareId: 'share',
    ...overrides,
  };
}

/** Raw facts for tests of what reads them: short to write, everything else at a fixed value. */
import type {
  EngagementAction,
  LinkKind,
  OrderPaid,
  OrderRefunded,
  Touchpoint,
  TouchpointHead,
  VisitSurface,
} from '#domain';

type Head = Partial<TouchpointHead> & { readonly at: number };

let sequence = 0;

function head(person: string, overrides: Head): TouchpointHead {
  return {
    eventId: `event-${++sequence}`,
    brand: 'b1',
    person,
    guest: person.startsWith('order:'),
    channel: 'shop',
    arrivedAt: overrides.at,
    clockShiftMs: 0,
    contentHash: 1,
    origin: 'REPLAY',
    entrySource: null,
    campaign: null,
    ...overrides,
  };
}

export function linkFact(person: string, link: LinkKind, on: boolean, overrides: Head): Touchpoint {
  return { type: 'link', link, on, groupKind: null, inviter: null, ...head(person, overrides) };
}

export function visitFact(person: string, overrides: Head, surface: VisitSurface = 'PAGE'): Touchpoint {
  return {
    ...{ type: 'visit', surface, publicDomain: false, paid: false, dwellMs: null, itemId: null },
    ...{ roomId: null, shareId: null },
    ...head(person, overrides),
  };
}

export function engagementFact(
  person: string,
  overrides: Head,
  action: EngagementAction = 'CART',
): Touchpoint {
  return {
    type: 'engagement',
    action,
    itemId: null,
    roomId: null,
    groupId: null,
    ...head(person, overrides),
  };
}

export function paidFact(
  person: string,
  orderId: string,
  amountMinor: number,
  overrides: Head & Partial<OrderPaid>,
): Touchpoint {
  return {
    ...{ type: 'orderPaid', orderId, amountMinor, lineId: '1', presaleBalance: false, itemId: null },
    ...{ quantity: null, shareId: null },
    ...overrides,
    ...head(person, overrides),
  };
}

export function refundFact(
  person: string,
  orderId: string | null,
  amountMinor: number,
  overrides: Head & Partial<OrderRefunded>,
): Touchpoint {
  return {
    ...{
      type: 'orderRefunded',
      orderId,
      lineId: null,
      amountMinor,
      full: false,
      refundId: `refund-${++sequence}`,
    },
    ...overrides,
    ...head(person, overrides),
  };
}

/** Short ways to write log entries in tests. Texts are local times in Shanghai: `2024-11-10 23:59:59`. */
import {
  engaged,
  guestPerson,
  linkChanged,
  noted,
  orderPaid,
  orderRefunded,
  visited,
  type EngagementAction,
  type LinkKind,
  type LogEntry,
  type Rules,
  type Touchpoint,
  type TouchpointHead,
} from '#domain';

export const KIT_BRAND = 'brand';
export const KIT_PERSON = 'person';

/** Milliseconds of a local time in Shanghai, or of an ISO text with its own zone. */
export function instant(text: string): number {
  const isLocal = !/(Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = Date.parse(isLocal ? `${text.replace(' ', 'T')}+08:00` : text);
  if (Number.isNaN(ms)) throw new Error(`no instant: ${text}`);
  return ms;
}

/** What a test may say about an event besides what it is. */
export interface KitHead {
  readonly id?: string;
  readonly brand?: string;
  readonly person?: string;
  readonly channel?: string;
  readonly hash?: number;
  readonly origin?: TouchpointHead['origin'];
  readonly staffOrBot?: boolean;
}

export type KitTime = string | number;

function headOf(fallbackId: string, at: KitTime, head: KitHead): TouchpointHead {
  const ms = typeof at === 'number' ? at : instant(at);
  return {
    eventId: head.id ?? `${fallbackId}@${ms}`,
    brand: head.brand ?? KIT_BRAND,
    person: head.person ?? KIT_PERSON,
    guest: head.person?.startsWith(guestPerson('')) ?? false,
    channel: head.channel ?? 'shop',
    at: ms,
    arrivedAt: ms + 1_000,
    clockShiftMs: 0,
    contentHash: head.hash ?? 7,
    origin: head.origin ?? 'LIVE',
    entrySource: null,
    campaign: null,
    staffOrBot: head.staffOrBot ?? false,
  };
}

export function link(kind: LinkKind, on: boolean, at: KitTime, head: KitHead = {}): Touchpoint {
  const id = `${kind}-${on ? 'on' : 'off'}-${head.channel ?? 'shop'}`;
  return linkChanged(headOf(id, at, head), { link: kind, on, groupKind: null, inviter: null });
}

/** Messages in the channel are welcome, or declined. */
export function reach(on: boolean, at: KitTime, head: KitHead = {}): Touchpoint {
  const body = { note: 'REACH', on, role: null, assignee: null, inviter: null } as const;
  return noted(headOf(`REACH-${on ? 'on' : 'off'}-${head.channel ?? 'shop'}`, at, head), body);
}

export function join(at: KitTime, head: KitHead = {}): Touchpoint {
  return link('MEMBER', true, at, head);
}

export function quit(at: KitTime, head: KitHead = {}): Touchpoint {
  return link('MEMBER', false, at, head);
}

export function follow(at: KitTime, head: KitHead = {}): Touchpoint {
  return link('SHOP_FAN', true, at, head);
}

export function unfollow(at: KitTime, head: KitHead = {}): Touchpoint {
  return link('SHOP_FAN', false, at, head);
}

export function visit(at: KitTime, head: KitHead = {}): Touchpoint {
  return visited(headOf('visit', at, head), {
    surface: 'PAGE',
    publicDomain: false,
    paid: false,
    dwellMs: null,
    itemId: null,
    roomId: null,
    shareId: null,
  });
}

export function engage(at: KitTime, action: EngagementAction = 'LIKE', head: KitHead = {}): Touchpoint {
  return engaged(headOf('engage', at, head), { action, itemId: null, roomId: null, groupId: null });
}

export interface KitPayment extends KitHead {
  readonly line?: string;
  readonly amount?: number;
}

export function pay(orderId: string, at: KitTime, payment: KitPayment = {}): Touchpoint {
  const lineId = payment.line ?? '1';
  return orderPaid(headOf(`pay-${orderId}-${lineId}`, at, payment), {
    orderId,
    lineId,
    amountMinor: payment.amount ?? 10_000,
    presaleBalance: false,
    itemId: null,
    quantity: null,
    shareId: null,
  });
}

export interface KitRefund extends KitHead {
  /** Null: of the order as a whole. */
  readonly line?: string | null;
  readonly refundId?: string;
  readonly amount?: number;
  readonly full?: boolean;
}

export function refund(orderId: string | null, at: KitTime, what: KitRefund = {}): Touchpoint {
  const refundId = what.refundId ?? 'r1';
  return orderRefunded(headOf(`refund-${orderId ?? 'none'}-${refundId}`, at, what), {
    orderId,
    lineId: what.line ?? null,
    refundId,
    amountMinor: what.amount ?? 0,
    full: what.full ?? false,
  });
}

export function tick(at: KitTime): LogEntry {
  const ms = typeof at === 'number' ? at : instant(at);
  return { type: 'tick', at: ms, arrivedAt: ms + 500 };
}

export function rulesSet(rules: Rules): LogEntry {
  return { type: 'rulesSet', rulesJson: JSON.stringify(rules), arrivedAt: 1 };
}

export function epochRaised(epoch = 1, generation = 1): LogEntry {
  return { type: 'epochRaised', epoch, generation, logId: 'log', arrivedAt: 1 };
}

/** The state of one person towards one brand: everything the fold remembers, and why it may forget the rest. */
import type { Channel, LinkKind } from './events.js';
import type { Tier } from './facts.js';
import type { Span, LinkView } from './window-port.js';
import type { RecentRecords } from './recent-presence.js';
import type { Timeline } from './timeline.js';
import type { PersonPresence } from './windows/presence.js';

/** One switch of a link. Ordered by (at, eventId). */
export interface Toggle {
  readonly eventId: string;
  readonly at: number;
  readonly contentHash: number;
  readonly channel: Channel;
  readonly on: boolean;
}

/**
 * The switches of one link. A link is named by its kind and its channel; only membership is one line over all
 * channels, because who quits is no member any more, wherever he had joined.
 */
export interface LinkLine {
  readonly kind: LinkKind;
  /** Null for MEMBER. */
  readonly channel: Channel | null;
  /**
   * Bound: switches since the retention instant (`retention.ts`), plus the last ones before it, on or off.
   * What is older than the first one kept is settled and no longer accepted.
   */
  readonly toggles: readonly Toggle[];
  /** True once switches have been forgotten: earlier ones can no longer be placed. */
  readonly settled: boolean;
}

/** The switches of messages in one channel: on, they are welcome, off, declined. */
export interface ReachLine {
  readonly channel: Channel;
  /** Bound and order as in `LinkLine`. */
  readonly toggles: readonly Toggle[];
  readonly settled: boolean;
}

/** All links, with what follows from them. */
export interface Links {
  readonly lines: readonly LinkLine[];
  /** By channel; only of persons who have ever said something about it. */
  readonly reach: readonly ReachLine[];
  readonly view: LinkView;
  /** When the person was a member. Sorted, disjoint. */
  readonly member: readonly Span[];
}

export interface OrderLine {
  readonly lineId: string;
  readonly at: number;
  readonly contentHash: number;
  readonly amountMinor: number;
  readonly channel: Channel;
}

export interface Refund {
  /** Null: of the order as a whole. */
  readonly lineId: string | null;
  readonly refundId: string;
  readonly at: number;
  readonly contentHash: number;
  readonly amountMinor: number;
  readonly full: boolean;
  readonly channel: Channel;
}

/** An order with its refunds; without lines it is a parking place for refunds that came before their order. */
export interface Order {
  readonly orderId: string;
  readonly lines: readonly OrderLine[];
  readonly refunds: readonly Refund[];
  /** The first line's time; Infinity without lines. */
  readonly paidAt: number;
  /** The first time something other than 0 was paid; Infinity if never. */
  readonly paidPositiveAt: number;
  /** Channel of the first line; null without lines. */
  readonly channel: Channel | null;
  readonly grossMinor: number;
  readonly refundedMinor: number;
  /** When the order stood fully refunded. Nearly always none or one without end. */
  readonly cancelled: readonly Span[];
}

/** What remains of a settled order as long as its day can be asked for. */
export interface SettledPurchase {
  readonly paidAt: number;
  readonly paidPositiveAt: number;
  readonly cancelled: readonly Span[];
}

/** Lifetime totals of what is no longer held one by one. */
export interface SettledMoney {
  readonly orders: number;
  /** Of them, those for which nothing but 0 was paid. */
  readonly zeroOrders: number;
  readonly grossMinor: number;
  readonly refundedMinor: number;
  /** First and last purchase instants; null when there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** The same without orders of 0. */
  readonly firstPositive: number | null;
  readonly lastPositive: number | null;
}

export interface Money {
  /** Sorted by order id. Bound: the refund horizon since the payment, and the lateness (`Retention.orders`). */
  readonly orders: readonly Order[];
  /** Refunds that name no order: money only. Bound: the refund horizon. */
  readonly looseRefunds: readonly Refund[];
  /** Bound: while a scheme can still ask for the day (`retention.ts`). */
  readonly purchases: readonly SettledPurchase[];
  readonly settled: SettledMoney;
  /** Follows from orders and purchases; not stored. */
  readonly timeline: Timeline;
  /** Not after the first payment of any of `orders`; Infinity without any. Not stored. */
  readonly oldestOrderAt: number;
}

/** What this person adds to the stocks of one scheme since `Relationship.evaluatedAt`. */
export interface Standing {
  readonly schemeId: string;
  readonly tier: Tier;
  readonly deepened: boolean;
  /** Deepened, and in the Capital at the close of the period before. */
  readonly deepenedCohort: boolean;
}

/**
 * Immutable. A function of the set of the person's records: neither their order nor repetitions matter.
 * These types are the storage format (`state-codec.ts`).
 */
export interface Relationship {
  /**
   * `personKey`, and the very same string in all states of a person: maps compare it by address, and no other copy of
   * it grows old. Not stored.
   */
  readonly key: string;
  readonly brand: string;
  readonly person: string;
  /** Money and orders only: never a person, never a tier, never present. */
  readonly guest: boolean;
  readonly links: Links;
  readonly money: Money;
  readonly presence: PersonPresence;
  /** By (at, eventId). Bound: the largest lateness of the windows, and the newest `RECENT_MAX`. */
  readonly recent: RecentRecords;
  /** Largest event time of the person's records, ms. */
  readonly lastAt: number;
  /** Smallest event time of a link, a payment or a refund; Infinity for somebody who has only visited. */
  readonly knownSince: number;
  /** Start of the first relation among the forgotten switches; Infinity when there is none. */
  readonly settledRelatedSince: number;
  readonly standings: readonly Standing[];
  /** The instant the standings are true for: the larger of watermark and `lastAt` when they were taken. */
  readonly evaluatedAt: number;
  /** The next instant at which time alone may change anything here; Infinity when nothing can. */
  readonly dueAt: number;
  /** Fingerprint of the rules the standings were taken by. */
  readonly rulesHash: number;
  /** How many of the log's zones (`FoldFrame.zones`) have this person's links and money in their day figures. */
  readonly zones: number;
}

/** A state that is being made: private to one step, never seen by anybody else. */
export type Draft = { -readonly [K in keyof Relationship]: Relationship[K] };

/** Field by field: V8 takes several times as long for a spread of this many. */
export function draftOf(state: Relationship): Draft {
  return {
    key: state.key,
    brand: state.brand,
    person: state.person,
    guest: state.guest,
    links: state.links,
    money: state.money,
    presence: state.presence,
    recent: state.recent,
    lastAt: state.lastAt,
    knownSince: state.knownSince,
    settledRelatedSince: state.settledRelatedSince,
    standings: state.standings,
    evaluatedAt: state.evaluatedAt,
    dueAt: state.dueAt,
    rulesHash: state.rulesHash,
    zones: state.zones,
  };
}

/**
 * The canonical events of the relationship log: what intake has accepted, and the control records.
 * Times are milliseconds since the epoch (UTC); money is an integer in minor units of the brand's currency.
 */

/** A place of the private domain 场. The list is open; these are the ones FAST+ names. */
export const KNOWN_CHANNELS = [
  'shop',
  'group',
  'live',
  'dedicated_cs',
  'mini_program',
  'subscription',
  'member_center',
  'official_account',
  'wecom',
  'guide',
  'store_offline',
] as const;
export type Channel = string;
/** The name under which figures over all channels are kept. No event may use it as its channel. */
export const ALL_CHANNELS = 'all';
export const DEFAULT_CHANNEL: Channel = 'shop';

export const LINK_KINDS = [
  'MEMBER',
  'SHOP_FAN',
  'LIVE_FOLLOW',
  'GROUP',
  'DEDICATED_CS',
  'SUBSCRIPTION',
  'MINI_PROGRAM',
] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

export const VISIT_SURFACES = [
  'PAGE',
  'ITEM',
  'LIVE_VIEW',
  'MINI_PROGRAM',
  'GROUP',
  'MESSAGE_OPENED',
] as const;
export type VisitSurface = (typeof VISIT_SURFACES)[number];

export const ENGAGEMENT_ACTIONS = [
  'COMMENT',
  'LIKE',
  'ITEM_CLICK',
  'GROUP_MESSAGE',
  'CHECK_IN',
  'COUPON_CLAIMED',
  'COUPON_USED',
  'CHAT_OPENED',
  'CART',
  'FAVOURITE',
] as const;
export type EngagementAction = (typeof ENGAGEMENT_ACTIONS)[number];

/**
 * What is recorded about a person and is no link, visit, activity or money (docs/adr/0003). Only REACH is read by a
 * figure of today, Capital that can be reached (docs/adr/0004).
 */
export const NOTE_KINDS = [
  /** Messages may (or, off, may not) be sent to the person in this channel. */
  'REACH',
  /** The person, an owner of a shop, has this manager. */
  'MANAGER',
  /** The person has this role. */
  'ROLE',
  /** The person, a shopping guide 导购, logged in. */
  'GUIDE_LOGGED_IN',
  /** A message of the brand reached the person. */
  'MESSAGE_DELIVERED',
] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

/** What persons are to a brand beside customers, and the managers that owners of shops have. */
export const ROLES = [
  'GUIDE',
  'DISTRIBUTOR',
  'AGENT',
  'PARTNER',
  'CUSTOMER_MANAGER',
  'SERVICE_MANAGER',
] as const;
export type Role = (typeof ROLES)[number];

/** How a record came in: live traffic, a replay of recorded data, or an import beside live traffic. */
export type Origin = 'LIVE' | 'REPLAY' | 'BACKFILL';

/** What every accepted touchpoint carries. */
export interface TouchpointHead {
  readonly eventId: string;
  readonly brand: string;
  /** Pseudonym of the person; `order:<order id>` for a guest. */
  readonly person: string;
  /** A guest's order counts in money and orders, never as person, visitor or buyer. */
  readonly guest: boolean;
  readonly channel: Channel;
  /** Event time, corrected for clock skew where `clockShiftMs` is not 0. */
  readonly at: number;
  /** The broker's append time of the source record. */
  readonly arrivedAt: number;
  readonly clockShiftMs: number;
  /** 52-bit hash over the content; of two records with one id the smaller (at, contentHash) wins. */
  readonly contentHash: number;
  readonly origin: Origin;
  /** Where the person came from (a campaign tag, a public-domain feed, a search, …), null when unknown. */
  readonly entrySource: string | null;
  readonly campaign: string | null;
  /** The brand's own staff and bots are never visitors or active. Absent means false. */
  readonly staffOrBot?: boolean;
}

export interface LinkChanged extends TouchpointHead {
  readonly type: 'link';
  readonly link: LinkKind;
  readonly on: boolean;
  readonly groupKind: 'NORMAL' | 'MEMBER' | null;
  readonly inviter: string | null;
}

export interface Visited extends TouchpointHead {
  readonly type: 'visit';
  readonly surface: VisitSurface;
  readonly publicDomain: boolean;
  readonly paid: boolean;
  readonly dwellMs: number | null;
  readonly itemId: string | null;
  readonly roomId: string | null;
  readonly shareId: string | null;
}

export interface Engaged extends TouchpointHead {
  readonly type: 'engagement';
  readonly action: EngagementAction;
  readonly itemId: string | null;
  readonly roomId: string | null;
  readonly groupId: string | null;
}

/** A payment. A presale counts at its balance payment; its deposit is `PresaleDeposited`. */
export interface OrderPaid extends TouchpointHead {
  readonly type: 'orderPaid';
  readonly orderId: string;
  readonly lineId: string;
  /** ≥ 0. */
  readonly amountMinor: number;
  readonly presaleBalance: boolean;
  readonly itemId: string | null;
  readonly quantity: number | null;
  readonly shareId: string | null;
}

export interface OrderRefunded extends TouchpointHead {
  readonly type: 'orderRefunded';
  /** Null or unknown to us: money only, never a day. */
  readonly orderId: string | null;
  /** Null: the refund is for the order as a whole. */
  readonly lineId: string | null;
  readonly refundId: string;
  /** ≥ 0, what went back to the person. */
  readonly amountMinor: number;
  /** Said by the source to be the full refund of the order (or of the line, where one is named). */
  readonly full: boolean;
}

export interface PresaleDeposited extends TouchpointHead {
  readonly type: 'presaleDeposit';
  readonly orderId: string;
  readonly lineId: string;
  readonly amountMinor: number;
}

export interface Reviewed extends TouchpointHead {
  readonly type: 'review';
  readonly orderId: string | null;
  readonly itemId: string | null;
  readonly stars: number | null;
  readonly positive: boolean | null;
  readonly deleted: boolean;
}

export interface ContentShared extends TouchpointHead {
  readonly type: 'shared';
  readonly shareId: string;
  readonly itemId: string | null;
  readonly content: string | null;
}

export interface ShareClicked extends TouchpointHead {
  readonly type: 'shareClicked';
  readonly shareId: string;
  readonly sharer: string | null;
  readonly itemId: string | null;
}

/** Recorded; only REACH is folded. */
export interface Noted extends TouchpointHead {
  readonly type: 'note';
  readonly note: NoteKind;
  /** False: it ended. Always true of what happens at an instant. */
  readonly on: boolean;
  /** Of MANAGER and ROLE. */
  readonly role: Role | null;
  /** Of MANAGER: pseudonym of the manager. */
  readonly assignee: string | null;
  /** Of ROLE: pseudonym of the person who recruited. */
  readonly inviter: string | null;
}

/** What the fold steps over persons with. */
export type FoldedTouchpoint =
  | LinkChanged
  | Visited
  | Engaged
  | OrderPaid
  | OrderRefunded
  | PresaleDeposited
  | Reviewed
  | ContentShared
  | ShareClicked;

export type Touchpoint = FoldedTouchpoint | Noted;

/** Moves the watermark of its partition to `at`. Nothing else does. */
export interface Tick {
  readonly type: 'tick';
  readonly at: number;
  /** Broker or replay time at which the tick was written; becomes `detected_at` of what it causes. */
  readonly arrivedAt: number;
}

/** From here on the partition is folded by these rules. */
export interface RulesSet {
  readonly type: 'rulesSet';
  /** JSON text of `Rules`; parsed and validated by `parseRules`. */
  readonly rulesJson: string;
  readonly arrivedAt: number;
}

/** Starts an epoch; the first record of every partition of a log. */
export interface EpochRaised {
  readonly type: 'epochRaised';
  readonly epoch: number;
  readonly generation: number;
  /** UUID of the log. */
  readonly logId: string;
  readonly arrivedAt: number;
}

/** A signed difference for a sharer, sent by the partition of the person who bought. */
export interface Credit {
  readonly type: 'credit';
  readonly brand: string;
  readonly person: string;
  readonly generation: number;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
  readonly ordinal: number;
  readonly at: number;
  readonly arrivedAt: number;
  readonly shareId: string;
  readonly causeEventId: string;
  readonly amountMinor: number;
  readonly conversions: number;
}

export type LogEntry = Touchpoint | Tick | RulesSet | EpochRaised | Credit;

/** Key of a person's state, and of the person's records in the log. */
export function personKey(brand: string, person: string): string {
  return `${brand}\0${person}`;
}

export function guestPerson(orderId: string): string {
  return `order:${orderId}`;
}

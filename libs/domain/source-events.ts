/**
 * Source events: what producers send, one shape per source topic, before intake has judged it.
 * Times are milliseconds since the epoch; money is an integer in minor units of the brand's currency.
 */
import {
  ENGAGEMENT_ACTIONS,
  LINK_KINDS,
  type Channel,
  type Origin,
  type Role,
  type VisitSurface,
} from './events.js';

/** What the reader makes of an enum symbol that is newer than itself. */
export const UNKNOWN_SYMBOL = 'UNKNOWN';
export type Unknown = typeof UNKNOWN_SYMBOL;

/** Staff and bots act like customers but are no visitors. */
export const ACTORS = ['CUSTOMER', 'STAFF', 'BOT'] as const;
export type Actor = (typeof ACTORS)[number];

export const GROUP_KINDS = ['NORMAL', 'MEMBER'] as const;
export type GroupKind = (typeof GROUP_KINDS)[number];

/** What begins and ends on the relation topic. IDENTITY and ERASURE can be said, but are not acted upon yet. */
export const RELATION_KINDS = [...LINK_KINDS, 'REACH', 'MANAGER', 'ROLE', 'IDENTITY', 'ERASURE'] as const;
export type RelationKind = (typeof RELATION_KINDS)[number];

/** What is done at an instant on the engagement topic, by the person or, for the last two, about the person. */
export const SOURCE_ACTIONS = [...ENGAGEMENT_ACTIONS, 'GUIDE_LOGGED_IN', 'MESSAGE_DELIVERED'] as const;
export type SourceAction = (typeof SOURCE_ACTIONS)[number];

export const ORDER_KINDS = [
  'PAID',
  'REFUNDED',
  'DEPOSIT_PAID',
  'BALANCE_PAID',
  'REVIEW_POSTED',
  'REVIEW_DELETED',
] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];

export const SHARE_KINDS = ['SHARED', 'CLICKED'] as const;
export type ShareKind = (typeof SHARE_KINDS)[number];

export const CONTENT_KINDS = [
  'ITEM',
  'LIVE',
  'SHORT_VIDEO',
  'MINI_PROGRAM',
  'ARTICLE',
  'COUPON',
  'GROUP',
  'OTHER',
] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];

/** 好友裂变, 群裂变, 任务裂变. */
export const FISSION_FORMS = ['FRIEND', 'GROUP', 'TASK'] as const;
export type FissionForm = (typeof FISSION_FORMS)[number];

/** What every source event may carry; null where the producer does not know. */
export interface SourceHead {
  readonly eventId: string;
  readonly brand: string;
  /** Null: a guest. Only an order may have none. */
  readonly person: string | null;
  /** Null: `shop`. */
  readonly channel: Channel | null;
  readonly occurredAt: number;
  /** The producer's clock when it sent the record. */
  readonly sentAt: number;
  readonly origin: Origin;
  readonly actor: Actor;
  readonly campaign: string | null;
  readonly entrySource: string | null;
  /** The person came from the public domain 公域. */
  readonly publicDomain: boolean;
  /** The person came by a paid placement. */
  readonly paid: boolean;
  /** A tag such as 拼團, 砍價, 優惠券贈送, 返傭獎勵. */
  readonly mechanism: string | null;
  /** The shopping guide 导购 or manager who took part: an order with one is a sale of that guide. */
  readonly guide: string | null;
  /** The share that led here. */
  readonly shareId: string | null;
  readonly itemId: string | null;
  readonly roomId: string | null;
  readonly groupId: string | null;
  /** An article, a short video, a mini-program page, a message. */
  readonly contentId: string | null;
}

export interface SourceRelation extends SourceHead {
  readonly type: 'relation';
  readonly link: RelationKind | Unknown;
  /** True: it came to be. False: it ended. */
  readonly on: boolean;
  readonly groupKind: GroupKind | Unknown | null;
  readonly inviter: string | null;
  /** Of MANAGER and ROLE. */
  readonly role: Role | Unknown | null;
  /** Of MANAGER: the manager, a person like any other. */
  readonly assignee: string | null;
  /** Of IDENTITY: the other id of the same person. */
  readonly linkedPerson: string | null;
}

export interface SourceVisit extends SourceHead {
  readonly type: 'visit';
  readonly surface: VisitSurface | Unknown;
  readonly dwellMs: number | null;
}

export interface SourceEngagement extends SourceHead {
  readonly type: 'engagement';
  readonly action: SourceAction | Unknown;
  readonly couponId: string | null;
}

export interface SourceOrder extends SourceHead {
  readonly type: 'order';
  readonly kind: OrderKind | Unknown;
  readonly orderId: string | null;
  readonly lineId: string | null;
  readonly refundId: string | null;
  /** Null only on reviews. */
  readonly amountMinor: number | null;
  /** Null: the brand's. */
  readonly currency: string | null;
  readonly quantity: number | null;
  /** On a refund: the source says that it is the full one. */
  readonly full: boolean;
  readonly reviewId: string | null;
  /** 0–5. */
  readonly stars: number | null;
  /** The platform's own judgement of a review. */
  readonly positive: boolean | null;
}

export interface SourceShare extends SourceHead {
  readonly type: 'share';
  readonly kind: ShareKind | Unknown;
  readonly sharer: string | null;
  /** The share by which the sharer had come. */
  readonly parentShareId: string | null;
  readonly contentKind: ContentKind | Unknown | null;
  readonly fissionForm: FissionForm | Unknown | null;
}

export type SourceTouchpoint = SourceRelation | SourceVisit | SourceEngagement | SourceOrder | SourceShare;

/** Where a source record was read. */
export interface SourcePosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * What an accepted touchpoint says beyond what the fold reads: kept in the log and in the raw facts for finer
 * analysis and for rules to come. Null (or false) where the event does not have it.
 */
export interface TouchpointDetail {
  readonly actor: Actor;
  readonly publicDomain: boolean;
  readonly paid: boolean;
  readonly mechanism: string | null;
  readonly guide: string | null;
  readonly shareId: string | null;
  readonly itemId: string | null;
  readonly roomId: string | null;
  readonly groupId: string | null;
  readonly contentId: string | null;
  readonly couponId: string | null;
  readonly quantity: number | null;
  readonly reviewId: string | null;
  readonly parentShareId: string | null;
  readonly contentKind: ContentKind | null;
  readonly fissionForm: FissionForm | null;
}

/** The invented brands, and what differs between their channels. Every number here is made up. */
import type { Channel, EngagementAction, LinkKind, VisitSurface } from '#domain';

export interface ChannelHabits {
  readonly channel: Channel;
  readonly surface: VisitSurface;
  /** The relation that one gets here. */
  readonly link: LinkKind;
  /** Share of sessions. */
  readonly weight: number;
  /** Probability that a visitor without the channel's link takes it in a session. */
  readonly linkRate: number;
  /** Probability that a visitor does something beyond looking. */
  readonly activeRate: number;
  readonly buyRate: number;
  readonly actions: readonly EngagementAction[];
}

export const CHANNELS: readonly ChannelHabits[] = [
  {
    channel: 'shop',
    surface: 'ITEM',
    link: 'SHOP_FAN',
    weight: 34,
    linkRate: 0.05,
    activeRate: 0.28,
    buyRate: 0.045,
    actions: ['CART', 'FAVOURITE', 'ITEM_CLICK', 'COUPON_CLAIMED'],
  },
  {
    channel: 'live',
    surface: 'LIVE_VIEW',
    link: 'LIVE_FOLLOW',
    weight: 30,
    linkRate: 0.07,
    activeRate: 0.42,
    buyRate: 0.06,
    actions: ['COMMENT', 'LIKE', 'LIKE', 'ITEM_CLICK'],
  },
  {
    channel: 'group',
    surface: 'GROUP',
    link: 'GROUP',
    weight: 12,
    linkRate: 0.2,
    activeRate: 0.5,
    buyRate: 0.08,
    actions: ['GROUP_MESSAGE', 'CHECK_IN', 'COUPON_CLAIMED'],
  },
  {
    channel: 'mini_program',
    surface: 'MINI_PROGRAM',
    link: 'MINI_PROGRAM',
    weight: 14,
    linkRate: 0.06,
    activeRate: 0.25,
    buyRate: 0.035,
    actions: ['ITEM_CLICK', 'CART', 'COUPON_USED'],
  },
  {
    channel: 'subscription',
    surface: 'MESSAGE_OPENED',
    link: 'SUBSCRIPTION',
    weight: 7,
    linkRate: 0.1,
    activeRate: 0.15,
    buyRate: 0.015,
    actions: ['ITEM_CLICK', 'LIKE'],
  },
  {
    channel: 'dedicated_cs',
    surface: 'PAGE',
    link: 'DEDICATED_CS',
    weight: 3,
    linkRate: 0.25,
    activeRate: 0.9,
    buyRate: 0.12,
    actions: ['CHAT_OPENED'],
  },
];

export interface Brand {
  readonly brand: string;
  /** Share of all sessions. */
  readonly weight: number;
  /** Persons who may turn up. */
  readonly persons: number;
  /** Median price of an order line, minor units. */
  readonly priceMinor: number;
}

export const BRANDS: readonly Brand[] = [
  { brand: 'yunshang', weight: 6, persons: 14_000, priceMinor: 15_900 },
  { brand: 'qinghe', weight: 3, persons: 7_000, priceMinor: 32_900 },
  { brand: 'mori', weight: 1, persons: 3_000, priceMinor: 8_900 },
];

/** Where sessions come from, and whether that was paid for. */
export const SOURCES: readonly (readonly [
  { readonly source: string; readonly isPaid: boolean; readonly isPublic: boolean },
  number,
])[] = [
  [{ source: 'direct', isPaid: false, isPublic: false }, 40],
  [{ source: 'search', isPaid: false, isPublic: true }, 20],
  [{ source: 'recommendation', isPaid: false, isPublic: true }, 18],
  [{ source: 'feed_ad', isPaid: true, isPublic: true }, 14],
  [{ source: 'search_ad', isPaid: true, isPublic: true }, 8],
];

export const CAMPAIGN = 'double11';

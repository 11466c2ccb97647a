/** What the fold asks of the rolling windows, and what it records for them. */
import type { Channel } from './events.js';

/** [from, to) in ms; `to` is Infinity while it lasts. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The live times of one person's links in one channel: sorted, disjoint, not touching. */
export interface ChannelLinks {
  readonly channel: Channel;
  readonly spans: readonly Span[];
}

/** Everything of a person's links that the figures need. */
export interface LinkView {
  /** Union over all links of the person: the relation, brand-wide. Sorted, disjoint. */
  readonly any: readonly Span[];
  readonly byChannel: readonly ChannelLinks[];
  /** What is left of both while messages are not declined; null: everything. */
  readonly reachable: ReachableLinks | null;
}

/** Links by which a person may be written to. */
export type ReachableLinks = Omit<LinkView, 'reachable'>;

export const NO_LINKS: LinkView = { any: [], byChannel: [], reachable: null };

/** A money movement in a channel. Counted for guests too. */
export interface MoneyChange {
  readonly brand: string;
  readonly channel: Channel;
  readonly at: number;
  /** Differences: −1/−amount when a record is replaced by an earlier one of the same id. */
  readonly orders: number;
  readonly grossMinor: number;
  readonly refundMinor: number;
}

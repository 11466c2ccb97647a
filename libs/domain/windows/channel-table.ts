import type { Channel } from '../events.js';

/** Channels by code, in the order that somebody came to them. */
export type ChannelTable = readonly Channel[];

export const NO_CHANNELS: ChannelTable = [];

/** Tables shared at most: channels are free text. */
const SHARED_MAX = 4_096;

const wider = new Map<ChannelTable, Map<Channel, ChannelTable>>();
let shared = 0;

/**
 * The table with one more channel. Mostly the one that others have too: there are few channels, and a table that
 * all share is in the cache when one's own would have to be fetched from memory.
 */
export function tableWith(table: ChannelTable, channel: Channel): ChannelTable {
  let of = wider.get(table);
  const known = of?.get(channel);
  if (known !== undefined) return known;
  const added: ChannelTable = [...table, channel];
  if (shared >= SHARED_MAX) return added;
  if (of === undefined) {
    of = new Map();
    wider.set(table, of);
  }
  of.set(channel, added);
  shared++;
  return added;
}

/** The presence records of a person that a differing record of the same id might still correct. */
import type { Channel } from './events.js';
import type { RecentPresence } from './relationship.js';
import { byChannel, thinnedPresence, type PersonPresence } from './windows/presence.js';
import type { WindowGrid } from './windows/window-grid.js';

/** Records kept per person at most; a person with more in one lateness is a machine. */
export const RECENT_MAX = 1_024;

/** From the end: a repetition mostly follows soon. */
export function findRecent(recent: readonly RecentPresence[], eventId: string): RecentPresence | undefined {
  for (let i = recent.length - 1; i >= 0; i--) {
    const known = recent[i];
    if (known?.eventId === eventId) return known;
  }
  return undefined;
}

/**
 * Keeps the record, unless it is older than `from` (ms): then no window would follow a correction to all its
 * ends anyway. What is older than `from` is left out.
 */
export function withRecent(
  recent: readonly RecentPresence[],
  record: RecentPresence,
  from: number,
): readonly RecentPresence[] {
  let first = 0;
  while ((recent[first]?.at ?? Infinity) < from) first++;
  const kept = recent.slice(first);
  if (record.at < from) return first === 0 ? recent : kept;
  let place = kept.length;
  while (place > 0 && precedes(record, kept[place - 1])) place--;
  if (place === kept.length) kept.push(record);
  else kept.splice(place, 0, record);
  if (kept.length > RECENT_MAX) kept.shift();
  return kept;
}

export function withoutRecent(recent: readonly RecentPresence[], eventId: string): readonly RecentPresence[] {
  return recent.filter((record) => record.eventId !== eventId);
}

function precedes(a: RecentPresence, b: RecentPresence | undefined): boolean {
  return b !== undefined && (a.at < b.at || (a.at === b.at && a.eventId < b.eventId));
}

/**
 * The presence as if `retracted` had not been. Its grain goes unless another record stands for it; grains that
 * had been thinned away for its sake come back from the records that are still known.
 * @param recent   the records without the retracted one
 */
export function withoutPresence(
  presence: PersonPresence,
  retracted: RecentPresence,
  recent: readonly RecentPresence[],
  grid: WindowGrid,
): PersonPresence {
  const { channel } = retracted;
  const own = presence.channels.find((one) => one.channel === channel);
  if (own === undefined) return presence;
  const grain = Math.floor(retracted.at / grid.grainMs);
  const rebuilt = (grains: readonly number[], records: readonly RecentPresence[]): readonly number[] => {
    const all = new Set(grains);
    all.delete(grain);
    for (const { at } of records) all.add(Math.floor(at / grid.grainMs));
    return [...all].sort((a, b) => a - b);
  };
  const others = presence.channels.filter((one) => one !== own);
  const records = recent.filter((record) => record.channel === channel);
  const visits = rebuilt(own.visits, records);
  const actives = retracted.active
    ? rebuilt(
        own.actives,
        records.filter(({ active }) => active),
      )
    : own.actives;
  const channels = visits.length === 0 ? others : [...others, ownPresence(channel, visits, actives)];
  return thinnedPresence({ channels: channels.sort(byChannel) }, grid);
}

function ownPresence(channel: Channel, visits: readonly number[], actives: readonly number[]) {
  return { channel, visits, actives };
}

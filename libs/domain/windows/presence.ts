/** When a person was seen in each channel, in grains of the finest slide. */
import type { Channel } from '../events.js';
import type { LinkView } from '../window-port.js';
import { NO_CHANNELS, tableWith, type ChannelTable } from './channel-table.js';

/** Distinct grains in ascending order; grain = floor(at / finest slide). */
export type Grains = readonly number[];

/** Numbers of a moment in `PersonPresence.moments`: its grain, then its mark. */
export const MOMENT = 2;

/** Instead of a channel's code: all of them. */
export const ANY_CHANNEL = -1;

/** Numbers there is room for before the first thinning. */
const ROOM_FIRST = 16 * MOMENT;

/**
 * One person's presence, all channels in one list: the neighbours of a moment, in its channel and in all, lie
 * close to it. Immutable, though versions share one array: each sees its own beginning of it, and the newest may
 * append behind that. (A copy for every event would cost busy persons more than all the rest.)
 */
export class PersonPresence {
  /** Not part of the value: a restored presence equals one that knows of them. */
  readonly #lasting: LinkView | null;

  /**
   * @param channels   by code
   * @param moments   [grain, mark, grain, mark, …) by ascending grain; mark = 2 · code + (1 where active). Of one
   *   channel and grain there may be a visit and then an active moment
   * @param length   numbers in `moments` that are this version's. Once thinned (`thinnedPresence`) at most
   *   1 + L₁/s₁ + (L₂ − L₁)/s₂ + … and one for each horizon that cuts a coarser slide of each channel and kind,
   *   193 for the default windows, behind the watermark, and the grains that it trails by
   * @param room   the length from which on thinning is worth a look
   * @param lasting   links that were live, without end, by the newest moment: under them every later one is related
   *   at all its ends, and they need not be fetched from memory to see it. Null where that is not known
   */
  constructor(
    readonly channels: ChannelTable,
    readonly moments: number[],
    readonly length: number,
    readonly room: number,
    lasting: LinkView | null = null,
  ) {
    this.#lasting = lasting;
  }

  get lasting(): LinkView | null {
    return this.#lasting;
  }
}

export const NO_PRESENCE = new PersonPresence(NO_CHANNELS, [], 0, ROOM_FIRST);

/** The code of `channel` in the table; −1 where it is not there. */
export function codeOf(channels: ChannelTable, channel: Channel): number {
  for (let code = 0; code < channels.length; code++) if (channels[code] === channel) return code;
  return -1;
}

/** Whether a moment with that mark is of this channel (or `ANY_CHANNEL`), and at least so active. */
export function isOf(mark: number, code: number, active: 0 | 1): boolean {
  return (code === ANY_CHANNEL || mark >> 1 === code) && (mark & 1) >= active;
}

/** Distinct grains of one channel, or of `ANY_CHANNEL`. */
export function grainsOf({ moments, length }: PersonPresence, code: number, active: 0 | 1): Grains {
  const grains: number[] = [];
  for (let at = 0; at < length; at += MOMENT) {
    const grain = moments[at] ?? 0;
    if (isOf(moments[at + 1] ?? 0, code, active) && grains[grains.length - 1] !== grain) grains.push(grain);
  }
  return grains;
}

/** The index behind all moments up to `grain`. From the end: most events are the newest of their person. */
export function placeOf(moments: readonly number[], length: number, grain: number): number {
  let place = length;
  while (place > 0 && (moments[place - MOMENT] ?? 0) > grain) place -= MOMENT;
  return place;
}

/** The presence with this moment, whatever that means for the figures; `place` is that of its grain. */
export function withInserted(
  presence: PersonPresence,
  place: number,
  grain: number,
  channel: Channel,
  active: 0 | 1,
  lasting: LinkView | null = null,
): PersonPresence {
  const { channels, length, room } = presence;
  const known = codeOf(channels, channel);
  const table = known < 0 ? tableWith(channels, channel) : channels;
  const mark = 2 * (known < 0 ? channels.length : known) + active;
  const moments = inserted(presence.moments, length, place, grain, mark);
  return new PersonPresence(table, moments, length + MOMENT, room, lasting);
}

function inserted(moments: number[], length: number, place: number, grain: number, mark: number): number[] {
  if (place === length && length < moments.length && moments[length] === undefined) {
    // Behind the end of every version that there is.
    moments[length] = grain;
    moments[length + 1] = mark;
    return moments;
  }
  const longer = new Array<number>(capacityFor(length + MOMENT));
  for (let at = 0; at < place; at++) longer[at] = moments[at] ?? 0;
  longer[place] = grain;
  longer[place + 1] = mark;
  for (let at = place; at < length; at++) longer[at + MOMENT] = moments[at] ?? 0;
  return longer;
}

/** Half as much again, and little for the many who come once or twice. */
function capacityFor(length: number): number {
  return length <= 2 * MOMENT ? 2 * MOMENT : MOMENT * Math.ceil((0.75 * length) / MOMENT) * 2;
}

/** The presence without what stands for this moment; an active one stays where only a visit is taken away. */
export function withoutMoment(
  presence: PersonPresence,
  channel: Channel,
  grain: number,
  active: boolean,
): PersonPresence {
  const { channels, moments, length } = presence;
  const code = codeOf(channels, channel);
  const left: number[] = [];
  for (let at = 0; at < length; at += MOMENT) {
    const mark = moments[at + 1] ?? 0;
    const isIt = moments[at] === grain && isOf(mark, code, 0);
    if (isIt && !active && (mark & 1) === 1) return presence;
    if (!isIt) left.push(moments[at] ?? 0, mark);
  }
  return left.length === length ? presence : presenceOf(channels, left);
}

/** The presence with this moment too. */
export function withMoment(
  presence: PersonPresence,
  channel: Channel,
  grain: number,
  active: boolean,
): PersonPresence {
  const place = placeOf(presence.moments, presence.length, grain);
  const code = codeOf(presence.channels, channel);
  if (code >= 0 && isKnown(presence, place, grain, code, active ? 1 : 0)) return presence;
  return withInserted(presence, place, grain, channel, active ? 1 : 0);
}

/** Whether this channel's grain has a moment that is at least so active; `place` is that of the grain. */
export function isKnown(
  { moments }: PersonPresence,
  place: number,
  grain: number,
  code: number,
  active: 0 | 1,
): boolean {
  for (let at = place - MOMENT; at >= 0 && moments[at] === grain; at -= MOMENT) {
    if (isOf(moments[at + 1] ?? 0, code, active)) return true;
  }
  return false;
}

/** The presence without what was before `grain`. */
export function presenceSince(presence: PersonPresence, grain: number): PersonPresence {
  const { channels, moments, length } = presence;
  if (length === 0 || (moments[0] ?? 0) >= grain) return presence;
  return presenceOf(channels, moments.slice(placeOf(moments, length, grain - 1), length));
}

/** Presence of exactly `moments`, with codes for the channels that are in them and no others. */
export function presenceOf(channels: ChannelTable, moments: number[]): PersonPresence {
  if (moments.length === 0) return NO_PRESENCE;
  const room = Math.max(ROOM_FIRST, MOMENT * Math.ceil((1.5 * moments.length) / MOMENT));
  const isUsed = channels.map(() => false);
  for (let at = 1; at < moments.length; at += MOMENT) isUsed[(moments[at] ?? 0) >> 1] = true;
  if (isUsed.every(Boolean)) return new PersonPresence(channels, moments, moments.length, room);
  const used = channels.filter((_, code) => isUsed[code]);
  const codes = channels.map((channel) => used.indexOf(channel));
  const recoded = moments.map((value, at) =>
    at % MOMENT === 0 ? value : 2 * (codes[value >> 1] ?? 0) + (value & 1),
  );
  return new PersonPresence(used.reduce(tableWith, NO_CHANNELS), recoded, recoded.length, room);
}

import type { Channel } from '../events.js';
import { NO_CHANNELS, tableWith } from './channel-table.js';
import { MOMENT, presenceOf, type PersonPresence } from './presence.js';

/** Stored form: of one channel the first grain and then the steps to the next, of visits and of active moments. */
export interface ChannelSteps {
  readonly channel: Channel;
  readonly visits: readonly number[];
  readonly actives: readonly number[];
}

/** By channel. Equal moments give equal steps, in whatever order they came. */
export function stepsOf({ channels, moments, length }: PersonPresence): readonly ChannelSteps[] {
  // By 2 · code for visits, 2 · code + 1 for active moments.
  const steps = channels.flatMap((): number[][] => [[], []]);
  const last = steps.map(() => 0);
  for (let at = 0; at < length; at += MOMENT) {
    const grain = moments[at] ?? 0;
    const mark = moments[at + 1] ?? 0;
    for (let list = mark & ~1; list <= mark; list++) {
      const own = steps[list];
      // A visit, and an active moment in the same grain: one grain.
      if (own === undefined || (own.length > 0 && last[list] === grain)) continue;
      own.push(grain - (last[list] ?? 0));
      last[list] = grain;
    }
  }
  const all = channels.map((channel, code) => {
    return { channel, visits: steps[2 * code] ?? [], actives: steps[2 * code + 1] ?? [] };
  });
  return all.length < 2 ? all : all.sort((a, b) => (a.channel < b.channel ? -1 : 1));
}

/** Every active moment is read as a visit too: there are states in which it had been thinned away as one. */
export function presenceFromSteps(all: readonly ChannelSteps[]): PersonPresence {
  let channels = NO_CHANNELS;
  let moments: number[] = [];
  for (const { channel, visits, actives } of all) {
    moments = merged(moments, momentsOf(visits, actives, channels.length));
    channels = tableWith(channels, channel);
  }
  return presenceOf(channels, moments);
}

/** One channel's moments from its two lists of steps. */
function momentsOf(visits: readonly number[], actives: readonly number[], code: number): number[] {
  const moments: number[] = [];
  let v = 0;
  let a = 0;
  let visit = visits[0] ?? Infinity;
  let active = actives[0] ?? Infinity;
  while (v < visits.length || a < actives.length) {
    const grain = Math.min(visit, active);
    const isActive = active === grain;
    moments.push(grain, 2 * code + (isActive ? 1 : 0));
    if (visit === grain) visit += visits[++v] ?? Infinity;
    if (isActive) active += actives[++a] ?? Infinity;
  }
  return moments;
}

function merged(one: number[], other: number[]): number[] {
  if (one.length === 0) return other;
  const moments: number[] = [];
  let o = 0;
  for (let at = 0; at < one.length; at += MOMENT) {
    const grain = one[at] ?? 0;
    for (; o < other.length && (other[o] ?? 0) < grain; o += MOMENT)
      moments.push(other[o] ?? 0, other[o + 1] ?? 0);
    moments.push(grain, one[at + 1] ?? 0);
  }
  for (; o < other.length; o += MOMENT) moments.push(other[o] ?? 0, other[o + 1] ?? 0);
  return moments;
}

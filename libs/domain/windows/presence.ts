/** When a person was seen in each channel, in grains of the finest slide, thinned to what windows can still ask. */
import type { Channel } from '../events.js';
import type { WindowGrid } from './window-grid.js';

/** Distinct grains in ascending order; grain = floor(at / finest slide). */
export type Grains = readonly number[];

export interface ChannelPresence {
  readonly channel: Channel;
  /**
   * An active moment is a visit too, so `actives` ⊆ `visits` before thinning. Bound of each list behind the
   * watermark: 1 + L₁/s₁ + (L₂ − L₁)/s₂ + … and one for each horizon that cuts a coarser slide, 193 for the
   * default windows; ahead of it, the grains that the watermark trails by.
   */
  readonly visits: Grains;
  readonly actives: Grains;
}

/**
 * One person's presence. Sorted by channel. The union over channels is not kept: its neighbours and its
 * coverage follow from the channels' lists.
 */
export interface PersonPresence {
  readonly channels: readonly ChannelPresence[];
}

export const NO_PRESENCE: PersonPresence = { channels: [] };

/** Stored form: channel → [visits, actives], each the first grain and then the steps to the next. */
export type PresenceJson = Readonly<Record<string, readonly [readonly number[], readonly number[]]>>;

export function presenceToJson(presence: PersonPresence): PresenceJson {
  return Object.fromEntries(
    presence.channels.map(({ channel, visits, actives }) => [channel, [steps(visits), steps(actives)]]),
  );
}

export function presenceFromJson(json: PresenceJson): PersonPresence {
  const channels = Object.entries(json).map(([channel, [visits, actives]]) => ({
    channel,
    visits: sums(visits),
    actives: sums(actives),
  }));
  return channels.length === 0 ? NO_PRESENCE : { channels: channels.sort(byChannel) };
}

export function byChannel(a: { readonly channel: string }, b: { readonly channel: string }): number {
  return a.channel < b.channel ? -1 : a.channel > b.channel ? 1 : 0;
}

function steps(grains: Grains): number[] {
  return grains.map((grain, i) => grain - (grains[i - 1] ?? 0));
}

function sums(deltas: readonly number[]): number[] {
  let grain = 0;
  return deltas.map((delta) => (grain += delta));
}

/**
 * Leaves out what no end from the horizons on can ask for: younger than the first horizon all stays; between
 * two horizons the last grain of each coarser slide; older than the last horizon the single last grain. "Last",
 * because what is older than a window's horizon matters to it through its maximum only. Thinning at a later
 * watermark gives the same list whether or not it was thinned before.
 */
export function thinned(grains: Grains, grid: WindowGrid): Grains {
  const finest = grid.windows[0];
  const oldest = grains[0];
  if (finest === undefined || oldest === undefined || grains.length === 1) return grains;
  if (oldest >= finest.horizon * finest.grains) return grains;
  const kept: number[] = [];
  let zone = -1;
  let zoneKept = -1;
  let keptBucket = 0;
  for (let i = grains.length - 1; i >= 0; i--) {
    const grain = grains[i] ?? 0;
    zone = zoneOf(grain, grid, zone);
    const coarser = grid.windows[zone + 1];
    const bucket = coarser === undefined ? 0 : Math.floor(grain / coarser.grains);
    if (zone >= 0 && zone === zoneKept && bucket === keptBucket) continue;
    kept.push(grain);
    zoneKept = zone;
    keptBucket = bucket;
  }
  return kept.length === grains.length ? grains : kept.reverse();
}

/** The coarsest window behind whose horizon `grain` lies, −1 for none; at least `from`. */
function zoneOf(grain: number, grid: WindowGrid, from: number): number {
  let zone = from;
  for (;;) {
    const next = grid.windows[zone + 1];
    if (next === undefined || grain >= next.horizon * next.grains) return zone;
    zone++;
  }
}

/** `presence` as a touch at this watermark would leave it; the canonical form to compare states by. */
export function thinnedPresence(presence: PersonPresence, grid: WindowGrid): PersonPresence {
  let changed = false;
  const channels = presence.channels.map((of) => {
    const visits = thinned(of.visits, grid);
    const actives = thinned(of.actives, grid);
    if (visits === of.visits && actives === of.actives) return of;
    changed = true;
    return { channel: of.channel, visits, actives };
  });
  return changed ? { channels } : presence;
}

import { ALL_CHANNELS, type Channel } from '../events.js';
import type { LinkView, Span } from '../window-port.js';
import { addRelated } from './add-related.js';
import { bucketOf, insertedFrom, insertedTo } from './presence-insertion.js';
import {
  ANY_CHANNEL,
  codeOf,
  isKnown,
  isOf,
  MOMENT,
  placeOf,
  withInserted,
  type PersonPresence,
} from './presence.js';
import { thinnedPresence } from './thinned-presence.js';
import type { WindowChanges } from './window-changes.js';
import type { WindowContext, WindowGrid } from './window-grid.js';
import { AMONG_ACTIVE, AMONG_RELATED, AMONG_VISITORS, METRIC } from './window-metrics.js';

/**
 * The person was in `channel` at `at` (ms), `active` or only visiting. Records for each window the ends that
 * this adds (FAST+ Connection: visitors, active, and each among the related), in the channel and in all.
 * Constant work whatever the width of the windows (`presence-insertion.ts`).
 * @param links the person's links with all that is known up to this event
 * @returns the presence to keep; `presence` itself where nothing was new
 */
export function recordPresence(
  presence: PersonPresence,
  channel: Channel,
  at: number,
  active: boolean,
  links: LinkView,
  ctx: WindowContext,
  out: WindowChanges,
): PersonPresence {
  const { grid } = ctx;
  const grain = Math.floor(at / grid.grainMs);
  const place = placeOf(presence.moments, presence.length, grain);
  const known = codeOf(presence.channels, channel);
  if (known < 0 && channel === ALL_CHANNELS) {
    throw new RangeError(`no event may use "${ALL_CHANNELS}" as its channel`);
  }
  const code = known < 0 ? presence.channels.length : known;
  if (isKnown(presence, place, grain, code, active ? 1 : 0)) return presence;
  const among = active ? AMONG_VISITORS | AMONG_ACTIVE : AMONG_VISITORS;
  const isNewest = place === presence.length;
  const isLasting = isNewest && links === presence.lasting;
  const relation = isLasting ? 'all' : relationAt(links.any, grain, grid.grainMs);
  const counted = relation === 'all' ? among | AMONG_RELATED : among;
  const brand = out.brand(ctx.brand);
  const aggregate = out.channel(brand, channel);
  insert(aggregate, counted, presence, place, grain, code, out);
  // The union over channels has the nearest moment of any channel as its neighbour on either side.
  insert(brand.all, counted, presence, place, grain, ANY_CHANNEL, out);
  if (relation === 'some') {
    addPartlyRelated(aggregate, among, presence, place, grain, code, links.any, grid, out);
    addPartlyRelated(brand.all, among, presence, place, grain, ANY_CHANNEL, links.any, grid, out);
  }
  const lasting = isNewest && !isLasting ? lastingFrom(links, grain, grid.grainMs) : presence.lasting;
  const after = withInserted(presence, place, grain, channel, active ? 1 : 0, lasting);
  return after.length < after.room ? after : thinnedPresence(after, grid);
}

/** Records for one aggregate what the moment at `place` adds `among` visitors and active ones. */
function insert(
  aggregate: number,
  among: number,
  presence: PersonPresence,
  place: number,
  grain: number,
  code: number,
  out: WindowChanges,
): void {
  const before = grainBefore(presence, place, code, 0);
  const after = grainFrom(presence, place, code, 0);
  if ((among & AMONG_ACTIVE) === 0) {
    if (before !== grain) out.insert(aggregate, among, grain, before, after);
    return;
  }
  const activeBefore = grainBefore(presence, place, code, 1);
  const activeAfter = grainFrom(presence, place, code, 1);
  const isOne = before === activeBefore && after === activeAfter;
  if (before !== grain) out.insert(aggregate, isOne ? among : among & ~AMONG_ACTIVE, grain, before, after);
  if (activeBefore !== grain && !isOne) {
    out.insert(aggregate, among & ~AMONG_VISITORS, grain, activeBefore, activeAfter);
  }
}

/** The last grain before `place` of this channel that is at least so active; −Infinity if there is none. */
function grainBefore({ moments }: PersonPresence, place: number, code: number, active: 0 | 1): number {
  for (let at = place - MOMENT; at >= 0; at -= MOMENT) {
    if (isOf(moments[at + 1] ?? 0, code, active)) return moments[at] ?? 0;
  }
  return -Infinity;
}

/** The first grain from `place` on likewise; Infinity if there is none. */
function grainFrom({ moments, length }: PersonPresence, place: number, code: number, active: 0 | 1): number {
  for (let at = place; at < length; at += MOMENT) {
    if (isOf(moments[at + 1] ?? 0, code, active)) return moments[at] ?? 0;
  }
  return Infinity;
}

/**
 * At how many of the ends that a moment covers its person is related. All, where a link was live within the
 * moment's grain: every window that holds the moment holds an instant of the link then, as slides nest.
 */
function relationAt(links: readonly Span[], grain: number, grainMs: number): 'all' | 'some' | 'none' {
  if (links.length === 0) return 'none';
  const from = grain * grainMs;
  for (const link of links) {
    if (link.from < link.to && link.from < from + grainMs && link.to > from) return 'all';
  }
  return 'some';
}

/** The links, if they are live without end by the end of that grain. */
function lastingFrom(links: LinkView, grain: number, grainMs: number): LinkView | null {
  const last = links.any[links.any.length - 1];
  return last?.to === Infinity && last.from < (grain + 1) * grainMs ? links : null;
}

/** The related among what `insert` has recorded, end by end; for who came or went about that time. */
function addPartlyRelated(
  aggregate: number,
  among: number,
  presence: PersonPresence,
  place: number,
  grain: number,
  code: number,
  links: readonly Span[],
  grid: WindowGrid,
  out: WindowChanges,
): void {
  for (const active of KINDS) {
    if ((among & (active === 0 ? AMONG_VISITORS : AMONG_ACTIVE)) === 0) continue;
    const metric = active === 0 ? METRIC.visitorsRelated : METRIC.activeRelated;
    const before = grainBefore(presence, place, code, active);
    const after = grainFrom(presence, place, code, active);
    for (const window of grid.windows) {
      const bucket = bucketOf(window, grain);
      const from = insertedFrom(window, bucket, bucketOf(window, before));
      const to = insertedTo(window, bucket, bucketOf(window, after));
      addRelated(aggregate, metric, from, to, 1, links, window, out);
    }
  }
}

const KINDS = [0, 1] as const;

import { ALL_CHANNELS, type Channel } from '../events.js';
import type { LinkView, Span } from '../window-port.js';
import { relatedTo } from './coverage.js';
import { thinned, type ChannelPresence, type Grains, type PersonPresence } from './presence.js';
import type { WindowChanges } from './window-changes.js';
import type { GridWindow, WindowContext, WindowGrid } from './window-grid.js';
import { METRIC, type Metric } from './window-metrics.js';

/** The grains around a new one: `before` < new < `after`, infinite where there is none. */
interface Neighbours {
  readonly known: boolean;
  readonly before: number;
  readonly after: number;
}

interface Place {
  readonly aggregate: number;
  readonly all: number;
  readonly metric: Metric;
  readonly relatedMetric: Metric;
}

/**
 * The person was in `channel` at `at` (ms), `active` or only visiting. Records for each window the ends that
 * this adds (FAST+ Connection: visitors, active, and each among the related), in the channel and in all.
 *
 * A grain between its neighbours p < b < q adds exactly one span of ends, [max(b, p + n, h), min(b + n, q)):
 * the rest of [b, b + n) was covered already. Constant work whatever the width of the window. A fact older than
 * a window's lateness is clipped to the ends that are not final.
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
  if (channel === ALL_CHANNELS) throw new RangeError(`no event may use "${ALL_CHANNELS}" as its channel`);
  const { grid } = ctx;
  const grain = Math.floor(at / grid.grainMs);
  const index = positionOf(presence.channels, channel);
  const found = presence.channels[index];
  const own = found?.channel === channel ? found : undefined;
  const visits = recordKind(presence, own, 'visits', grain, ctx, channel, links, out);
  const actives = active
    ? recordKind(presence, own, 'actives', grain, ctx, channel, links, out)
    : (own?.actives ?? NO_GRAINS);
  if (own !== undefined && visits === own.visits && actives === own.actives) return presence;
  return {
    channels: presence.channels.toSpliced(index, own === undefined ? 0 : 1, { channel, visits, actives }),
  };
}

const NO_GRAINS: Grains = [];

type Kind = 'visits' | 'actives';

function recordKind(
  presence: PersonPresence,
  own: ChannelPresence | undefined,
  kind: Kind,
  grain: number,
  ctx: WindowContext,
  channel: Channel,
  links: LinkView,
  out: WindowChanges,
): Grains {
  const grains = own?.[kind] ?? NO_GRAINS;
  const position = insertionPoint(grains, grain);
  if (position > 0 && grains[position - 1] === grain) return grains;
  const inChannel: Neighbours = {
    known: false,
    before: position > 0 ? (grains[position - 1] ?? -Infinity) : -Infinity,
    after: grains[position] ?? Infinity,
  };
  const place = {
    aggregate: out.aggregate(ctx.brand, channel),
    all: out.allChannels(ctx.brand),
    metric: kind === 'visits' ? METRIC.visitors : METRIC.active,
    relatedMetric: kind === 'visits' ? METRIC.visitorsRelated : METRIC.activeRelated,
  };
  addSpans(
    grain,
    inChannel,
    neighboursInAll(presence, own, kind, grain, inChannel),
    place,
    links,
    ctx.grid,
    out,
  );
  return thinned(withInserted(grains, position, grain), ctx.grid);
}

function addSpans(
  grain: number,
  inChannel: Neighbours,
  inAll: Neighbours,
  place: Place,
  links: LinkView,
  grid: WindowGrid,
  out: WindowChanges,
): void {
  for (const window of grid.windows) {
    const bucket = Math.floor(grain / window.grains);
    if (bucket + window.ends <= window.horizon) continue;
    addSpan(bucket, inChannel, place.aggregate, place, links.any, window, out);
    if (!inAll.known) addSpan(bucket, inAll, place.all, place, links.any, window, out);
  }
}

function addSpan(
  bucket: number,
  neighbours: Neighbours,
  aggregate: number,
  place: Place,
  links: readonly Span[],
  window: GridWindow,
  out: WindowChanges,
): void {
  const previous = Math.floor(neighbours.before / window.grains);
  const next = Math.floor(neighbours.after / window.grains);
  if (previous === bucket || next === bucket) return;
  const from = Math.max(bucket, previous + window.ends, window.horizon);
  const to = Math.min(bucket + window.ends, next);
  if (from >= to) return;
  out.add(aggregate, window.index, place.metric, from, to, 1);
  // Where the ends of two links overlap, `cursor` keeps the person from counting twice.
  let cursor = from;
  for (const link of links) {
    if (link.to <= link.from) continue;
    const start = Math.max(cursor, Math.floor(link.from / window.slideMs));
    const end = Math.min(to, relatedTo(link.to, window));
    if (start >= end) continue;
    out.add(aggregate, window.index, place.relatedMetric, start, end, 1);
    cursor = end;
  }
}

// The union over channels has the nearest grain of any channel as its neighbour on either side.
function neighboursInAll(
  presence: PersonPresence,
  own: ChannelPresence | undefined,
  kind: Kind,
  grain: number,
  inChannel: Neighbours,
): Neighbours {
  if (presence.channels.length === (own === undefined ? 0 : 1)) return inChannel;
  let { known, before, after } = inChannel;
  for (const other of presence.channels) {
    if (other === own) continue;
    const grains = other[kind];
    const position = insertionPoint(grains, grain);
    const lower = grains[position - 1];
    const upper = grains[position];
    if (lower === grain) known = true;
    else if (lower !== undefined && lower > before) before = lower;
    if (upper !== undefined && upper < after) after = upper;
  }
  return { known, before, after };
}

/** Number of grains ≤ `grain`. From the end: most events are the newest of their person. */
function insertionPoint(grains: Grains, grain: number): number {
  let position = grains.length;
  while (position > 0 && (grains[position - 1] ?? 0) > grain) position--;
  return position;
}

function withInserted(grains: Grains, position: number, grain: number): Grains {
  const inserted = grains.slice();
  if (position === grains.length) inserted.push(grain);
  else inserted.splice(position, 0, grain);
  return inserted;
}

function positionOf(channels: readonly ChannelPresence[], channel: Channel): number {
  let position = 0;
  while (position < channels.length && (channels[position]?.channel ?? '') < channel) position++;
  return position;
}

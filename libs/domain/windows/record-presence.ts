import { ALL_CHANNELS, type Channel } from '../events.js';
import type { LinkView, Span } from '../window-port.js';
import { addRelated } from './add-related.js';
import { thinned, type ChannelPresence, type Grains, type PersonPresence } from './presence.js';
import type { WindowChanges } from './window-changes.js';
import type { WindowContext, WindowGrid } from './window-grid.js';
import { METRIC } from './window-metrics.js';

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
  let before = position > 0 ? (grains[position - 1] ?? -Infinity) : -Infinity;
  let after = position < grains.length ? (grains[position] ?? Infinity) : Infinity;
  addSpans(kind, grain, before, after, out.aggregate(ctx.brand, channel), links.any, ctx.grid, out);
  // The union over channels has the nearest grain of any channel as its neighbour on either side.
  for (const other of presence.channels) {
    const others = other[kind];
    if (other === own || others.length === 0) continue;
    const place = insertionPoint(others, grain);
    const lower = place > 0 ? (others[place - 1] ?? -Infinity) : -Infinity;
    before = Math.max(before, lower);
    if (place < others.length) after = Math.min(after, others[place] ?? Infinity);
  }
  addSpans(kind, grain, before, after, out.allChannels(ctx.brand), links.any, ctx.grid, out);
  return thinned(withInserted(grains, position, grain), ctx.grid);
}

/**
 * What a new grain between the grains `before` and `after` (infinite where there is none) adds to an aggregate.
 * Nothing where one of them is of the same bucket.
 */
function addSpans(
  kind: Kind,
  grain: number,
  before: number,
  after: number,
  aggregate: number,
  links: readonly Span[],
  grid: WindowGrid,
  out: WindowChanges,
): void {
  const metric = kind === 'visits' ? METRIC.visitors : METRIC.active;
  const relatedMetric = kind === 'visits' ? METRIC.visitorsRelated : METRIC.activeRelated;
  for (const window of grid.windows) {
    const bucket = Math.floor(grain / window.grains);
    const previous = Math.floor(before / window.grains);
    const next = Math.floor(after / window.grains);
    const from = Math.max(bucket, previous + window.ends, window.horizon);
    const to = Math.min(bucket + window.ends, next);
    if (from >= to) continue;
    out.add(aggregate, window.index, metric, from, to, 1);
    if (links.length > 0) addRelated(aggregate, relatedMetric, from, to, 1, links, window, out);
  }
}

/** Number of grains ≤ `grain`. From the end: most events are the newest of their person. */
function insertionPoint(grains: Grains, grain: number): number {
  let position = grains.length;
  while (position > 0 && (grains[position - 1] ?? 0) > grain) position--;
  return position;
}

function withInserted(grains: Grains, position: number, grain: number): Grains {
  // `concat` sizes the new list exactly; appending to a copy would leave it half empty, for every person.
  return position === grains.length ? grains.concat(grain) : grains.toSpliced(position, 0, grain);
}

function positionOf(channels: readonly ChannelPresence[], channel: Channel): number {
  let position = 0;
  while (position < channels.length && (channels[position]?.channel ?? '') < channel) position++;
  return position;
}

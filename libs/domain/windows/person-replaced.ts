/** What a change of a whole person does to the figures: coverage after minus coverage before. For rare events. */
import { ALL_CHANNELS } from '../events.js';
import type { ChannelLinks, LinkView, ReachableLinks, Span } from '../window-port.js';
import { difference, linkDifference, presenceCover, relatedTo, stockTo } from './coverage.js';
import {
  ANY_CHANNEL,
  codeOf,
  grainsOf,
  isOf,
  MOMENT,
  placeOf,
  type Grains,
  type PersonPresence,
} from './presence.js';
import { addRelated } from './add-related.js';
import type { WindowChanges } from './window-changes.js';
import type { GridWindow, WindowContext } from './window-grid.js';
import { METRIC, type Metric } from './window-metrics.js';

/** All of a person that presence figures and Capital are computed from. */
export interface PersonView {
  readonly presence: PersonPresence;
  readonly links: LinkView;
}

/**
 * The person's links changed (on, off, late, or gone): Capital, and the related among visitors and active.
 * An event that is a link and presence at once calls this with the presence before it and then `recordPresence`
 * with the links after it (or the other way round: presence with the links before, then this with the new
 * presence); with both new or both old it would count twice or not at all.
 */
export function linksChanged(
  before: LinkView,
  after: LinkView,
  presence: PersonPresence,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  capitalChanged(before, after, ctx, out);
  relatedChanged(before.any, after.any, presence, ctx, out);
}

/** The person's presence was replaced under the same links (a correction, a merge, an erasure). */
export function presenceReplaced(
  before: PersonPresence,
  after: PersonPresence,
  links: LinkView,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  for (const channel of [...new Set([...before.channels, ...after.channels]), ALL_CHANNELS]) {
    const aggregate = out.aggregate(ctx.brand, channel);
    for (const { active, metric, relatedMetric } of KINDS) {
      const grainsBefore = grainsIn(before, channel, active);
      const grainsAfter = grainsIn(after, channel, active);
      for (const window of ctx.grid.windows) {
        const coverAfter = presenceCover(grainsAfter, window);
        difference(presenceCover(grainsBefore, window), coverAfter, (from, to, value) => {
          out.add(aggregate, window.index, metric, from, to, value);
          addRelated(aggregate, relatedMetric, from, to, value, links.any, window, out);
        });
      }
    }
  }
}

/** The general form: presence and links replaced at once. */
export function personReplaced(
  before: PersonView,
  after: PersonView,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  presenceReplaced(before.presence, after.presence, before.links, ctx, out);
  linksChanged(before.links, after.links, after.presence, ctx, out);
}

function capitalChanged(before: LinkView, after: LinkView, ctx: WindowContext, out: WindowChanges): void {
  if (before.reachable === null && after.reachable === null) {
    stocksChanged(before, after, CAPITALS, ctx, out);
    return;
  }
  stocksChanged(before, after, CAPITAL_ONLY, ctx, out);
  stocksChanged(before.reachable ?? before, after.reachable ?? after, REACHABLE_ONLY, ctx, out);
}

/** Nearly nobody has declined messages: then both are one. */
const CAPITALS: readonly Metric[] = [METRIC.capital, METRIC.capitalReachable];
const CAPITAL_ONLY: readonly Metric[] = [METRIC.capital];
const REACHABLE_ONLY: readonly Metric[] = [METRIC.capitalReachable];

function stocksChanged(
  before: ReachableLinks,
  after: ReachableLinks,
  metrics: readonly Metric[],
  ctx: WindowContext,
  out: WindowChanges,
): void {
  stockChanged(before.any, after.any, out.allChannels(ctx.brand), metrics, ctx, out);
  for (const { channel, spans } of after.byChannel) {
    const former = spansOf(before.byChannel, channel);
    stockChanged(former, spans, out.aggregate(ctx.brand, channel), metrics, ctx, out);
  }
  for (const { channel, spans } of before.byChannel) {
    if (after.byChannel.some((of) => of.channel === channel)) continue;
    stockChanged(spans, NO_SPANS, out.aggregate(ctx.brand, channel), metrics, ctx, out);
  }
}

function stockChanged(
  before: readonly Span[],
  after: readonly Span[],
  aggregate: number,
  metrics: readonly Metric[],
  ctx: WindowContext,
  out: WindowChanges,
): void {
  linkDifference(before, after, ctx.grid.windows, stockTo, ({ index }, from, to, value) => {
    for (const metric of metrics) out.add(aggregate, index, metric, from, to, value);
  });
}

// Presence stays, so what changes is its part in the ends that the relation gained or lost.
function relatedChanged(
  before: readonly Span[],
  after: readonly Span[],
  presence: PersonPresence,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  const { channels } = presence;
  if (presence.length === 0) return;
  const { brand, grid } = ctx;
  let aggregates: readonly number[] | undefined;
  linkDifference(before, after, grid.windows, relatedTo, (window, from, to, value) => {
    aggregates ??= [out.allChannels(brand), ...channels.map((channel) => out.aggregate(brand, channel))];
    for (const [nth, aggregate] of aggregates.entries()) {
      const code = nth + ANY_CHANNEL;
      addCovered(aggregate, METRIC.visitorsRelated, 0, presence, code, from, to, value, window, out);
      addCovered(aggregate, METRIC.activeRelated, 1, presence, code, from, to, value, window, out);
    }
  });
}

/** Records `value` on those of the ends [from, to) that moments of this channel, so active at least, cover. */
function addCovered(
  aggregate: number,
  metric: Metric,
  active: 0 | 1,
  { moments, length }: PersonPresence,
  code: number,
  from: number,
  to: number,
  value: number,
  window: GridWindow,
  out: WindowChanges,
): void {
  // A joined span that is not recorded yet.
  let joinedFrom = 0;
  let joinedTo = -Infinity;
  const firstBucket = from - window.ends + 1;
  let at = placeOf(moments, length, firstBucket * window.grains - 1);
  for (; at < length; at += MOMENT) {
    if (!isOf(moments[at + 1] ?? 0, code, active)) continue;
    const bucket = Math.floor((moments[at] ?? 0) / window.grains);
    if (bucket >= to) break;
    const start = Math.max(bucket, from);
    if (start > joinedTo) {
      if (joinedFrom < joinedTo) out.add(aggregate, window.index, metric, joinedFrom, joinedTo, value);
      joinedFrom = start;
    }
    joinedTo = Math.min(bucket + window.ends, to);
  }
  if (joinedFrom < joinedTo) out.add(aggregate, window.index, metric, joinedFrom, joinedTo, value);
}

const KINDS = [
  { active: 0, metric: METRIC.visitors, relatedMetric: METRIC.visitorsRelated },
  { active: 1, metric: METRIC.active, relatedMetric: METRIC.activeRelated },
] as const;

function grainsIn(presence: PersonPresence, channel: string, active: 0 | 1): Grains {
  if (channel === ALL_CHANNELS) return grainsOf(presence, ANY_CHANNEL, active);
  const code = codeOf(presence.channels, channel);
  return code < 0 ? NO_GRAINS : grainsOf(presence, code, active);
}

const NO_GRAINS: Grains = [];
const NO_SPANS: readonly Span[] = [];

function spansOf(links: readonly ChannelLinks[], channel: string): readonly Span[] {
  return links.find((of) => of.channel === channel)?.spans ?? NO_SPANS;
}

/** What a change of a whole person does to the figures: coverage after minus coverage before. For rare events. */
import { ALL_CHANNELS } from '../events.js';
import { type ChannelLinks, type LinkView, type Span } from '../window-port.js';
import {
  difference,
  intersection,
  mergedGrains,
  presenceCover,
  relatedCover,
  stockCover,
  type Cover,
} from './coverage.js';
import type { Grains, PersonPresence } from './presence.js';
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
  if (!sameSpans(before.any, after.any)) {
    presenceChanged({ presence, links: before }, { presence, links: after }, ctx, out);
  }
}

/** The person's presence was replaced under the same links (a correction, a merge, an erasure). */
export function presenceReplaced(
  before: PersonPresence,
  after: PersonPresence,
  links: LinkView,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  presenceChanged({ presence: before, links }, { presence: after, links }, ctx, out);
}

/** The general form: presence and links replaced at once. */
export function personReplaced(
  before: PersonView,
  after: PersonView,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  capitalChanged(before.links, after.links, ctx, out);
  presenceChanged(before, after, ctx, out);
}

function capitalChanged(before: LinkView, after: LinkView, ctx: WindowContext, out: WindowChanges): void {
  stockChanged(before.any, after.any, out.allChannels(ctx.brand), ctx, out);
  for (const channel of channelsOf(before.byChannel, after.byChannel)) {
    const spansBefore = spansOf(before.byChannel, channel);
    const spansAfter = spansOf(after.byChannel, channel);
    stockChanged(spansBefore, spansAfter, out.aggregate(ctx.brand, channel), ctx, out);
  }
}

function stockChanged(
  before: readonly Span[],
  after: readonly Span[],
  aggregate: number,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  if (sameSpans(before, after)) return;
  for (const window of ctx.grid.windows) {
    record(stockCover(before, window), stockCover(after, window), aggregate, window, METRIC.capital, out);
  }
}

function presenceChanged(
  before: PersonView,
  after: PersonView,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  const related = ctx.grid.windows.map((window) => ({
    window,
    before: relatedCover(before.links.any, window),
    after: relatedCover(after.links.any, window),
  }));
  for (const channel of [...channelsOf(before.presence.channels, after.presence.channels), ALL_CHANNELS]) {
    const aggregate = out.aggregate(ctx.brand, channel);
    for (const { kind, metric, relatedMetric } of KINDS) {
      const grainsBefore = grainsOf(before.presence, channel, kind);
      const same = before.presence === after.presence;
      const grainsAfter = same ? grainsBefore : grainsOf(after.presence, channel, kind);
      for (const { window, before: relatedBefore, after: relatedAfter } of related) {
        const coverBefore = presenceCover(grainsBefore, window);
        const coverAfter = same ? coverBefore : presenceCover(grainsAfter, window);
        if (!same) record(coverBefore, coverAfter, aggregate, window, metric, out);
        const bothBefore = intersection(coverBefore, relatedBefore);
        record(bothBefore, intersection(coverAfter, relatedAfter), aggregate, window, relatedMetric, out);
      }
    }
  }
}

const KINDS = [
  { kind: 'visits', metric: METRIC.visitors, relatedMetric: METRIC.visitorsRelated },
  { kind: 'actives', metric: METRIC.active, relatedMetric: METRIC.activeRelated },
] as const;

function record(
  before: Cover,
  after: Cover,
  aggregate: number,
  window: GridWindow,
  metric: Metric,
  out: WindowChanges,
): void {
  difference(before, after, (from, to, value) => out.add(aggregate, window.index, metric, from, to, value));
}

function grainsOf(presence: PersonPresence, channel: string, kind: 'visits' | 'actives'): Grains {
  if (channel === ALL_CHANNELS) return mergedGrains(presence.channels.map((of) => of[kind]));
  return presence.channels.find((of) => of.channel === channel)?.[kind] ?? NO_GRAINS;
}

const NO_GRAINS: Grains = [];
const NO_SPANS: readonly Span[] = [];

function spansOf(links: readonly ChannelLinks[], channel: string): readonly Span[] {
  return links.find((of) => of.channel === channel)?.spans ?? NO_SPANS;
}

function channelsOf(
  before: readonly { readonly channel: string }[],
  after: readonly { readonly channel: string }[],
): readonly string[] {
  return [...new Set([...before, ...after].map((of) => of.channel))].sort();
}

function sameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  return a.length === b.length && a.every((span, i) => span.from === b[i]?.from && span.to === b[i].to);
}

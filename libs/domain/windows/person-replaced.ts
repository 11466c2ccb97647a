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
import { addRelated } from './add-related.js';
import type { WindowChanges } from './window-changes.js';
import type { WindowContext } from './window-grid.js';
import { METRIC } from './window-metrics.js';

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
  if (!sameSpans(before.any, after.any)) relatedChanged(before.any, after.any, presence, ctx, out);
}

/** The person's presence was replaced under the same links (a correction, a merge, an erasure). */
export function presenceReplaced(
  before: PersonPresence,
  after: PersonPresence,
  links: LinkView,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  for (const channel of [...channelsOf(before.channels, after.channels), ALL_CHANNELS]) {
    const aggregate = out.aggregate(ctx.brand, channel);
    for (const { kind, metric, relatedMetric } of KINDS) {
      const grainsBefore = grainsOf(before, channel, kind);
      const grainsAfter = grainsOf(after, channel, kind);
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
    difference(stockCover(before, window), stockCover(after, window), (from, to, value) =>
      out.add(aggregate, window.index, METRIC.capital, from, to, value),
    );
  }
}

// Presence stays, so what changes is its part in the ends that the relation gained or lost.
function relatedChanged(
  before: readonly Span[],
  after: readonly Span[],
  presence: PersonPresence,
  ctx: WindowContext,
  out: WindowChanges,
): void {
  const changes = ctx.grid.windows.map((window) => {
    const spans: { readonly cover: Cover; readonly value: number }[] = [];
    difference(relatedCover(before, window), relatedCover(after, window), (from, to, value) =>
      spans.push({ cover: [from, to], value }),
    );
    return { window, spans };
  });
  for (const channel of [...presence.channels.map((of) => of.channel), ALL_CHANNELS]) {
    const aggregate = out.aggregate(ctx.brand, channel);
    for (const { kind, relatedMetric } of KINDS) {
      const grains = grainsOf(presence, channel, kind);
      if (grains.length === 0) continue;
      for (const { window, spans } of changes) {
        if (spans.length === 0) continue;
        const covered = presenceCover(grains, window);
        for (const { cover, value } of spans) {
          const both = intersection(covered, cover);
          for (let i = 0; i < both.length; i += 2) {
            out.add(aggregate, window.index, relatedMetric, both[i] ?? 0, both[i + 1] ?? 0, value);
          }
        }
      }
    }
  }
}

const KINDS = [
  { kind: 'visits', metric: METRIC.visitors, relatedMetric: METRIC.visitorsRelated },
  { kind: 'actives', metric: METRIC.active, relatedMetric: METRIC.activeRelated },
] as const;

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

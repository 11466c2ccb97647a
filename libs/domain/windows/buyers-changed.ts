/** Buyers: persons with an order, at its first line, in the window. Derived from the orders; no state of their own. */
import type { Channel } from '../events.js';
import { difference, presenceCover } from './coverage.js';
import type { WindowChanges } from './window-changes.js';
import type { WindowContext } from './window-grid.js';
import { AMONG_BUYERS, METRIC } from './window-metrics.js';

/** When and where an order counts; `channel` is null, and `paidAt` infinite, as long as no line of it is known. */
export interface Purchase {
  readonly paidAt: number;
  readonly channel: Channel | null;
}

/**
 * One order of a person was added to the list, or replaced in it, as a payment or a refund does. Both lists hold all
 * orders that a window end still to change can ask for.
 */
export function buyersChanged(
  before: readonly Purchase[],
  after: readonly Purchase[],
  ctx: WindowContext,
  out: WindowChanges,
): void {
  if (before === after || ctx.grid.windows.length === 0) return;
  let index = 0;
  while (index < before.length && before[index] === after[index]) index++;
  const is = after[index];
  if (is === undefined || is.channel === null) return;
  const was = after.length === before.length ? before[index] : undefined;
  if (was === undefined || was.channel === null) buyerPlaced(before, is.channel, is.paidAt, ctx, out);
  else if (was.channel !== is.channel || was.paidAt !== is.paidAt) {
    for (const channel of new Set([was.channel, is.channel])) {
      buyersReplaced(before, after, channel, out.aggregate(ctx.brand, channel), ctx, out);
    }
    buyersReplaced(before, after, null, out.allChannels(ctx.brand), ctx, out);
  }
}

/** A new order among others: like a new moment of presence between its neighbours (`presence-insertion.ts`). */
function buyerPlaced(
  others: readonly Purchase[],
  channel: Channel,
  at: number,
  { grid: { grainMs }, brand }: WindowContext,
  out: WindowChanges,
): void {
  const grain = Math.floor(at / grainMs);
  let before = -Infinity;
  let after = Infinity;
  let beforeHere = -Infinity;
  let afterHere = Infinity;
  for (const other of others) {
    if (other.channel === null) continue;
    const moment = Math.floor(other.paidAt / grainMs);
    const isHere = other.channel === channel;
    if (moment <= grain) {
      if (moment > before) before = moment;
      if (isHere && moment > beforeHere) beforeHere = moment;
    } else {
      if (moment < after) after = moment;
      if (isHere && moment < afterHere) afterHere = moment;
    }
  }
  if (beforeHere !== grain)
    out.insert(out.aggregate(brand, channel), AMONG_BUYERS, grain, beforeHere, afterHere);
  if (before !== grain) out.insert(out.allChannels(brand), AMONG_BUYERS, grain, before, after);
}

/** Coverage after minus coverage before; `channel` null is the union of all. */
function buyersReplaced(
  before: readonly Purchase[],
  after: readonly Purchase[],
  channel: Channel | null,
  aggregate: number,
  { grid }: WindowContext,
  out: WindowChanges,
): void {
  const grainsBefore = grainsOf(before, channel, grid.grainMs);
  const grainsAfter = grainsOf(after, channel, grid.grainMs);
  for (const window of grid.windows) {
    difference(presenceCover(grainsBefore, window), presenceCover(grainsAfter, window), (from, to, value) =>
      out.add(aggregate, window.index, METRIC.buyers, from, to, value),
    );
  }
}

function grainsOf(purchases: readonly Purchase[], channel: Channel | null, grainMs: number): number[] {
  const grains: number[] = [];
  for (const { paidAt, channel: where } of purchases) {
    if (where !== null && (channel === null || where === channel)) grains.push(Math.floor(paidAt / grainMs));
  }
  return grains.sort((a, b) => a - b);
}

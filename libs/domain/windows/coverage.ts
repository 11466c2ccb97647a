/**
 * Coverage: the window ends for which a person counts, as flat sorted lists [from, to, from, to, …) of end
 * indices, disjoint, not touching, clipped to the horizon of their window. `to` may be Infinity.
 */
import type { Span } from '../window-port.js';
import type { Grains } from './presence.js';
import type { GridWindow } from './window-grid.js';

export type Cover = readonly number[];

/** A grain in bucket b covers [b, b + n). */
export function presenceCover(grains: Grains, window: GridWindow): Cover {
  const cover: number[] = [];
  for (const grain of grains) {
    const bucket = Math.floor(grain / window.grains);
    append(cover, bucket, bucket + window.ends, window.horizon);
  }
  return cover;
}

/** A link live in [f, t) covers every window with an instant of it: [floor(f/s), floor((t − 1)/s) + n). */
export function relatedCover(links: readonly Span[], window: GridWindow): Cover {
  const cover: number[] = [];
  for (const { from, to } of links) {
    if (to > from) append(cover, Math.floor(from / window.slideMs), relatedTo(to, window), window.horizon);
  }
  return cover;
}

/** A stock is read just before T: a link live in [f, t) covers [floor(f/s), floor(t/s)). */
export function stockCover(links: readonly Span[], window: GridWindow): Cover {
  const cover: number[] = [];
  for (const { from, to } of links) {
    append(cover, Math.floor(from / window.slideMs), Math.floor(to / window.slideMs), window.horizon);
  }
  return cover;
}

/** End of the ends for whose window a link that ended at `to` (exclusive) was still live at some instant. */
export function relatedTo(to: number, window: GridWindow): number {
  return Math.floor((to - 1) / window.slideMs) + window.ends;
}

// Starts and ends of what is appended never descend, so joining with the last span is enough.
function append(cover: number[], from: number, to: number, horizon: number): void {
  const start = Math.max(from, horizon);
  if (start >= to) return;
  const last = cover[cover.length - 1];
  if (last !== undefined && start <= last) cover[cover.length - 1] = Math.max(last, to);
  else cover.push(start, to);
}

/** Calls `emit` for each span of ends that only one of the two covers: +1 for `after`, −1 for `before`. */
export function difference(
  before: Cover,
  after: Cover,
  emit: (from: number, to: number, value: 1 | -1) => void,
): void {
  let i = 0;
  let j = 0;
  let at = -Infinity;
  // Even positions are starts: an odd one means that the list covers the ends from `at` on.
  while (i < before.length || j < after.length) {
    const next = Math.min(before[i] ?? Infinity, after[j] ?? Infinity);
    const inBefore = i % 2 === 1;
    const inAfter = j % 2 === 1;
    if (inBefore !== inAfter && at < next) emit(at, next, inAfter ? 1 : -1);
    at = next;
    while (i < before.length && before[i] === next) i++;
    while (j < after.length && after[j] === next) j++;
  }
}

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

/** First end behind those that a link which ended at `to` (ms, exclusive) covers in that window. */
export type CoverEnd = (to: number, window: GridWindow) => number;

/** A stock is read just before T: a link live in [f, t) covers [floor(f/s), floor(t/s)). */
export function stockTo(to: number, window: GridWindow): number {
  return Math.floor(to / window.slideMs);
}

/** A link live in [f, t) covers every window with an instant of it: [floor(f/s), floor((t − 1)/s) + n). */
export function relatedTo(to: number, window: GridWindow): number {
  return Math.floor((to - 1) / window.slideMs) + window.ends;
}

export function linkCover(links: readonly Span[], window: GridWindow, coverEnd: CoverEnd): Cover {
  const cover: number[] = [];
  for (const { from, to } of links) {
    if (to > from) append(cover, Math.floor(from / window.slideMs), coverEnd(to, window), window.horizon);
  }
  return cover;
}

/** Takes a span of a window's ends that only one of two covers holds: +1 for the later one, −1 for the former. */
export type CoverChange = (window: GridWindow, from: number, to: number, value: 1 | -1) => void;

/**
 * Calls `emit` for each span of ends by which the covers of two lists of links differ. Nearly always one link
 * more is there, or the last one has ended: then nothing but that one is looked at, and nothing is allocated.
 */
export function linkDifference(
  before: readonly Span[],
  after: readonly Span[],
  windows: readonly GridWindow[],
  coverEnd: CoverEnd,
  emit: CoverChange,
): void {
  let same = 0;
  while (same < before.length && same < after.length && sameSpan(before[same], after[same])) same++;
  if (same === before.length && same === after.length) return;
  for (const window of windows) {
    if (before.length > same + 1 || after.length > same + 1) {
      difference(
        linkCover(before, window, coverEnd),
        linkCover(after, window, coverEnd),
        (from, to, value) => {
          emit(window, from, to, value);
        },
      );
    } else {
      const clip = Math.max(window.horizon, coveredTo(before, same, window, coverEnd));
      lastDifference(before[same], after[same], clip, window, coverEnd, emit);
    }
  }
}

function sameSpan(a: Span | undefined, b: Span | undefined): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}

/** First end behind all that the first `count` links cover: what follows begins there at the earliest. */
function coveredTo(links: readonly Span[], count: number, window: GridWindow, coverEnd: CoverEnd): number {
  for (let nth = count - 1; nth >= 0; nth--) {
    const link = links[nth];
    if (link !== undefined && link.to > link.from) return coverEnd(link.to, window);
  }
  return -Infinity;
}

/** Two covers that differ in their last link only: up to two spans. */
function lastDifference(
  before: Span | undefined,
  after: Span | undefined,
  clip: number,
  window: GridWindow,
  coverEnd: CoverEnd,
  emit: CoverChange,
): void {
  const from = before === undefined ? clip : Math.max(clip, Math.floor(before.from / window.slideMs));
  const to = before === undefined || before.to <= before.from ? from : coverEnd(before.to, window);
  const newFrom = after === undefined ? clip : Math.max(clip, Math.floor(after.from / window.slideMs));
  const newTo = after === undefined || after.to <= after.from ? newFrom : coverEnd(after.to, window);
  const isApart = from >= to || newFrom >= newTo || newFrom >= to || from >= newTo;
  if (isApart) {
    if (from < to) emit(window, from, to, -1);
    if (newFrom < newTo) emit(window, newFrom, newTo, 1);
    return;
  }
  if (newFrom < from) emit(window, newFrom, from, 1);
  if (from < newFrom) emit(window, from, newFrom, -1);
  if (to < newTo) emit(window, to, newTo, 1);
  if (newTo < to) emit(window, newTo, to, -1);
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

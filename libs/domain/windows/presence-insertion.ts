/**
 * What a new moment adds to one window. A grain in bucket b between its neighbours in buckets p < b < q adds
 * exactly one span of ends, [max(b, p + n, h), min(b + n, q)): the rest of [b, b + n) was covered already. One
 * step of work whatever the width n of the window. A moment older than the lateness is clipped at the horizon h
 * to the ends that are not final.
 */
import type { GridWindow } from './window-grid.js';

/** First end that the moment adds. `before`: bucket of the neighbour, −Infinity for none. */
export function insertedFrom(window: GridWindow, bucket: number, before: number): number {
  return Math.max(bucket, before + window.ends, window.horizon);
}

/** First end behind those that the moment adds: nothing where it is not above `insertedFrom`. */
export function insertedTo(window: GridWindow, bucket: number, after: number): number {
  return Math.min(bucket + window.ends, after);
}

/** The bucket of a grain, infinite for an infinite one. */
export function bucketOf(window: GridWindow, grain: number): number {
  return Math.floor(grain / window.grains);
}

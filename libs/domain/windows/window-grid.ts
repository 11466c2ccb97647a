/** The windows of the rules laid over time: slides, widths in ends, and the horizon at one watermark. */
import type { WindowSpec } from '../rules.js';

/** One window at one watermark. End index e stands for the end instant T = (e + 1) · slideMs. */
export interface GridWindow {
  readonly index: number;
  readonly slideMs: number;
  /** Window ends that one event covers: width / slide. */
  readonly ends: number;
  /** Grains (finest slides) per slide. */
  readonly grains: number;
  /**
   * First end that may still change and that anybody can ask for: not before `lateFrom`, nor before the first
   * end that gets a row. Only grows.
   */
  readonly horizon: number;
  /** Ends before this one are final: floor((watermark − lateness) / slide). */
  readonly lateFrom: number;
  /** First end that gets a row; −Infinity for all. */
  readonly rowsFrom: number;
}

export interface WindowGrid {
  readonly specs: readonly WindowSpec[];
  /** Event time to which all is closed, ms; −Infinity before the first tick. */
  readonly watermark: number;
  /** The finest slide; presence is kept in this unit. */
  readonly grainMs: number;
  readonly windows: readonly GridWindow[];
}

/** What a fold step needs to record changes of the figures. Constant between two ticks. */
export interface WindowContext {
  readonly grid: WindowGrid;
  readonly brand: string;
}

/** Windows that slide by less get rows only from `Rules.fineRowsFrom` on. */
const FINE_SLIDE_MS = 3_600_000;

/** More windows than this do not fit the packed form of `WindowChanges`. */
export const WINDOWS_MAX = 16;

/** First end of a window that gets a row, by `Rules.fineRowsFrom`; −Infinity for all. */
function firstRowEnd(spec: WindowSpec, fineRowsFrom: number): number {
  if (spec.slideMs >= FINE_SLIDE_MS || fineRowsFrom <= 0) return -Infinity;
  return Math.ceil(fineRowsFrom / spec.slideMs) - 1;
}

/**
 * Lays `specs` out at `watermark` (ms, −Infinity before the first tick). Make one per tick, not per event.
 * @param fineRowsFrom   of the rules, ms; what it says may only grow: nothing is kept of ends without rows
 * @throws RangeError when the specs are not ordered by slide, do not nest, or lateness shrinks.
 */
export function windowGrid(specs: readonly WindowSpec[], watermark: number, fineRowsFrom = 0): WindowGrid {
  const finest = specs[0];
  if (finest === undefined || specs.length > WINDOWS_MAX) {
    throw new RangeError(`1 to ${WINDOWS_MAX} windows are needed, not ${specs.length}`);
  }
  let before = finest;
  const windows = specs.map((spec, index) => {
    checkSpec(spec, before);
    before = spec;
    const lateFrom = Math.floor((watermark - spec.latenessMs) / spec.slideMs);
    const rowsFrom = firstRowEnd(spec, fineRowsFrom);
    return {
      index,
      slideMs: spec.slideMs,
      ends: spec.widthMs / spec.slideMs,
      grains: spec.slideMs / finest.slideMs,
      horizon: Math.max(lateFrom, rowsFrom),
      lateFrom,
      rowsFrom,
    };
  });
  return { specs, watermark, grainMs: finest.slideMs, windows };
}

// Thinning keeps one grain per coarser slide behind each horizon: exact only if slides nest and horizons descend.
function checkSpec(spec: WindowSpec, before: WindowSpec): void {
  if (!(spec.slideMs > 0) || !(spec.widthMs > 0) || !(spec.latenessMs >= 0)) {
    throw new RangeError(`window ${spec.id}: width and slide must be positive, lateness not negative`);
  }
  if (spec.widthMs % spec.slideMs !== 0) {
    throw new RangeError(`window ${spec.id}: its slide does not divide its width`);
  }
  if (spec.slideMs % before.slideMs !== 0) {
    throw new RangeError(`window ${spec.id}: its slide is no multiple of that of ${before.id}`);
  }
  if (spec.latenessMs < before.latenessMs) {
    throw new RangeError(`window ${spec.id}: its lateness is less than that of ${before.id}`);
  }
}

export function sameWindows(a: readonly WindowSpec[], b: readonly WindowSpec[]): boolean {
  return a === b || (a.length === b.length && a.every((spec, i) => sameWindow(spec, b[i])));
}

function sameWindow(a: WindowSpec, b: WindowSpec | undefined): boolean {
  if (a.id !== b?.id || a.widthMs !== b.widthMs) return false;
  return a.slideMs === b.slideMs && a.latenessMs === b.latenessMs;
}

/** Last closed end: T ≤ watermark. −Infinity before the first tick. */
export function closedTo(spec: WindowSpec, watermark: number): number {
  return Math.floor(watermark / spec.slideMs) - 1;
}

/** A window in which an event came too late for some ends with rows: they are final and stay as they are. */
export interface LateMiss {
  readonly window: string;
  /** End instants T (ms) that the event missed: [fromEnd, toEnd). */
  readonly fromEnd: number;
  readonly toEnd: number;
}

/**
 * The windows some of whose final ends an event at `at` (ms) has missed. Empty for nearly every event.
 * @param lasting   it counts from then on, as a link does, and not only for a window's width
 */
export function lateMisses(at: number, grid: WindowGrid, lasting = false): readonly LateMiss[] {
  let misses: LateMiss[] | undefined;
  for (const window of grid.windows) {
    const bucket = Math.floor(at / window.slideMs);
    if (bucket >= window.lateFrom) continue;
    const spec = grid.specs[window.index];
    if (spec === undefined) continue;
    const missedFrom = Math.max(bucket, window.rowsFrom);
    const missedTo = lasting ? window.lateFrom : Math.min(window.lateFrom, bucket + window.ends);
    if (missedFrom >= missedTo) continue;
    misses ??= [];
    misses.push({
      window: spec.id,
      fromEnd: (missedFrom + 1) * window.slideMs,
      toEnd: (missedTo + 1) * window.slideMs,
    });
  }
  return misses ?? NO_MISSES;
}

const NO_MISSES: readonly LateMiss[] = [];

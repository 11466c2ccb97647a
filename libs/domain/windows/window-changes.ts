import { ALL_CHANNELS } from '../events.js';
import type { WindowSpec } from '../rules.js';
import { WINDOWS_MAX, lateMisses, type LateMiss, type WindowGrid } from './window-grid.js';
import type { Metric } from './window-metrics.js';

/** A (brand, channel); `all` stands for the union of a brand's channels. */
export interface Aggregate {
  readonly brand: string;
  readonly channel: string;
}

/** Takes the changes of a batch in their order. */
export interface ChangeReader {
  /** `value` persons (or minor units) more on the window ends [from, to); `to` may be Infinity. */
  span(aggregate: number, window: number, metric: number, from: number, to: number, value: number): void;
  advance(watermark: number): void;
  fineRowsFrom(instant: number): void;
}

const ADVANCE = -1;
const FINE_ROWS_FROM = -2;
const CAPACITY_FIRST = 1024;
const CELLS = 4;
const METRIC_SLOTS = 16;
const WINDOW_SLOTS = WINDOWS_MAX * METRIC_SLOTS;

/**
 * What one batch changes in the figures, in order: spans of window ends and moves of the watermark.
 * Recording touches nothing else, so a batch whose transaction failed is undone by dropping this.
 * Size: 32 bytes a span; a batch of 5,000 events makes about 50,000.
 */
export class WindowChanges {
  private count = 0;
  // Head, from, to, value of each change; the head packs aggregate, window and metric, or names a control change.
  private cells = new Float64Array(CAPACITY_FIRST * CELLS);
  private readonly ids = new Map<string, Map<string, number>>();
  private readonly names: Aggregate[] = [];
  private readonly lateCounts = new Map<string, number>();

  constructor(readonly specs: readonly WindowSpec[]) {}

  /** The aggregates that spans refer to, by their number in this batch. */
  get aggregates(): readonly Aggregate[] {
    return this.names;
  }

  /** Number of changes recorded. */
  get size(): number {
    return this.count;
  }

  /** (event, window) pairs that came too late for some final ends, by window id. */
  get late(): ReadonlyMap<string, number> {
    return this.lateCounts;
  }

  /** The batch's number of (brand, channel), for `add`. */
  aggregate(brand: string, channel: string): number {
    let channels = this.ids.get(brand);
    if (channels === undefined) {
      channels = new Map();
      this.ids.set(brand, channels);
    }
    const known = channels.get(channel);
    if (known !== undefined) return known;
    const id = this.names.length;
    this.names.push({ brand, channel });
    channels.set(channel, id);
    return id;
  }

  /** The batch's number of the union over the channels of `brand`. */
  allChannels(brand: string): number {
    return this.aggregate(brand, ALL_CHANNELS);
  }

  /** Adds `value` to `metric` on the ends [from, to) of window number `window`. Empty spans are ignored. */
  add(aggregate: number, window: number, metric: Metric, from: number, to: number, value: number): void {
    if (from < to) this.push(aggregate * WINDOW_SLOTS + window * METRIC_SLOTS + metric, from, to, value);
  }

  /** Moves the watermark on (ms). Spans recorded after this must be clipped to the horizon it gives. */
  advance(watermark: number): void {
    this.push(ADVANCE, 0, 0, watermark);
  }

  /** `Rules.fineRowsFrom` from here on (ms). */
  setFineRowsFrom(instant: number): void {
    this.push(FINE_ROWS_FROM, 0, 0, instant);
  }

  /** Counts an accepted event's misses (call once an event) and returns them for the late ledger. */
  countLate(at: number, grid: WindowGrid, lasting = false): readonly LateMiss[] {
    const misses = lateMisses(at, grid, lasting);
    for (const { window } of misses) this.lateCounts.set(window, (this.lateCounts.get(window) ?? 0) + 1);
    return misses;
  }

  /** Hands every change to `reader`, in the order of recording. */
  replay(reader: ChangeReader): void {
    const { cells } = this;
    for (let at = 0; at < this.count * CELLS; at += CELLS) {
      const head = cells[at] ?? 0;
      const value = cells[at + 3] ?? 0;
      if (head === ADVANCE) reader.advance(value);
      else if (head === FINE_ROWS_FROM) reader.fineRowsFrom(value);
      else {
        const aggregate = Math.floor(head / WINDOW_SLOTS);
        const slot = head - aggregate * WINDOW_SLOTS;
        const window = Math.floor(slot / METRIC_SLOTS);
        const metric = slot - window * METRIC_SLOTS;
        reader.span(aggregate, window, metric, cells[at + 1] ?? 0, cells[at + 2] ?? 0, value);
      }
    }
  }

  private push(head: number, from: number, to: number, value: number): void {
    const at = this.count++ * CELLS;
    if (at === this.cells.length) {
      const wider = new Float64Array(this.cells.length * 2);
      wider.set(this.cells);
      this.cells = wider;
    }
    this.cells[at] = head;
    this.cells[at + 1] = from;
    this.cells[at + 2] = to;
    this.cells[at + 3] = value;
  }
}

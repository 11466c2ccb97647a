import { ALL_CHANNELS } from '../events.js';
import type { WindowSpec } from '../rules.js';
import { WINDOWS_MAX, lateMisses, type LateMiss, type WindowGrid } from './window-grid.js';
import type { Metric } from './window-metrics.js';

/** A (brand, channel); `all` stands for the union of a brand's channels. */
export interface Aggregate {
  readonly brand: string;
  readonly channel: string;
}

/** A batch's numbers of one brand's aggregates. */
export interface BrandNumbers {
  readonly brand: string;
  /** Of the union over its channels. */
  readonly all: number;
  readonly channels: Map<string, number>;
}

/** Takes the changes of a batch in their order. */
export interface ChangeReader {
  /** `value` persons (or minor units) more on the window ends [from, to); `to` may be Infinity. */
  span(aggregate: number, window: number, metric: number, from: number, to: number, value: number): void;
  /**
   * A person was seen in the finest slide `grain`, between `before` and `after` (infinite for none): one person
   * more `among` (bits of `window-metrics.ts`) on the ends of every window that `presence-insertion.ts` says.
   */
  insertion(aggregate: number, among: number, grain: number, before: number, after: number): void;
  advance(watermark: number): void;
  fineRowsFrom(instant: number): void;
}

const ADVANCE = -1;
const FINE_ROWS_FROM = -2;
const CAPACITY_FIRST = 1024;
/** From, to and value of a span; grain, before and after of an insertion. */
const CELLS = 3;
/** Of one aggregate: a slot for each window and metric, then one for what an insertion counts among. */
const METRIC_BITS = 4;
const INSERTIONS_FROM = WINDOWS_MAX << METRIC_BITS;
const SLOT_BITS = 9;
/** So that a head stays a 32-bit integer. */
const AGGREGATES_MAX = 2 ** (31 - SLOT_BITS);

/** Where changes are written. */
interface Room {
  /** Aggregate and slot of each change, or the name of a control change. */
  readonly heads: Int32Array<ArrayBuffer>;
  readonly cells: Float64Array<ArrayBuffer>;
}

function newRoom(capacity: number): Room {
  return { heads: new Int32Array(capacity), cells: new Float64Array(capacity * CELLS) };
}

/** Of batches that are done: new room for every batch would be a collection of garbage for every sixty. */
const spare: Room[] = [];
const SPARE_MAX = 4;
/** Wider room than this (3.5 MiB) was for something rare. */
const SPARE_CAPACITY_MAX = 2 ** 17;

/**
 * What one batch changes in the figures, in order: presence that came in, spans of window ends, and moves of the
 * watermark. Recording touches nothing else, so a batch whose transaction failed is undone by dropping this.
 * Size: 28 bytes a change; a batch of 5,000 events makes about 15,000.
 */
export class WindowChanges {
  private count = 0;
  private room: Room | undefined = spare.pop() ?? newRoom(CAPACITY_FIRST);
  private readonly brands = new Map<string, BrandNumbers>();
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
    return this.channel(this.brand(brand), channel);
  }

  /** The batch's number of the union over the channels of `brand`. */
  allChannels(brand: string): number {
    return this.brand(brand).all;
  }

  /** The batch's numbers for one brand. */
  brand(brand: string): BrandNumbers {
    let known = this.brands.get(brand);
    if (known === undefined) {
      const all = this.numbered(brand, ALL_CHANNELS);
      known = { brand, all, channels: new Map([[ALL_CHANNELS, all]]) };
      this.brands.set(brand, known);
    }
    return known;
  }

  /** The batch's number of a channel of that brand. */
  channel({ brand, channels }: BrandNumbers, channel: string): number {
    let known = channels.get(channel);
    if (known === undefined) {
      known = this.numbered(brand, channel);
      channels.set(channel, known);
    }
    return known;
  }

  /** Adds `value` to `metric` on the ends [from, to) of window number `window`. Empty spans are ignored. */
  add(aggregate: number, window: number, metric: Metric, from: number, to: number, value: number): void {
    if (from < to) this.push((aggregate << SLOT_BITS) + (window << METRIC_BITS) + metric, from, to, value);
  }

  /** A person more `among` in every window, as `ChangeReader.insertion` says. */
  insert(aggregate: number, among: number, grain: number, before: number, after: number): void {
    this.push((aggregate << SLOT_BITS) + INSERTIONS_FROM + among, grain, before, after);
  }

  /** Moves the watermark on (ms). Spans recorded after this must be clipped to the horizon it gives. */
  advance(watermark: number): void {
    this.push(ADVANCE, watermark, 0, 0);
  }

  /** `Rules.fineRowsFrom` from here on (ms). */
  setFineRowsFrom(instant: number): void {
    this.push(FINE_ROWS_FROM, instant, 0, 0);
  }

  /** Counts an accepted event's misses (call once an event) and returns them for the late ledger. */
  countLate(at: number, grid: WindowGrid, lasting = false): readonly LateMiss[] {
    const misses = lateMisses(at, grid, lasting);
    for (const { window } of misses) this.lateCounts.set(window, (this.lateCounts.get(window) ?? 0) + 1);
    return misses;
  }

  /**
   * Hands every change to `reader`, in the order of recording.
   * @throws Error after `release`
   */
  replay(reader: ChangeReader): void {
    const { heads, cells } = this.ownRoom();
    for (let nth = 0; nth < this.count; nth++) {
      const head = heads[nth] ?? 0;
      const first = cells[nth * CELLS] ?? 0;
      const second = cells[nth * CELLS + 1] ?? 0;
      const third = cells[nth * CELLS + 2] ?? 0;
      if (head === ADVANCE) reader.advance(first);
      else if (head === FINE_ROWS_FROM) reader.fineRowsFrom(first);
      else {
        const aggregate = head >> SLOT_BITS;
        const slot = head & ((1 << SLOT_BITS) - 1);
        if (slot >= INSERTIONS_FROM) {
          reader.insertion(aggregate, slot - INSERTIONS_FROM, first, second, third);
        } else {
          const metric = slot & ((1 << METRIC_BITS) - 1);
          reader.span(aggregate, slot >> METRIC_BITS, metric, first, second, third);
        }
      }
    }
  }

  /** The changes have been taken over: their room goes to another batch. They can't be recorded or read again. */
  release(): void {
    const { room } = this;
    this.room = undefined;
    if (room === undefined || room.heads.length > SPARE_CAPACITY_MAX) return;
    if (spare.length < SPARE_MAX) spare.push(room);
  }

  private ownRoom(): Room {
    if (this.room === undefined) throw new Error('these changes have been taken over already');
    return this.room;
  }

  private numbered(brand: string, channel: string): number {
    const id = this.names.length;
    if (id === AGGREGATES_MAX) throw new RangeError(`more than ${AGGREGATES_MAX} channels in one batch`);
    this.names.push({ brand, channel });
    return id;
  }

  private push(head: number, first: number, second: number, third: number): void {
    let { heads, cells } = this.ownRoom();
    const nth = this.count++;
    if (nth === heads.length) ({ heads, cells } = this.widened(heads, cells));
    heads[nth] = head;
    const at = nth * CELLS;
    cells[at] = first;
    cells[at + 1] = second;
    cells[at + 2] = third;
  }

  private widened(heads: Int32Array, cells: Float64Array): Room {
    this.room = newRoom(heads.length * 2);
    this.room.heads.set(heads);
    this.room.cells.set(cells);
    return this.room;
  }
}

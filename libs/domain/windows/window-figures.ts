import type { WindowSpec } from '../rules.js';
import { AggregateFigures } from './aggregate-figures.js';
import { readSnapshot, writeSnapshot } from './figures-snapshot.js';
import { OPEN_ENDS_MAX, WindowFigure, type EndSink, type WindowFront } from './window-figure.js';
import type { Aggregate, WindowChanges } from './window-changes.js';
import { closedTo, sameWindows, windowGrid, type WindowGrid } from './window-grid.js';
import { windowRow, type WindowHeartbeat, type WindowRow } from './window-metrics.js';

/** `takeRows` hands out at most this many rows a call unless told otherwise. */
export const ROWS_PER_TAKE = 50_000;

export interface WindowRowBatch {
  readonly rows: readonly WindowRow[];
  readonly heartbeats: readonly WindowHeartbeat[];
  /** True when the limit of rows cut the batch: take again; heartbeats come with the last part. */
  readonly more: boolean;
}

/**
 * The rolling figures of one partition: per (brand, channel) and window the differences by window end and what
 * has been written of them. Memory: about 150 KiB an aggregate with traffic for the default windows; an aggregate
 * without any figure left is dropped.
 */
export class WindowFigures {
  private grid: WindowGrid;
  private startedAt = Infinity;
  private unknownTo: number[];
  private readonly beats: number[];
  private readonly brands = new Map<string, Map<string, AggregateFigures>>();

  constructor(
    private readonly specs: readonly WindowSpec[],
    private fineRowsFrom = 0,
  ) {
    this.grid = windowGrid(specs, -Infinity, fineRowsFrom);
    this.unknownTo = specs.map(() => -Infinity);
    this.beats = specs.map(() => -Infinity);
  }

  /**
   * The figures of a `snapshot`. What was written before is taken as unknown: all of [horizon, last closed end]
   * is written again, zeros included, up to the ends that are open when `recovered` is called.
   * @throws RangeError when the bytes are damaged, of another version, or of other windows than `specs`.
   */
  static restore(bytes: Uint8Array, specs: readonly WindowSpec[]): WindowFigures {
    const saved = readSnapshot(bytes, specs);
    const figures = new WindowFigures(specs, saved.fineRowsFrom);
    figures.grid = windowGrid(specs, saved.watermark, saved.fineRowsFrom);
    figures.startedAt = saved.startedAt;
    figures.unknownTo = specs.map(() => Infinity);
    for (const { brand, channel, windows } of saved.aggregates) {
      const restored = windows.map(({ first, base, cells }, window) => {
        const figure = figures.figureFrom(window, first);
        figure.base.set(base);
        for (const { end, metric, value } of cells) figure.pages.add(end, metric, value);
        return figure;
      });
      figures.keep(new AggregateFigures(brand, channel, restored));
    }
    return figures;
  }

  /** ms; −Infinity before the first tick. */
  get watermark(): number {
    return this.grid.watermark;
  }

  /** Number of (brand, channel) held. */
  get aggregates(): number {
    let held = 0;
    for (const channels of this.brands.values()) held += channels.size;
    return held;
  }

  /** Pages of 5 KiB held, for a gauge. */
  get pages(): number {
    let held = 0;
    for (const { figures } of this.all()) for (const figure of figures) held += figure.pages.size;
    return held;
  }

  /**
   * Takes over the changes of a batch whose transaction is committed: they are released.
   * @throws RangeError when they are of other windows, or lie too far ahead (`PAGES_MAX`); the figures are then
   * half changed: drop them and restore.
   */
  apply(changes: WindowChanges): void {
    if (!sameWindows(changes.specs, this.specs)) {
      throw new RangeError(
        'the changes are of other windows: figures must be rebuilt from the log for new windows',
      );
    }
    const known: (AggregateFigures | undefined)[] = [];
    const figuresOf = (aggregate: number): AggregateFigures =>
      (known[aggregate] ??= this.aggregateOf(changes.aggregates[aggregate]));
    changes.replay({
      span: (aggregate, window, metric, from, to, value) => {
        const horizon = this.grid.windows[window]?.horizon ?? Infinity;
        if (from < horizon)
          throw new RangeError(`a change from end ${from} lies before the horizon ${horizon}`);
        figuresOf(aggregate).figures[window]?.add(metric, from, to, value);
      },
      insertion: (aggregate, among, grain, before, after) => {
        figuresOf(aggregate).insert(this.grid.windows, among, grain, before, after);
      },
      advance: (watermark) => this.advance(watermark),
      fineRowsFrom: (instant) => {
        this.fineRowsFrom = instant;
        this.grid = windowGrid(this.specs, this.watermark, instant);
      },
    });
    changes.release();
  }

  /**
   * Rows that are due: newly closed ends, changed open ends up to the one that contains `now` (ms of event time;
   * by default the watermark; at most `OPEN_ENDS_MAX` ends ahead), and last corrections of ends that have become
   * final. Corrections of other closed ends are left to `takeCorrections`. Nothing before the first tick.
   */
  takeRows(now = this.watermark, limit = ROWS_PER_TAKE): WindowRowBatch {
    const rows: WindowRow[] = [];
    if (this.watermark === -Infinity) return { rows, heartbeats: [], more: false };
    const fronts = this.specs.map((_, window) => this.front(window, now));
    for (const of of this.all()) {
      for (const [window, figure] of of.figures.entries()) {
        const front = fronts[window];
        if (front === undefined || !figure.due(front)) continue;
        const done = figure.take(front, this.sink(of, window, rows, limit));
        if (!done) return { rows, heartbeats: [], more: true };
      }
      if (this.isIdle(of)) this.brands.get(of.brand)?.delete(of.channel);
    }
    return { rows, heartbeats: this.takeHeartbeats(fronts), more: false };
  }

  /** How many ends, of all aggregates, would close with the watermark at `at` (ms) since rows were taken last. */
  endsToClose(at: number): number {
    if (this.watermark === -Infinity) return 0;
    let ends = 0;
    for (const [window, spec] of this.specs.entries()) {
      const from = this.grid.windows[window]?.rowsFrom ?? Infinity;
      const closed = closedTo(spec, at);
      if (closed < from) continue;
      for (const { figures } of this.all()) ends += figures[window]?.endsSinceTaken(closed, from) ?? 0;
    }
    return ends;
  }

  /** Rows of closed ends that late facts changed since they were taken. Ask every 10 s: screens have read them. */
  takeCorrections(): readonly WindowRow[] {
    const rows: WindowRow[] = [];
    if (this.watermark === -Infinity) return rows;
    const fronts = this.specs.map((_, window) => this.front(window, this.watermark));
    for (const of of this.all()) {
      for (const [window, figure] of of.figures.entries()) {
        const front = fronts[window];
        if (front !== undefined) figure.takeCorrections(front, this.sink(of, window, rows, Infinity));
      }
    }
    return rows;
  }

  /**
   * The log is folded again up to where the process before had come: ends beyond those open now cannot have been
   * written by it. Call once after `restore`, before the first new batch; until then every end may need its zero.
   */
  recovered(): void {
    this.unknownTo = this.specs.map((spec) => closedTo(spec, this.watermark) + OPEN_ENDS_MAX);
  }

  /** Everything but what was written last; the same figures give the same bytes. */
  snapshot(): Uint8Array {
    const { specs, fineRowsFrom, startedAt, watermark } = this;
    const aggregates = [...this.all()].map(({ brand, channel, figures }) => ({
      brand,
      channel,
      windows: figures,
    }));
    return writeSnapshot({ specs, fineRowsFrom, startedAt, watermark, aggregates });
  }

  private advance(watermark: number): void {
    if (!(watermark > this.watermark)) return;
    const starting = this.watermark === -Infinity;
    this.grid = windowGrid(this.specs, watermark, this.fineRowsFrom);
    if (!starting) return;
    // What lies behind the first horizon was never seen whole: it is summed up and gets no rows.
    this.startedAt = watermark;
    for (const { figures } of this.all()) {
      for (const [window, figure] of figures.entries())
        figure.skipTo(this.grid.windows[window]?.horizon ?? 0);
    }
  }

  private front(window: number, now: number): WindowFront {
    const spec = this.specs[window];
    const laid = this.grid.windows[window];
    if (spec === undefined || laid === undefined) throw new RangeError(`there is no window ${window}`);
    const closed = closedTo(spec, this.watermark);
    const nowEnd = Math.floor(now / spec.slideMs);
    return {
      horizon: laid.horizon,
      closed,
      open: Math.min(Math.max(nowEnd, closed + 1), closed + OPEN_ENDS_MAX),
      rowsFrom: laid.rowsFrom,
      unknownTo: this.unknownTo[window] ?? -Infinity,
    };
  }

  private sink(of: Aggregate, window: number, rows: WindowRow[], limit: number): EndSink {
    const spec = this.specs[window];
    if (spec === undefined) throw new RangeError(`there is no window ${window}`);
    return (endIndex, status, values) => {
      if (rows.length >= limit) return false;
      const end = (endIndex + 1) * spec.slideMs;
      const known = end - spec.widthMs < this.startedAt ? 'incomplete' : status;
      const { brand, channel } = of;
      rows.push(
        windowRow({ brand, channel, window: spec.id, end, status: known, watermark: this.watermark }, values),
      );
      return true;
    };
  }

  private takeHeartbeats(fronts: readonly WindowFront[]): readonly WindowHeartbeat[] {
    const heartbeats: WindowHeartbeat[] = [];
    for (const [window, { closed, rowsFrom }] of fronts.entries()) {
      const spec = this.specs[window];
      if (spec === undefined || closed < rowsFrom || closed <= (this.beats[window] ?? -Infinity)) continue;
      this.beats[window] = closed;
      heartbeats.push({ window: spec.id, end: (closed + 1) * spec.slideMs });
    }
    return heartbeats;
  }

  private isIdle(of: AggregateFigures): boolean {
    return of.figures.every(
      (figure, window) => figure.idle && figure.first > (this.unknownTo[window] ?? -Infinity),
    );
  }

  private *all(): Generator<AggregateFigures> {
    for (const channels of this.brands.values()) yield* channels.values();
  }

  private aggregateOf(name: Aggregate | undefined): AggregateFigures {
    if (name === undefined) throw new RangeError('the changes name no such aggregate');
    const known = this.brands.get(name.brand)?.get(name.channel);
    if (known !== undefined) return known;
    const figures = this.grid.windows.map(({ index, horizon }) => this.figureFrom(index, horizon));
    return this.keep(new AggregateFigures(name.brand, name.channel, figures));
  }

  private figureFrom(window: number, first: number): WindowFigure {
    const spec = this.specs[window];
    if (spec === undefined) throw new RangeError(`there is no window ${window}`);
    return new WindowFigure(first, Math.ceil(spec.latenessMs / spec.slideMs));
  }

  private keep(of: AggregateFigures): AggregateFigures {
    const channels = this.brands.get(of.brand) ?? new Map<string, AggregateFigures>();
    this.brands.set(of.brand, channels.set(of.channel, of));
    return of;
  }
}

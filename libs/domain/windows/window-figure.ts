import { addAmong, DifferencePages } from './difference-pages.js';
import { METRICS, type WindowRowStatus } from './window-metrics.js';

/** Ends beyond the last closed one that rows are written for at most while they are open. */
export const OPEN_ENDS_MAX = 6;

/** Where one window stands: the same for all its aggregates. Ends are indices. */
export interface WindowFront {
  /** First end that may still change. */
  readonly horizon: number;
  /** Last closed end. */
  readonly closed: number;
  /** Last open end to be written as provisional. */
  readonly open: number;
  /** First end that gets a row. */
  readonly rowsFrom: number;
  /** Up to here another process may have written rows that we do not know of: zeros must be written too. */
  readonly unknownTo: number;
}

/** Takes the figures of an end. Must copy `values`. */
export type EndSink = (
  end: number,
  status: Exclude<WindowRowStatus, 'incomplete'>,
  values: Float64Array,
) => boolean;

/**
 * One window of one (brand, channel): differences by end, summed up from the first end that is not final.
 * `first` never passes an end before its row was taken, so nothing is lost however seldom rows are taken.
 */
export class WindowFigure {
  readonly pages = new DifferencePages();
  /** Figures at the end before `first`. */
  readonly base = new Float64Array(METRICS);
  /** Last end whose row was taken as closed. */
  private taken: number;
  /** Figures at `taken`, kept up to date so that nothing is summed up twice; of no use once `first` is past it. */
  private readonly atTaken = new Float64Array(METRICS);
  private openTaken = -Infinity;
  private changed = true;
  private correctable = false;
  private nonZeroTo = -Infinity;
  private readonly emitted: EmittedEnds;
  private readonly sums = new Float64Array(METRICS);

  constructor(
    public first: number,
    latenessEnds: number,
  ) {
    this.taken = first - 1;
    this.emitted = new EmittedEnds(latenessEnds + OPEN_ENDS_MAX + 2);
  }

  /** `value` more of `metric` on the ends [from, to); `from` must not lie before the horizon. */
  add(metric: number, from: number, to: number, value: number): void {
    this.pages.add(from, metric, value);
    if (to !== Infinity) this.pages.add(to, metric, -value);
    this.changed = true;
    if (from > this.taken) return;
    this.correctable = true;
    if (to > this.taken) this.atTaken[metric] = (this.atTaken[metric] ?? 0) + value;
  }

  /** One person more on the ends [from, to), `among` (bits of `window-metrics.ts`); `from` as in `add`. */
  addPerson(among: number, from: number, to: number): void {
    this.pages.addAmong(from, among, 1);
    this.pages.addAmong(to, among, -1);
    this.changed = true;
    if (from > this.taken) return;
    this.correctable = true;
    if (to > this.taken) addAmong(this.atTaken, 0, among, 1);
  }

  /** Moves on over final ends that get no row. */
  skipTo(end: number): void {
    if (end <= this.first) return;
    this.pages.settle(this.first, end, this.base);
    this.first = end;
  }

  /** True when nothing is left of the aggregate: all its ends from here on are 0, and known to be. */
  get idle(): boolean {
    return this.nonZeroTo < this.first && isZero(this.base) && this.pages.empty;
  }

  /** Ends from `from` to `closed` whose row has not been taken as closed. */
  endsSinceTaken(closed: number, from: number): number {
    return Math.max(0, closed - Math.max(this.taken, this.first - 1, from - 1));
  }

  /** True when `take` has something to look at. */
  due(front: WindowFront): boolean {
    return this.changed || this.taken < front.closed || this.openTaken < front.open;
  }

  /**
   * Hands to `sink`: final ends that changed or were not taken yet, newly closed ends, and open ends that
   * changed. Changes of closed ends that are not final stay for `takeCorrections`.
   * @returns false when `sink` did: it is full, call again
   */
  take(front: WindowFront, sink: EndSink): boolean {
    this.skipTo(Math.min(front.horizon, front.rowsFrom));
    if (!this.settleFinal(front, sink)) return false;
    const sums = this.sums;
    const isAhead = this.taken >= this.first;
    sums.set(isAhead ? this.atTaken : this.base);
    for (let end = isAhead ? this.taken + 1 : this.first; end <= front.open; end++) {
      this.pages.addTo(end, sums);
      if (end >= front.rowsFrom && !this.write(end, front, sums, sink)) return false;
      if (end > front.closed) continue;
      this.taken = end;
      this.atTaken.set(sums);
    }
    this.openTaken = front.open;
    this.changed = false;
    return true;
  }

  /** Hands to `sink` the closed ends that changed since their row was taken. */
  takeCorrections(front: WindowFront, sink: EndSink): void {
    if (!this.correctable) return;
    const sums = this.sums;
    sums.set(this.base);
    for (let end = this.first; end <= this.taken; end++) {
      this.pages.addTo(end, sums);
      if (end >= front.rowsFrom && this.emitted.differs(end, sums, end <= front.unknownTo)) {
        this.emit(end, 'closed', sums, sink);
      }
    }
    this.correctable = false;
  }

  // Ends that have become final since the last call. Long stretches without any figure are passed in one step.
  private settleFinal(front: WindowFront, sink: EndSink): boolean {
    const sums = this.sums;
    sums.set(this.base);
    let end = this.first;
    while (end < front.horizon) {
      if (end > this.nonZeroTo && end > front.unknownTo && isZero(sums)) {
        end = Math.min(this.pages.nextFrom(end), front.horizon);
        if (end === front.horizon) break;
      }
      this.pages.addTo(end, sums);
      const due = end > this.taken || this.emitted.differs(end, sums, end <= front.unknownTo);
      if (due && !this.write(end, front, sums, sink)) {
        this.skipTo(end);
        return false;
      }
      end++;
    }
    this.skipTo(front.horizon);
    return true;
  }

  private write(end: number, front: WindowFront, values: Float64Array, sink: EndSink): boolean {
    const unknown = end <= front.unknownTo;
    if (end > front.closed) {
      return this.emitted.differs(end, values, unknown) ? this.emit(end, 'provisional', values, sink) : true;
    }
    // A closed row is due even if its figures stand there as provisional: its status changes.
    if (!unknown && !this.emitted.has(end) && isZero(values)) return true;
    return this.emit(end, 'closed', values, sink);
  }

  private emit(end: number, status: 'provisional' | 'closed', values: Float64Array, sink: EndSink): boolean {
    if (!sink(end, status, values)) return false;
    this.emitted.set(end, values);
    if (end > this.nonZeroTo && !isZero(values)) this.nonZeroTo = end;
    return true;
  }
}

/** The last figures written for each end that may still change: a ring, one slot an end. */
class EmittedEnds {
  private readonly ends: Float64Array;
  private readonly values: Float64Array;

  constructor(private readonly capacity: number) {
    this.ends = new Float64Array(capacity).fill(NaN);
    this.values = new Float64Array(capacity * METRICS);
  }

  has(end: number): boolean {
    return this.ends[this.slot(end)] === end;
  }

  /** Whether `values` are news to the reader; what was never written stands for zeros unless `unknown`. */
  differs(end: number, values: Float64Array, unknown: boolean): boolean {
    if (!this.has(end)) return unknown || !isZero(values);
    const at = this.slot(end) * METRICS;
    for (let metric = 0; metric < METRICS; metric++) {
      if (values[metric] !== this.values[at + metric]) return true;
    }
    return false;
  }

  set(end: number, values: Float64Array): void {
    const slot = this.slot(end);
    this.ends[slot] = end;
    this.values.set(values, slot * METRICS);
  }

  private slot(end: number): number {
    const slot = end % this.capacity;
    return slot < 0 ? slot + this.capacity : slot;
  }
}

function isZero(values: Float64Array): boolean {
  for (let metric = 0; metric < METRICS; metric++) if (values[metric] !== 0) return false;
  return true;
}

import {
  AMONG_ACTIVE,
  AMONG_BUYERS,
  AMONG_RELATED,
  AMONG_VISITORS,
  METRIC,
  METRICS,
} from './window-metrics.js';

/** Ends per page. 64 ends of 10 metrics are 5 KiB. */
const PAGE_ENDS = 64;
/** Bound of the pages of one aggregate and window: 80 MiB, about a million ends (121 days of 10 s slides). */
export const PAGES_MAX = 16_384;

/**
 * Pages that have been passed, all zeros: a replay passes thousands a second, and a new typed array costs ten times
 * as much as one that is there. 5 MiB at most.
 */
const spare: Float64Array<ArrayBuffer>[] = [];
const SPARE_MAX = 1_024;

/** A power of two, above the pages that the widest default window reaches over. */
const NEAR_PAGES = 16;

/**
 * Differences of the metrics by window end, held in pages that exist only where something was added: spans may
 * begin anywhere ahead of the watermark (a catch-up holds hours), nothing wraps and nothing has to be sized.
 */
export class DifferencePages {
  private readonly pages = new Map<number, Float64Array<ArrayBuffer>>();
  // The pages last used, by the low bits of their key: a span begins in one page and ends in another.
  private readonly nearKeys = new Float64Array(NEAR_PAGES).fill(NaN);
  private readonly nearPages: Float64Array<ArrayBuffer>[] = [];

  /** Number of pages held. */
  get size(): number {
    return this.pages.size;
  }

  /** True when no difference is left; a page may still be there. */
  get empty(): boolean {
    for (const page of this.pages.values()) if (page.some((value) => value !== 0)) return false;
    return true;
  }

  /** @throws RangeError when the ends held would exceed `PAGES_MAX` pages. */
  add(end: number, metric: number, value: number): void {
    const key = Math.floor(end / PAGE_ENDS);
    const page = this.near(key) ?? this.pageFor(key);
    const cell = (end - key * PAGE_ENDS) * METRICS + metric;
    page[cell] = (page[cell] ?? 0) + value;
  }

  /**
   * Adds `value` persons to the metrics that `among` (bits of `window-metrics.ts`) names.
   * @throws RangeError as `add`
   */
  addAmong(end: number, among: number, value: number): void {
    const key = Math.floor(end / PAGE_ENDS);
    const page = this.near(key) ?? this.pageFor(key);
    addAmong(page, (end - key * PAGE_ENDS) * METRICS, among, value);
  }

  /** Adds the differences at `end` to `sums`. */
  addTo(end: number, sums: Float64Array): void {
    const key = Math.floor(end / PAGE_ENDS);
    const page = this.near(key) ?? this.pages.get(key);
    if (page === undefined) return;
    const cell = (end - key * PAGE_ENDS) * METRICS;
    for (let metric = 0; metric < METRICS; metric++) {
      sums[metric] = (sums[metric] ?? 0) + (page[cell + metric] ?? 0);
    }
  }

  /**
   * Adds all differences at ends < `end` to `sums` and forgets them; there must be none before `from`.
   * Cost: the pages held, and only where one of them is passed.
   */
  settle(from: number, end: number, sums: Float64Array): void {
    const boundary = Math.floor(end / PAGE_ENDS);
    if (from < boundary * PAGE_ENDS) {
      for (const [key, page] of this.pages) {
        if (key >= boundary) continue;
        sumUp(page, 0, page.length, sums);
        this.release(key, page);
      }
    }
    const page = this.near(boundary) ?? this.pages.get(boundary);
    if (page === undefined) return;
    const first = Math.max(from - boundary * PAGE_ENDS, 0);
    sumUp(page, first * METRICS, (end - boundary * PAGE_ENDS) * METRICS, sums);
  }

  /** First end ≥ `end` at which there may be a difference; Infinity when there is none. */
  nextFrom(end: number): number {
    const key = Math.floor(end / PAGE_ENDS);
    if (this.pages.has(key)) return end;
    let next = Infinity;
    for (const held of this.pages.keys()) if (held > key && held < next) next = held;
    return next * PAGE_ENDS;
  }

  /** Calls `visit` for every cell that is not 0, by end and metric, ascending. */
  forEach(visit: (end: number, metric: number, value: number) => void): void {
    const keys = [...this.pages.keys()].sort((a, b) => a - b);
    for (const key of keys) {
      this.pages.get(key)?.forEach((value, cell) => {
        if (value !== 0) visit(key * PAGE_ENDS + Math.floor(cell / METRICS), cell % METRICS, value);
      });
    }
  }

  private near(key: number): Float64Array<ArrayBuffer> | undefined {
    const slot = key & (NEAR_PAGES - 1);
    return this.nearKeys[slot] === key ? this.nearPages[slot] : undefined;
  }

  private pageFor(key: number): Float64Array<ArrayBuffer> {
    let page = this.pages.get(key);
    if (page === undefined) {
      if (this.pages.size >= PAGES_MAX) {
        throw new RangeError(
          `more than PAGES_MAX = ${PAGES_MAX} pages of window ends lie ahead of the watermark`,
        );
      }
      page = spare.pop() ?? new Float64Array(PAGE_ENDS * METRICS);
      this.pages.set(key, page);
    }
    const slot = key & (NEAR_PAGES - 1);
    this.nearKeys[slot] = key;
    this.nearPages[slot] = page;
    return page;
  }

  private release(key: number, page: Float64Array<ArrayBuffer>): void {
    this.pages.delete(key);
    const slot = key & (NEAR_PAGES - 1);
    if (this.nearKeys[slot] === key) this.nearKeys[slot] = NaN;
    if (spare.length < SPARE_MAX) spare.push(page);
  }
}

/** Adds the cells [from, to) to `sums` and sets them to 0. */
function sumUp(page: Float64Array, from: number, to: number, sums: Float64Array): void {
  for (let cell = from; cell < to; cell += METRICS) {
    for (let metric = 0; metric < METRICS; metric++) {
      sums[metric] = (sums[metric] ?? 0) + (page[cell + metric] ?? 0);
    }
  }
  page.fill(0, from, to);
}

/** Adds `value` persons to the metrics that `among` names, in the figures that begin at `cell`. */
export function addAmong(figures: Float64Array, cell: number, among: number, value: number): void {
  const isRelated = (among & AMONG_RELATED) !== 0;
  if ((among & AMONG_VISITORS) !== 0) {
    figures[cell + METRIC.visitors] = (figures[cell + METRIC.visitors] ?? 0) + value;
    if (isRelated) {
      figures[cell + METRIC.visitorsRelated] = (figures[cell + METRIC.visitorsRelated] ?? 0) + value;
    }
  }
  if ((among & AMONG_BUYERS) !== 0) {
    figures[cell + METRIC.buyers] = (figures[cell + METRIC.buyers] ?? 0) + value;
  }
  if ((among & AMONG_ACTIVE) !== 0) {
    figures[cell + METRIC.active] = (figures[cell + METRIC.active] ?? 0) + value;
    if (isRelated) {
      figures[cell + METRIC.activeRelated] = (figures[cell + METRIC.activeRelated] ?? 0) + value;
    }
  }
}

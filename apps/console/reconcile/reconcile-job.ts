import { setTimeout as delay } from 'node:timers/promises';
import { ClickHouseFailure, type StoredComparison, type StoredDrift } from '#clickhouse';
import type { Findings } from './look-for-drift.js';

export interface ReconcileRun {
  /** When it began, ms. */
  readonly at: number;
  readonly tookMs: number;
  readonly compared: number;
  readonly differ: number;
}

export interface LookSample {
  /** In [0, 1): where the sample lies. */
  readonly offset: number;
  /** Event time up to which to look, ms: a second look is at the same figures. */
  readonly until: number;
}

export interface ReconcileJobParts {
  /** Between the ends of a run and the start of the next, ms; 0: never. */
  readonly everyMs: number;
  /** The first one comes this long after the start, ms. */
  readonly firstInMs: number;
  /** Rows and raw facts come on two ways: what differs is looked at again after this long, ms. */
  readonly secondLookMs: number;
  /** Event time that all partitions have reached, ms; null before the first row. */
  readonly reached: () => Promise<number | null>;
  readonly look: (sample: LookSample, signal: AbortSignal) => Promise<Findings>;
  /** Until raw facts have caught up with what the log holds now; what is still behind then counts as drift. */
  readonly caughtUp: (signal: AbortSignal) => Promise<void>;
  readonly store: (comparisons: readonly StoredComparison[], drifts: readonly StoredDrift[]) => Promise<void>;
  readonly onRun: (run: ReconcileRun, findings: Findings) => void;
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

/** Of one run, stored one by one; the counts are whole. */
const DRIFTS_STORED_MAX = 1_000;
/** The golden ratio: samples of successive runs never fall together, and spread evenly. */
const OFFSET_STEP = 0.618_033_988_749_894_9;

/** Holds live figures against a recount again and again, at another sample each time. */
export class ReconcileJob {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #offset = 0;
  #last: ReconcileRun | null = null;

  constructor(private readonly parts: ReconcileJobParts) {}

  /** The newest run of this process; null before the first. */
  get last(): ReconcileRun | null {
    return this.#last;
  }

  start(): void {
    if (this.parts.everyMs > 0) this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    const { everyMs, firstInMs, onFailure } = this.parts;
    for (let inMs = Math.min(firstInMs, everyMs); ; inMs = everyMs) {
      try {
        await delay(inMs, undefined, { signal, ref: false });
        await this.#run(signal);
      } catch (error) {
        if (signal.aborted) return;
        // That ClickHouse is away is said elsewhere.
        if (!(error instanceof ClickHouseFailure && error.retryable)) onFailure(error);
      }
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { reached, look, caughtUp, secondLookMs, store, onRun, now } = this.parts;
    const at = now();
    const until = await reached();
    if (until === null) return;
    const sample = { offset: this.#offset, until };
    this.#offset = (this.#offset + OFFSET_STEP) % 1;
    let found = await look(sample, signal);
    if (found.drifts.length > 0) {
      await caughtUp(signal);
      await delay(secondLookMs, undefined, { signal, ref: false });
      found = lasting(found, await look(sample, signal));
    }
    const { comparisons, drifts } = found;
    await store(
      comparisons.map((one) => ({ ...one, runAt: at })),
      drifts.slice(0, DRIFTS_STORED_MAX).map((one) => ({ ...one, runAt: at })),
    );
    const compared = comparisons.reduce((sum, one) => sum + one.compared, 0);
    this.#last = { at, tookMs: now() - at, compared, differ: drifts.length };
    onRun(this.#last, found);
  }
}

/** What differs both times. */
function lasting(first: Findings, second: Findings): Findings {
  const key = ({ brand, what, place, figure }: Findings['drifts'][number]): string =>
    JSON.stringify([brand, what, place, figure]);
  const before = new Set(first.drifts.map(key));
  const drifts = second.drifts.filter((drift) => before.has(key(drift)));
  const comparisons = second.comparisons.map((one) => ({
    ...one,
    differ: drifts.filter(({ brand, what }) => brand === one.brand && what === one.what).length,
  }));
  return { comparisons, drifts };
}

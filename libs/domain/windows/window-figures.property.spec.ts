import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALL_CHANNELS, type WindowRow, type WindowSpec } from '#domain';
import {
  LOG_BRANDS,
  LOG_CHANNELS,
  WINDOW_SETS,
  WindowHarness,
  naiveWindow,
  rowKey,
  windowLog,
  type NaiveFigures,
  type WindowLogEntry,
} from '#testing';

const HOUR_MS = 3_600_000;

const ZEROS: NaiveFigures = {
  visitors: 0,
  active: 0,
  active_related: 0,
  visitors_related: 0,
  capital: 0,
  capital_reachable: 0,
  orders: 0,
  buyers: 0,
  gmv_gross_minor: 0,
  refunds_minor: 0,
};

const METRIC_NAMES = [
  'visitors',
  'active',
  'active_related',
  'visitors_related',
  'capital',
  'capital_reachable',
  'orders',
  'buyers',
  'gmv_gross_minor',
  'refunds_minor',
] as const;

function figuresOf(row: WindowRow | undefined): NaiveFigures {
  if (row === undefined) return ZEROS;
  const { visitors, active, active_related, visitors_related, capital, orders, buyers } = row;
  const { capital_reachable, gmv_gross_minor, refunds_minor } = row;
  return {
    visitors,
    active,
    active_related,
    visitors_related,
    capital,
    capital_reachable,
    orders,
    buyers,
    gmv_gross_minor,
    refunds_minor,
  };
}

function sameFigures(a: NaiveFigures, b: NaiveFigures): boolean {
  return METRIC_NAMES.every((name) => a[name] === b[name]);
}

const floorTo = (at: number, unit: number) => Math.floor(at / unit) * unit;

/** End instants of all ends from the horizon at `first` on, to the open end at `watermark`. */
function endsOf(spec: WindowSpec, first: number, watermark: number): readonly number[] {
  const from = floorTo(first - spec.latenessMs, spec.slideMs) + spec.slideMs;
  const open = floorTo(watermark, spec.slideMs) + spec.slideMs;
  return Array.from({ length: (open - from) / spec.slideMs + 1 }, (_, i) => from + i * spec.slideMs);
}

function firstTick(log: readonly WindowLogEntry[]): number {
  return log.find((entry) => entry.type === 'tick')?.at ?? NaN;
}

/**
 * Compares every (aggregate, end) with the recount, from the horizon at instant `since` on (what lies before was
 * final when it was compared last); returns how many ends were compared.
 */
function expectRecounted(harness: WindowHarness, since: number): number {
  const { watermark } = harness.grid;
  if (watermark === -Infinity) return 0;
  const log = harness.log.slice(0, harness.position);
  let compared = 0;
  for (const spec of harness.specs) {
    const rowsFrom = spec.slideMs < HOUR_MS ? harness.fineRowsFrom : -Infinity;
    const ends = endsOf(spec, Math.max(since, firstTick(log)), watermark).filter((end) => end >= rowsFrom);
    for (const brand of LOG_BRANDS) {
      for (const channel of [...LOG_CHANNELS, ALL_CHANNELS]) {
        const naive = naiveWindow(log, spec, brand, channel);
        for (const end of ends) {
          const row = harness.table.get(rowKey(brand, channel, spec.id, end));
          const expected = naive(end);
          const actual = figuresOf(row);
          // `toEqual` on each of millions of values would take most of the time.
          if (!sameFigures(actual, expected)) {
            expect({ brand, channel, window: spec.id, end, ...actual }).toEqual({
              brand,
              channel,
              window: spec.id,
              end,
              ...expected,
            });
          }
          expectBounds(expected, row, watermark);
          compared++;
        }
      }
    }
    const closed = floorTo(watermark, spec.slideMs);
    expect(harness.heartbeats.get(spec.id)).toBe(closed >= rowsFrom ? closed : undefined);
  }
  return compared;
}

function expectBounds(figures: NaiveFigures, row: WindowRow | undefined, watermark: number): void {
  const { visitors, active, active_related, visitors_related, capital, buyers } = figures;
  const ordered = active_related <= active && active <= visitors && visitors_related <= visitors;
  const status =
    row === undefined || row.status === 'incomplete' || (row.status === 'closed') === row.end <= watermark;
  const { capital_reachable: reachable } = figures;
  const sensible =
    active_related <= visitors_related && reachable >= 0 && reachable <= capital && buyers <= figures.orders;
  if (!ordered || !sensible || !status) {
    expect({ ...figures, ...row }).toBe(
      'visitors ≥ active ≥ active ∩ related, and a status that fits the end',
    );
  }
}

interface Driver {
  readonly log: readonly WindowLogEntry[];
  readonly specs: readonly WindowSpec[];
  /** Where `Rules.fineRowsFrom` lies between the first event and the last; null for rows of all ends. */
  readonly fineRowsFrom: number | null;
  /** After each cut: what happens to the batch and after it. */
  readonly cuts: readonly {
    readonly count: number;
    readonly dropped: boolean;
    readonly crash: boolean;
    readonly checkpoint: boolean;
    readonly rows: boolean;
    readonly corrections: boolean;
    readonly check: boolean;
    readonly limit: number;
  }[];
}

function instantOf(part: number | null, log: readonly WindowLogEntry[]): number {
  if (part === null) return 0;
  const instants = log.map(({ at }) => at);
  const [from, to] = [Math.min(...instants), Math.max(...instants)];
  return Math.max(0, Math.round(from + part * (to - from)));
}

const driver: fc.Arbitrary<Driver> = fc.record({
  log: windowLog(70),
  specs: fc.constantFrom(...WINDOW_SETS),
  fineRowsFrom: fc.option(fc.double({ min: -0.1, max: 1.1, noNaN: true })),
  cuts: fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      dropped: fc.boolean(),
      crash: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
      checkpoint: fc.boolean(),
      rows: fc.boolean(),
      corrections: fc.boolean(),
      check: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
      limit: fc.constantFrom(9, 50_000, 50_000),
    }),
    { minLength: 1, maxLength: 30 },
  ),
});

describe('rolling figures against a recount of the raw log', () => {
  it('are equal at every end and any moment, whatever the batches, retries, crashes and times of writing', () => {
    let compared = 0;
    fc.assert(
      fc.property(driver, ({ log, specs, fineRowsFrom, cuts }) => {
        const harness = new WindowHarness(log, specs, instantOf(fineRowsFrom, log));
        let saved = harness.checkpoint();
        let since = -Infinity;
        for (let i = 0; harness.position < log.length; i++) {
          const cut = cuts[i % cuts.length];
          if (cut === undefined) break;
          if (cut.dropped) harness.fold(cut.count);
          harness.run(cut.count);
          if (cut.rows) harness.takeRows(cut.limit);
          if (cut.corrections) harness.takeCorrections();
          if (cut.checkpoint) saved = harness.checkpoint();
          if (cut.crash) harness.crash(saved);
          if (!cut.check) continue;
          harness.takeRows(cut.limit);
          harness.takeCorrections();
          compared += expectRecounted(harness, since);
          since = harness.grid.watermark;
        }
        harness.takeRows();
        harness.takeCorrections();
        compared += expectRecounted(harness, since);
      }),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(100_000);
  });
});

/** The rows that say anything: what a reader of the table sees. */
function tableOf(harness: WindowHarness): ReadonlyMap<string, NaiveFigures> {
  const rows = [...harness.table].map(([key, row]): [string, NaiveFigures] => [key, figuresOf(row)]);
  return new Map(
    rows.filter(([, figures]) => !sameFigures(figures, ZEROS)).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function runAll(harness: WindowHarness, batch: number): void {
  while (harness.position < harness.log.length) {
    harness.run(batch);
    harness.takeRows();
    harness.takeCorrections();
  }
}

describe('the table of rows', () => {
  it('is the same for any order within the lateness, any duplicates, ticks and batches', () => {
    const arrival = fc.array(
      fc.record({ delay: fc.double({ min: 0, max: 1, noNaN: true }), twice: fc.boolean() }),
      {
        minLength: 10,
        maxLength: 10,
      },
    );
    const ticks = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 15 });
    const way = fc.record({ arrival, ticks, batch: fc.integer({ min: 1, max: 30 }) });
    const specs = fc.constantFrom(...WINDOW_SETS.filter(([finest]) => (finest?.latenessMs ?? 0) > 0));
    fc.assert(
      fc.property(windowLog(50), specs, way, way, (log, windows, one, other) => {
        const events = log.filter((entry) => entry.type !== 'tick');
        const lateness = windows[0]?.latenessMs ?? 0;
        const instants = events.map(({ at }) => at);
        const from = Math.min(...instants) - 1;
        const to = Math.max(...instants) + lateness + 1;
        const tables = [one, other].map(({ arrival: arrivals, ticks: between, batch }) => {
          const arrived = events.flatMap((entry, i) => {
            const { delay = 0, twice = false } = arrivals[i % arrivals.length] ?? {};
            const when = entry.at + delay * lateness;
            return twice
              ? [
                  { when, entry },
                  { when: when + lateness, entry },
                ]
              : [{ when, entry }];
          });
          const moves = [0, ...between, 1].map((part) => Math.floor(from + part * (to - from)));
          const ticked = moves.map((at): { when: number; entry: WindowLogEntry } => ({
            when: at,
            entry: { type: 'tick', at },
          }));
          const sorted = [...arrived, ...ticked].sort((a, b) => a.when - b.when).map(({ entry }) => entry);
          const harness = new WindowHarness(sorted, windows);
          runAll(harness, batch);
          return tableOf(harness);
        });
        expect(tables[0]).toEqual(tables[1]);
      }),
      { numRuns: 100 },
    );
  });

  it('is never changed where ends are final, nor written ahead of the open end', () => {
    fc.assert(
      fc.property(
        windowLog(70),
        fc.constantFrom(...WINDOW_SETS),
        fc.integer({ min: 1, max: 20 }),
        (log, specs, batch) => {
          const harness = new WindowHarness(log, specs);
          let takenAt = -Infinity;
          while (harness.position < log.length) {
            harness.run(batch);
            const { watermark } = harness.grid;
            for (const row of [...harness.takeRows(), ...harness.takeCorrections()]) {
              const { slideMs = NaN, latenessMs = NaN } = specs.find(({ id }) => id === row.window) ?? {};
              const isOpen =
                row.end > takenAt - latenessMs && row.end <= floorTo(watermark, slideMs) + slideMs;
              if (!isOpen) expect({ ...row, takenAt }).toBe('a row of an end that may change');
            }
            takenAt = watermark;
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('goes to zero with time alone, but for links that last; then nothing is held (no traffic)', () => {
    fc.assert(
      fc.property(windowLog(50), fc.constantFrom(...WINDOW_SETS), (log, specs) => {
        const last = Math.max(...log.map(({ at }) => at));
        const off = log
          .filter((entry) => entry.type === 'link')
          .map((entry, i): WindowLogEntry => ({ ...entry, id: `off${i}`, on: false, at: last + 60_000 }));
        const calm = last + 11 * 3_600_000;
        const ticks: WindowLogEntry[] = [calm, calm + 7_000].map((at) => ({ type: 'tick', at }));
        const after = new WindowHarness([...log, { type: 'tick', at: last }, ...off, ...ticks], specs);
        runAll(after, 10);
        expectRecounted(after, calm - 600_000);
        const rows = [...after.table.values()];
        expect(rows.filter((row) => row.end > calm && !sameFigures(figuresOf(row), ZEROS))).toEqual([]);
        expect([after.figures.aggregates, after.figures.pages]).toEqual([0, 0]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('too late events', () => {
  it('are counted once for every window some of whose final ends they missed', () => {
    fc.assert(
      fc.property(windowLog(70), fc.constantFrom(...WINDOW_SETS), (log, specs) => {
        const harness = new WindowHarness(log, specs);
        const { late } = harness.run(log.length).changes;
        const ids = new Set<string>();
        const expected = new Map<string, number>();
        let watermark = -Infinity;
        for (const entry of log) {
          if (entry.type === 'tick') watermark = Math.max(watermark, entry.at);
          else if (!ids.has(entry.id)) {
            ids.add(entry.id);
            for (const { id, latenessMs, slideMs } of specs) {
              const firstEnd = floorTo(entry.at, slideMs) + slideMs;
              if (firstEnd <= watermark - latenessMs) expected.set(id, (expected.get(id) ?? 0) + 1);
            }
          }
        }
        expect(late).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

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

const ZEROS: NaiveFigures = {
  visitors: 0,
  active: 0,
  active_related: 0,
  visitors_related: 0,
  capital: 0,
  orders: 0,
  gmv_gross_minor: 0,
  refunds_minor: 0,
};

const METRIC_NAMES = [
  'visitors',
  'active',
  'active_related',
  'visitors_related',
  'capital',
  'orders',
  'gmv_gross_minor',
  'refunds_minor',
] as const;

function figuresOf(row: WindowRow | undefined): NaiveFigures {
  if (row === undefined) return ZEROS;
  const { visitors, active, active_related, visitors_related, capital, orders } = row;
  const { gmv_gross_minor, refunds_minor } = row;
  return {
    visitors,
    active,
    active_related,
    visitors_related,
    capital,
    orders,
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
    const ends = endsOf(spec, Math.max(since, firstTick(log)), watermark);
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
    expect(harness.heartbeats.get(spec.id)).toBe(floorTo(watermark, spec.slideMs));
  }
  return compared;
}

function expectBounds(figures: NaiveFigures, row: WindowRow | undefined, watermark: number): void {
  const { visitors, active, active_related, visitors_related, capital } = figures;
  const ordered = active_related <= active && active <= visitors && visitors_related <= visitors;
  const status =
    row === undefined || row.status === 'incomplete' || (row.status === 'closed') === row.end <= watermark;
  if (!ordered || active_related > visitors_related || capital < 0 || !status) {
    expect({ ...figures, ...row }).toBe(
      'visitors ≥ active ≥ active ∩ related, and a status that fits the end',
    );
  }
}

interface Driver {
  readonly log: readonly WindowLogEntry[];
  readonly specs: readonly WindowSpec[];
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

const driver: fc.Arbitrary<Driver> = fc.record({
  log: windowLog(70),
  specs: fc.constantFrom(...WINDOW_SETS),
  cuts: fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      dropped: fc.boolean(),
      crash: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
      checkpoint: fc.boolean(),
      rows: fc.boolean(),
      corrections: fc.boolean(),
      check: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
      limit: fc.constantFrom(1, 7, 50_000),
    }),
    { minLength: 1, maxLength: 30 },
  ),
});

describe('rolling figures against a recount of the raw log', () => {
  it('are equal at every end and any moment, whatever the batches, retries, crashes and times of writing', () => {
    let compared = 0;
    fc.assert(
      fc.property(driver, ({ log, specs, cuts }) => {
        const harness = new WindowHarness(log, specs);
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

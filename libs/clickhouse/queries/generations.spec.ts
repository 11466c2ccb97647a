import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultRules } from '#domain';
import type { FigureRow } from '#pipeline';
import { type EmbeddedClickHouse, eventually, openEmbeddedClickHouse } from '#testing';
import { reachedBy } from '../reconcile/reached-by.js';
import { integer, rowOf } from '../row-reader.js';
import { versionAt } from '../row-version.js';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { GenerationSink } from '../sinks/generation-sink.js';
import { compareGenerations } from './compare-generations.js';
import { generations, shownGeneration, type StoredGeneration } from './generations.js';
import { latestPeriodFigures } from './period-figures.js';
import { tierStocks } from './persons.js';
import { NO_COUNTS } from './window-counts.js';
import { latestWindowFigures } from './window-figures.js';

const AT = Date.UTC(2026, 10, 11);
const SCHEME = 'rolling:30d';
const [FIRST] = defaultRules().windows;
if (FIRST === undefined) throw new Error('no window');
const WINDOW = FIRST.id;

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

/** All that one partition says in a generation, where the tier of its only person and the visitors are `n`. */
function rows(generation: number, n: 2 | 3, end = AT): readonly FigureRow[] {
  const head = { brand: 'b1', partition: 0, generation, version: (BigInt(generation) << 48n) + 5n } as const;
  const watermark = end;
  return [
    { table: 'window_heartbeats', window: WINDOW, end, partition: 0, generation, version: head.version },
    {
      ...{
        table: 'window_figures',
        ...head,
        channel: 'all',
        window: WINDOW,
        end,
        status: 'closed',
        watermark,
      },
      ...{ ...NO_COUNTS, visitors: n },
    },
    {
      ...{ table: 'period_figures', ...head, channel: 'all', scheme_id: SCHEME, period_id: SCHEME },
      ...{ day: '2026-11-10', status: 'closed', watermark, capital: n, capital_base: 1, new_relations: 0 },
      ...{
        lost_relations: 0,
        orders: 0,
        gmv_gross_minor: 0,
        refunds_minor: 0,
        deepened: 0,
        deepened_cohort: 0,
      },
      tiers: [0, 0, n === 2 ? 1 : 0, n === 3 ? 1 : 0, 0, 0],
    },
    {
      ...{ table: 'persons', ...head, scheme_id: SCHEME, person: 'p', period_id: SCHEME, tier: n },
      ...{ purchase_days: 0, orders: 0, own_value_minor: 0, first_purchase: null, last_purchase: null },
      ...{ is_member: true, gone: false },
    },
  ];
}

async function seen() {
  const { clickhouse } = engine;
  const query = { brand: 'b1', schemeId: SCHEME };
  return {
    visitors: (await latestWindowFigures(clickhouse, { brand: 'b1', window: WINDOW }))?.visitors,
    capital: (await latestPeriodFigures(clickhouse, query))?.capital,
    tier: (await tierStocks(clickhouse, query)).indexOf(1),
    reached: await reachedBy(clickhouse),
    generation: await shownGeneration(clickhouse),
  };
}

const entry: StoredGeneration = {
  ...{ generation: 2, epoch: 2, logId: 'l', foldVersion: 2, state: 'building' },
  ...{ beganAt: AT, changedAt: AT, build: 'test', shownFrom: [] },
};
const SEEN_FIRST = { visitors: 2, capital: 2, tier: 2, reached: AT, generation: 1 };

describe('generations', () => {
  it('shows the first one without any entry', async () => {
    expect(await shownGeneration(engine.clickhouse)).toBe(0);
    await new ClickHouseFigureSink(engine.clickhouse).write(rows(1, 2));
    expect(await seen()).toEqual(SEEN_FIRST);
    expect(await generations(engine.clickhouse)).toEqual([]);
  });

  it('shows nothing of one that is being built', async () => {
    await new GenerationSink(engine.clickhouse).write(entry);
    await new ClickHouseFigureSink(engine.clickhouse).write(rows(2, 3, AT + FIRST.slideMs));
    expect(await seen()).toEqual(SEEN_FIRST);
  });

  it('lays both side by side, row by row, but for what has moved on since', async () => {
    const at = (position: number) => ({
      ...{ shown: 1, rebuilt: 2, windows: [FIRST], positions: new Map([[0, position]]) },
    });
    const { compared, movedOn, differences } = await compareGenerations(engine.clickhouse, at(5));
    const head = { brand: 'b1', channel: 'all', rows: 1 };
    const period = { ...head, what: `period ${SCHEME}`, newest: '2026-11-10' };
    // The row of the second is of an end that the first has not closed.
    const window = { ...head, what: `window ${WINDOW}`, newest: '2026-11-11T00:00:00Z' };
    expect(differences).toEqual([
      { ...window, figure: 'visitors', shown: 2, rebuilt: 0 },
      { ...period, figure: 'capital', shown: 2, rebuilt: 3 },
      { ...period, figure: 'tier 2', shown: 1, rebuilt: 0 },
      { ...period, figure: 'tier 3', shown: 0, rebuilt: 1 },
    ]);
    expect({ compared, movedOn }).toEqual({ compared: 25, movedOn: 0 });
    const later = await compareGenerations(engine.clickhouse, at(4));
    expect(later).toEqual({ compared: 0, movedOn: 25, differences: [] });
  });

  it('goes over to it at once when it is shown, and back when it is discarded, whose rows go', async () => {
    const sink = new GenerationSink(engine.clickhouse);
    await sink.write({ ...entry, state: 'shown', changedAt: AT + 1 });
    expect(await seen()).toEqual({
      ...{ visitors: 3, capital: 3, tier: 3, reached: AT + FIRST.slideMs, generation: 2 },
    });
    await sink.write({ ...entry, state: 'discarded', changedAt: AT + 2 });
    expect(await seen()).toEqual(SEEN_FIRST);
    await sink.deleteRows(2);
    const left = async () => {
      const [found] = await engine.clickhouse.query({
        sql: 'SELECT count() AS n FROM gravity.persons WHERE generation = 2',
        row: rowOf({ n: integer }),
      });
      return found?.n;
    };
    await eventually(async () => expect(await left()).toBe(0));
    expect(await generations(engine.clickhouse)).toEqual([
      { ...entry, state: 'discarded', changedAt: AT + 2 },
    ]);
    expect(await seen()).toEqual(SEEN_FIRST);
  });

  it('shows one of a repartition once every partition has come to where it was made', async () => {
    const third: StoredGeneration = {
      ...{ ...entry, generation: 3, epoch: 3, state: 'shown' },
      shownFrom: [versionAt(3, 5), versionAt(3, 9)],
    };
    await new GenerationSink(engine.clickhouse).write(third);
    expect((await generations(engine.clickhouse))[0]).toEqual(third);
    const end = AT + 2 * FIRST.slideMs;
    const sink = new ClickHouseFigureSink(engine.clickhouse);
    await sink.write(rows(3, 3, end));
    expect(await seen()).toEqual(SEEN_FIRST);
    const beat = { table: 'window_heartbeats', window: WINDOW, end, partition: 1, generation: 3 } as const;
    for (const offset of [0, 8]) {
      await sink.write([{ ...beat, version: versionAt(3, offset) }]);
      expect(await seen()).toEqual(SEEN_FIRST);
    }
    await sink.write([{ ...beat, version: versionAt(3, 9) }]);
    const shownThird = { visitors: 3, capital: 3, tier: 3, reached: end, generation: 3 };
    expect(await seen()).toEqual(shownThird);
    await sink.write([{ ...beat, end: end + FIRST.slideMs, version: versionAt(3, 12) }]);
    expect(await seen()).toEqual(shownThird);
  });
});

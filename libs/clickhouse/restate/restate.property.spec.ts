/** Random logs with very late events on the real engine: what is reopened says what a naive count of the log finds. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALL_CHANNELS, type WindowSpec } from '#domain';
import { type EmbeddedClickHouse, FoldedTables, KIT_BRAND, openEmbeddedClickHouse } from '#testing';
import {
  arrivals,
  fullLog,
  LOG_RULES,
  personLog,
  withoutRivals,
  type PersonLog,
} from '../../testing/arbitrary-log.js';
import { naiveTouchpointWindow } from '../../testing/naive-touchpoint-window.js';
import { firstWholeEnd, heartbeats } from '../queries/window-figures.js';
import { WINDOW_COUNT_READERS, WINDOW_COUNTS } from '../queries/window-counts.js';
import { differenceAt } from '../reconcile/difference-at.js';
import { reconcileWindow } from '../reconcile/reconcile-windows.js';
import { integer, oneOf, rowOf, text } from '../row-reader.js';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import type { Reopened } from './ends-to-restate.js';
import { planRestatement } from './plan-restatement.js';
import { restate } from './restate.js';

const DAY = 86_400_000;
/** Far beyond the lateness of the windows of `LOG_RULES`. */
const VERY_LATE = 5 * DAY;
const BRAND = KIT_BRAND;
const CHANNELS = ['shop', 'live', 'group'];

const seed = process.env['FC_SEED'] === undefined ? undefined : Number(process.env['FC_SEED']);
const RUNS = Number(process.env['FC_RUNS'] ?? 1);
const TIMEOUT_MS = 600_000 * RUNS;
const settings = {
  numRuns: Math.ceil(2 * RUNS),
  endOnFailure: seed === undefined,
  ...(seed === undefined ? {} : { seed }),
};

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

/** Of one go here: the naive count is slow. */
const ENDS = 300;

/** The first final ends of a window that were seen whole, or the last ones; null where there are none. */
async function finalEnds(window: WindowSpec, fromLast: boolean): Promise<Reopened | null> {
  const beats = await heartbeats(engine.clickhouse, window.id);
  if (beats === null) return null;
  const { generation, closed } = beats;
  const from = await firstWholeEnd(engine.clickhouse, { window, generation });
  const last =
    Math.floor((Math.min(...closed.values()) - window.latenessMs) / window.slideMs) * window.slideMs;
  if (from === null || last < from) return null;
  const span = (ENDS - 1) * window.slideMs;
  const bounds = fromLast
    ? { from: Math.max(from, last - span), to: last }
    : { from, to: Math.min(last, from + span) };
  return { brand: BRAND, channel: null, window, ...bounds };
}

const OPTIONS = { awaitFacts: () => Promise.resolve(), acceptUnexplained: true };
let restatements = 0;
const cause = () => ({ id: `r${++restatements}`, at: 0, by: 'ops', reason: 'late', build: 'test' });

async function storedAt({ window, from, to }: Reopened) {
  return engine.clickhouse.query({
    sql: `
      SELECT channel, toUnixTimestamp64Milli(end) AS end_ms, max(toString(status)) AS worst,
        ${WINDOW_COUNTS.map((count) => `sum(t.${count}) AS ${count}`).join(', ')}
      FROM gravity.window_figures AS t FINAL
      WHERE window = {window:String} AND end >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND end <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      GROUP BY channel, end_ms ORDER BY channel, end_ms`,
    params: { window: window.id, from, to },
    row: rowOf({
      ...{ channel: text, end_ms: integer, worst: oneOf(['closed', 'restated']) },
      ...WINDOW_COUNT_READERS,
    }),
  });
}

/** Every end in every channel, in one go. */
async function expectNaive(asked: Reopened, tables: FoldedTables): Promise<void> {
  const { window, from, to } = asked;
  const naive = naiveTouchpointWindow(tables.facts, LOG_RULES);
  const rows = new Map((await storedAt(asked)).map((row) => [`${row.channel} ${row.end_ms}`, row]));
  for (let end = from; end <= to; end += window.slideMs) {
    for (const channel of [ALL_CHANNELS, ...CHANNELS]) {
      const expected = naive(channel, end - window.widthMs, end);
      const row = rows.get(`${channel} ${end}`);
      const wrong = WINDOW_COUNTS.filter((figure) => (row?.[figure] ?? 0) !== expected[figure]);
      if (wrong.length > 0) expect({ channel, end: new Date(end), ...row }).toMatchObject({ ...expected });
    }
  }
}

/** Some of the ends, in every channel. */
async function expectReconciled({ brand, window, from, to }: Reopened): Promise<void> {
  const beats = await heartbeats(engine.clickhouse, window.id);
  if (beats === null) throw new Error('no heartbeats');
  const step = Math.max(1, Math.floor((to - from) / window.slideMs / 2)) * window.slideMs;
  for (let end = from; end <= to; end += step) {
    for (const channel of [ALL_CHANNELS, ...CHANNELS]) {
      const found = await differenceAt(engine.clickhouse, { brand, window }, beats, channel, end);
      expect({ end, channel, ...found }).toEqual({ end, channel, isLate: false, drifts: [] });
    }
  }
}

let changed = 0;

async function check(
  log: PersonLog,
  partitions: number,
  chunkEnds: number,
  fromLast: boolean,
): Promise<void> {
  const { clickhouse } = engine;
  const tables = await FoldedTables.empty(clickhouse, LOG_RULES, partitions);
  await tables.fold(arrivals(log, 0));
  for (const window of LOG_RULES.windows) {
    const asked = await finalEnds(window, fromLast);
    if (asked === null) continue;
    const plan = await planRestatement(clickhouse, asked, { ...OPTIONS, chunkEnds });
    await restate(clickhouse, asked, plan, cause());
    changed += plan.endsChanged;
    await expectNaive(asked, tables);
    const again = await planRestatement(clickhouse, asked, { ...OPTIONS, chunkEnds: chunkEnds + 7 });
    expect(again).toMatchObject({ endsChanged: 0, rows: [], changes: [] });
    // A partition that is folded again may send its rows once more, even with a higher offset.
    const before = await storedAt(asked);
    const resent = tables.rows.filter(({ table }) => table === 'window_figures');
    await new ClickHouseFigureSink(clickhouse).write(
      resent.map((row) => ({ ...row, version: row.version + 1_000n })),
    );
    expect(await storedAt(asked)).toEqual(before);
    await expectReconciled(asked);
  }
}

describe('a restatement of all final ends', () => {
  it(
    'makes each row what a naive count of the whole log finds, and has nothing to do the second time',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          personLog(VERY_LATE),
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 60, max: 400 }),
          fc.boolean(),
          check,
        ),
        { ...settings, examples: [[fullLog(VERY_LATE), 2, 200, false]] },
      );
      // Else the logs were too tame to show anything.
      expect(changed).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'is not needed by reconciliation, to which the ledger explains what rows of final ends do not say',
    async () => {
      let late = 0;
      const look = async (log: PersonLog, partitions: number): Promise<void> => {
        const tables = await FoldedTables.empty(engine.clickhouse, LOG_RULES, partitions);
        await tables.fold(arrivals(withoutRivals(log), 0));
        for (const window of LOG_RULES.windows) {
          const asked = await finalEnds(window, true);
          if (asked === null) continue;
          const sample = {
            brand: BRAND,
            channels: CHANNELS,
            window,
            // Few are counted one by one, many in blocks.
            endsMax: partitions === 1 ? 10 : ENDS,
            offset: 0.3,
            until: asked.to,
          };
          const found = await reconcileWindow(engine.clickhouse, sample);
          expect(found.drifts).toEqual([]);
          late += found.late;
        }
      };
      await fc.assert(fc.asyncProperty(personLog(VERY_LATE), fc.integer({ min: 1, max: 3 }), look), {
        ...settings,
        examples: [[fullLog(VERY_LATE), 2]],
      });
      expect(late).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

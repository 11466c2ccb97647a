import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry, type WindowSpec } from '#domain';
import {
  type EmbeddedClickHouse,
  engage,
  FoldedTables,
  KIT_BRAND,
  link,
  openEmbeddedClickHouse,
  pay,
  tick,
  visit,
} from '#testing';
import { restatements } from '../queries/restatements.js';
import { windowFiguresAt, windowSeries } from '../queries/window-figures.js';
import { reconcileWindow } from '../reconcile/reconcile-windows.js';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import type { Reopened } from './ends-to-restate.js';
import { planRestatement, type PlanOptions, type RestatementPlan } from './plan-restatement.js';
import { restate } from './restate.js';
import { RestatementRefused } from './restatement-refused.js';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 11, 12);
const WINDOW: WindowSpec = { id: '5m', widthMs: 5 * MINUTE, slideMs: MINUTE, latenessMs: 10 * MINUTE };
const RULES = defaultRules({ windows: [WINDOW] });
const EPOCH = 2n ** 48n;

let engine: EmbeddedClickHouse;
let tables: FoldedTables;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

const head = (id: string, person: string, channel = 'shop') => ({ id, person, channel });
/** Of two partitions: persons a and b. */
const IN_TIME: readonly LogEntry[] = [
  tick(NOON - 60 * MINUTE),
  link('MEMBER', true, NOON - 6 * MINUTE, head('e1', 'a')),
  visit(NOON - 3 * MINUTE, head('e2', 'a')),
  engage(NOON - 2 * MINUTE, 'LIKE', head('e3', 'b', 'live')),
  tick(NOON),
  tick(NOON + 30 * MINUTE),
];
const LATE: readonly LogEntry[] = [
  engage(NOON - 4 * MINUTE, 'LIKE', head('l1', 'a', 'live')),
  pay('o1', NOON - 4 * MINUTE, { ...head('l2', 'b'), amount: 700 }),
  tick(NOON + 31 * MINUTE),
];

const ASKED: Reopened = {
  ...{ brand: KIT_BRAND, channel: null, window: WINDOW },
  ...{ from: NOON - 5 * MINUTE, to: NOON + 3 * MINUTE },
};
const OPTIONS: PlanOptions = { awaitFacts: () => Promise.resolve() };
const CAUSE = { id: 'r1', at: NOON, by: 'ops', reason: 'a feed came late', build: 'test' };

const plan = (
  changes: Partial<Reopened> = {},
  options: Partial<PlanOptions> = {},
): Promise<RestatementPlan> =>
  planRestatement(engine.clickhouse, { ...ASKED, ...changes }, { ...OPTIONS, ...options });
async function reopen(changes: Partial<Reopened> = {}, options: Partial<PlanOptions> = {}, id = 'r1') {
  const planned = await plan(changes, options);
  await restate(engine.clickhouse, { ...ASKED, ...changes }, planned, { ...CAUSE, id });
  return planned;
}
const figures = (channel = 'all') =>
  windowFiguresAt(engine.clickhouse, { brand: KIT_BRAND, channel, window: WINDOW.id }, NOON);
const reconcile = () =>
  reconcileWindow(engine.clickhouse, {
    ...{ brand: KIT_BRAND, channels: ['shop', 'live'], window: WINDOW, endsMax: 30, offset: 0.4 },
    until: ASKED.to,
  });

beforeEach(async () => {
  tables = await FoldedTables.empty(engine.clickhouse, RULES, 2);
  await tables.fold([...IN_TIME, ...LATE]);
});

describe('a period that is reopened', () => {
  it('holds what came too late, says that it was restated, and is reconciled without exception', async () => {
    expect(await figures()).toMatchObject({ visitors: 2, active: 1, orders: 0, status: 'closed' });
    const before = await reconcile();
    expect(before).toMatchObject({ drifts: [] });
    expect(before.late).toBeGreaterThan(0);

    const planned = await reopen();
    expect(planned).toMatchObject({ ends: 9, endsChanged: 5 });
    const after = { visitors: 2, active: 2, active_related: 1, orders: 1, buyers: 1, gmv_gross_minor: 700 };
    expect(await figures()).toMatchObject({ ...after, status: 'restated' });
    expect(await figures('live')).toMatchObject({ visitors: 2, active: 2, active_related: 1, orders: 0 });
    expect(await reconcile()).toMatchObject({ late: 0, drifts: [] });

    const series = await windowSeries(engine.clickhouse, { ...ASKED, channel: 'all', window: '5m' });
    const restated = series.filter(({ status }) => status === 'restated').map(({ end }) => end);
    expect(restated).toEqual([-3, -2, -1, 0, 1].map((n) => NOON + n * MINUTE));
  });

  it('tells by how much each figure changes, and keeps it with who did it and why', async () => {
    const { changes, positions } = await reopen();
    expect(changes).toContainEqual({
      ...{ channel: 'all', figure: 'gmv_gross_minor', ends: 5, before: 0, after: 3_500 },
      ...{ largest: 700, largestAt: NOON - 3 * MINUTE },
    });
    expect(changes).toContainEqual(
      expect.objectContaining({ channel: 'live', figure: 'active', ends: 5, before: 3, after: 8 }),
    );
    expect(changes.filter(({ figure }) => figure === 'capital')).toEqual([]);
    const [entry, ...others] = await restatements(engine.clickhouse, { brand: KIT_BRAND, limit: 10 });
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      ...{ ...CAUSE, state: 'done', brand: KIT_BRAND, channel: '', window: '5m', generation: 1 },
      ...{ fromEnd: ASKED.from, toEnd: ASKED.to, ends: 9, endsChanged: 5 },
    });
    expect(JSON.parse(entry?.changes ?? '')).toEqual(changes);
    expect(JSON.parse(entry?.logPositions ?? '')).toEqual(Object.fromEntries(positions));
  });

  it('changes nothing the second time, nor when nothing came late', async () => {
    await reopen();
    expect(await reopen({}, {}, 'r2')).toMatchObject({ endsChanged: 0, rows: [], changes: [] });
    expect(await reopen({ to: NOON - 4 * MINUTE }, {}, 'r3')).toMatchObject({ endsChanged: 0, rows: [] });
    expect(await restatements(engine.clickhouse, { brand: '', limit: 10 })).toHaveLength(1);
  });

  it('is restated in one channel alone if only that is asked for', async () => {
    await reopen({ channel: 'live' });
    expect(await figures('live')).toMatchObject({ active: 2, status: 'restated' });
    expect(await figures()).toMatchObject({ active: 1, status: 'closed' });
    expect(await reconcile()).toMatchObject({ drifts: [] });
  });

  it('misses what comes even later, which the ledger names, until it is reopened again', async () => {
    await reopen();
    await tables.fold([visit(NOON - MINUTE, head('l3', 'c')), tick(NOON + 32 * MINUTE)]);
    expect(await figures()).toMatchObject({ visitors: 2, status: 'restated' });
    const between = await reconcile();
    expect(between.drifts).toEqual([]);
    expect(between.late).toBeGreaterThan(0);
    expect(await reopen({}, {}, 'r2')).toMatchObject({ endsChanged: 4 });
    expect(await figures()).toMatchObject({ visitors: 3, gmv_gross_minor: 700, status: 'restated' });
    expect(await reconcile()).toMatchObject({ late: 0, drifts: [] });
  });
  it('is told from a repetition that comes too late for what has been counted', async () => {
    const repeated = engage(NOON - 2 * MINUTE, 'LIKE', head('e3', 'b', 'live'));
    await tables.fold([repeated, tick(NOON + 32 * MINUTE)]);
    expect(await reconcile()).toMatchObject({ drifts: [] });
    expect(await reopen()).toMatchObject({ endsChanged: 5 });
    expect(await reconcile()).toMatchObject({ late: 0, drifts: [] });
  });
});

describe('a restated row', () => {
  const writeAgain = (by: bigint) =>
    new ClickHouseFigureSink(engine.clickhouse).write(
      tables.rows
        .filter(({ table }) => table === 'window_figures')
        .map((row) => ({ ...row, version: row.version + by })),
    );

  it('wins over what a fold of the same epoch sends again, and loses to the next epoch', async () => {
    await reopen();
    await writeAgain(0n);
    await writeAgain(1_000_000n);
    expect(await figures()).toMatchObject({ orders: 1, status: 'restated' });
    await engine.clickhouse.command({ sql: 'OPTIMIZE TABLE gravity.window_figures FINAL' });
    await writeAgain(1_000_000n);
    expect(await figures()).toMatchObject({ orders: 1, status: 'restated' });
    await writeAgain(EPOCH);
    expect(await figures()).toMatchObject({ orders: 0, status: 'closed' });
  });

  it('that was corrupted is found, and restated only if told so', async () => {
    await reopen();
    await engine.clickhouse.command({
      sql: `
        INSERT INTO gravity.window_figures SELECT * REPLACE (visitors + 40 AS visitors)
        FROM gravity.window_figures FINAL
        WHERE channel = 'all' AND end = fromUnixTimestamp64Milli({end:Int64}, 'UTC') AND status = 'restated'
        LIMIT 1`,
      params: { end: NOON },
    });
    const where = { brand: KIT_BRAND, channel: 'all', window: '5m', end: NOON, figure: 'visitors' };
    expect((await reconcile()).drifts).toEqual([{ ...where, live: 42, recount: 2 }]);
    await expect(plan()).rejects.toThrow(/all, visitors is 42, but the raw facts that came in time make 2/);
    await reopen({}, { acceptUnexplained: true }, 'r2');
    expect(await figures()).toMatchObject({ visitors: 2, status: 'restated' });
    expect(await reconcile()).toMatchObject({ late: 0, drifts: [] });
  });
});

describe('a period is not reopened', () => {
  const refused = async (changes: Partial<Reopened>, reason: RegExp) => {
    const outcome = plan(changes);
    await expect(outcome).rejects.toThrow(RestatementRefused);
    await expect(outcome).rejects.toThrow(reason);
  };

  it('while it is open or its late events are still taken in', async () => {
    await refused(
      { to: NOON + 40 * MINUTE },
      /12:40:00.000Z of the window 5m is still open: .* is 2026-11-11T12:21/,
    );
    await refused({ to: NOON + 22 * MINUTE }, /12:22:00.000Z of the window 5m is not final yet/);
    expect(await plan({ to: NOON + 21 * MINUTE })).toMatchObject({ endsChanged: 5 });
  });

  it('before its rows are whole, in too large a span, or where no end lies', async () => {
    await refused(
      { from: NOON - 90 * MINUTE },
      /whole from 2026-11-11T11:55.*before: earlier instants are counted/,
    );
    await refused(
      { from: NOON - 10_010 * MINUTE },
      /more than the 10000 of one go: .* such as up to 2026-11-11T/,
    );
    await refused(
      { from: NOON + 1, to: NOON + 2 },
      /no end of the window 5m lies from .*: they are 60 s apart/,
    );
  });

  it('where its raw facts are gone', async () => {
    await refused({ brand: 'nobody' }, /no raw facts of nobody before/);
    await engine.clickhouse.command({
      sql: "ALTER TABLE gravity.touchpoints DELETE WHERE event_id = 'e1' SETTINGS mutations_sync = 2",
    });
    await refused({}, /ends differ from the raw facts although nothing came late .* is 1, recounted 0/);
    await refused(
      { from: NOON - 3 * MINUTE, to: NOON + MINUTE, channel: 'all' },
      /is 1, but the raw facts that came in time make 0/,
    );
    await engine.clickhouse.command({ sql: 'TRUNCATE TABLE gravity.touchpoints' });
    await refused({}, /there are no raw facts of brand before/);
  });

  it('before there is a closed end, or while the raw facts are behind', async () => {
    const behind = plan({}, { awaitFacts: () => Promise.reject(new RestatementRefused('behind')) });
    await expect(behind).rejects.toThrow('behind');
    await FoldedTables.empty(engine.clickhouse, RULES, 2);
    await refused({}, /no end of the window 5m is closed yet/);
  });
});

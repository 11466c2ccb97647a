/** Days of schemes that are reopened, on the real engine: a purchase that comes when its days were final. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry, type Scheme } from '#domain';
import {
  type EmbeddedClickHouse,
  FoldedTables,
  KIT_BRAND,
  link,
  openEmbeddedClickHouse,
  pay,
  tick,
} from '#testing';
import { dayRows } from '../queries/day-rows.js';
import { restatements } from '../queries/restatements.js';
import { reachedBy } from '../reconcile/reached-by.js';
import { reconcilePeriods } from '../reconcile/reconcile-periods.js';
import { restatedAsOf } from '../row-version.js';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import type { ReopenedDays } from './days-to-restate.js';
import { planDays } from './plan-days.js';
import type { PlanOptions } from './plan-restatement.js';
import { restate } from './restate.js';

const SLOW_MS = 300_000;
const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Noon in UTC of a day of October 2026. */
const noon = (day: number): number => Date.UTC(2026, 9, day, 12);
const common = { brand: null, zone: 'UTC', zeroOrderCounts: true, joinToleranceMs: 0 };
const MONTH: Scheme = { id: 'calendar:month', period: { kind: 'calendarMonth' }, ...common };
const SALE: Scheme = {
  ...{ id: 'sale', ...common },
  period: { kind: 'campaign', from: '2026-10-04', to: '2026-10-07', baseFrom: '2026-10-01' },
};
const RULES = defaultRules({
  schemes: [MONTH, SALE],
  windows: [{ id: '1h', widthMs: HOUR, slideMs: HOUR, latenessMs: HOUR }],
  stateLatenessMs: 2 * DAY,
});
const EPOCH = 2n ** 48n;
const OPTIONS: PlanOptions = { awaitFacts: () => Promise.resolve() };

let engine: EmbeddedClickHouse;
let tables: FoldedTables;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

const head = (id: string, person: string) => ({ id, person, channel: 'shop' });
/** Ticks by the hour: at every edge of a day, among others. */
const hours = (from: number, to: number): readonly LogEntry[] =>
  Array.from({ length: (to - from) / HOUR }, (_, nth) => tick(from + (nth + 1) * HOUR));

const asked = (changes: Partial<ReopenedDays> = {}): ReopenedDays => ({
  ...{
    brand: KIT_BRAND,
    channel: null,
    scheme: MONTH,
    from: '2026-10-04',
    to: '2026-10-09',
    since: -Infinity,
  },
  ...{ refundHorizonMs: RULES.refundHorizonDays * DAY, stateLatenessMs: RULES.stateLatenessMs },
  ledger: RULES.windows.at(-1) ?? null,
  ...changes,
});
async function reopen(changes: Partial<ReopenedDays> = {}, options: Partial<PlanOptions> = {}, id = 'r1') {
  const plan = await planDays(engine.clickhouse, asked(changes), { ...OPTIONS, ...options });
  const cause = { id, at: noon(20), by: 'ops', reason: 'a shop sent its week late', build: 'test' };
  await restate(engine.clickhouse, asked(changes), plan, cause);
  return plan;
}
/** Persons of tier 2, 3 and 4, and whose relation has deepened, at the close of a day. */
async function closeOf(day: number, scheme = MONTH): Promise<unknown> {
  const query = { brand: KIT_BRAND, scheme, generation: 1, day: `2026-10-${String(day).padStart(2, '0')}` };
  const rows = (await dayRows(engine.clickhouse, query)).filter(({ channel }) => channel === 'all');
  const sum = (of: 'tier_2' | 'tier_3' | 'tier_4' | 'deepened'): number =>
    rows.reduce((total, { counts }) => total + counts[of], 0);
  // The stream says so too where a day that was final has more money than before; that row gives way to a newer one.
  const isRestated = rows.some(
    ({ status, version }) => status === 'restated' && restatedAsOf(version) !== null,
  );
  return [sum('tier_2'), sum('tier_3'), sum('tier_4'), sum('deepened'), isRestated];
}
async function reconcile(scheme = MONTH) {
  const watermark = (await reachedBy(engine.clickhouse)) ?? 0;
  const sample = { ...asked({ scheme }), watermark, daysMax: 100, offset: 0 };
  const { late, drifts } = await reconcilePeriods(engine.clickhouse, sample);
  return { late, drifts };
}

beforeEach(async () => {
  tables = await FoldedTables.empty(engine.clickhouse, RULES, 2);
  await tables.fold([
    tick(noon(1)),
    link('MEMBER', true, noon(2), head('e1', 'a')),
    link('MEMBER', true, noon(2), head('e2', 'b')),
    pay('o1', noon(3), { ...head('e3', 'a'), amount: 500 }),
    ...hours(noon(1), noon(12)),
    // A week late: the day's own figures take it, the stocks of final days do not.
    { ...pay('o2', noon(5), { ...head('l1', 'b'), amount: 700 }), arrivedAt: noon(12) },
    ...hours(noon(12), noon(13)),
  ]);
}, SLOW_MS);

describe('days that are reopened', () => {
  it(
    'hold what came too late, say that they were restated, and are reconciled without exception',
    async () => {
      expect(await closeOf(5)).toEqual([1, 1, 0, 1, false]);
      expect(await closeOf(10)).toEqual([0, 2, 0, 2, false]);
      const before = await reconcile();
      expect(before.drifts).toEqual([]);
      expect(before.late).toBeGreaterThan(0);

      const plan = await reopen();
      expect(plan).toMatchObject({ ends: 6, endsChanged: 5 });
      expect(plan.changes).toContainEqual({
        ...{ channel: 'all', figure: 'tier_3', ends: 5, before: 5, after: 10 },
        ...{ largest: 1, largestAt: Date.UTC(2026, 9, 6) },
      });
      expect(await closeOf(4)).toEqual([1, 1, 0, 1, false]);
      expect(await closeOf(5)).toEqual([0, 2, 0, 2, true]);
      expect(await closeOf(9)).toEqual([0, 2, 0, 2, true]);
      expect(await reconcile()).toEqual({ late: 0, drifts: [] });
      expect(await reopen({}, {}, 'r2')).toMatchObject({ endsChanged: 0, rows: [], changes: [] });
      expect(await restatements(engine.clickhouse, { brand: KIT_BRAND, limit: 10 })).toEqual([
        expect.objectContaining({
          ...{ id: 'r1', state: 'done', by: 'ops', window: '', schemeId: 'calendar:month', ends: 6 },
          ...{ fromDay: '2026-10-04', toDay: '2026-10-09', toEnd: Date.UTC(2026, 9, 10), endsChanged: 5 },
        }),
      ]);
    },
    SLOW_MS,
  );

  it(
    'are those of a campaign too, whose deepening had been settled',
    async () => {
      expect(await closeOf(6, SALE)).toEqual([2, 0, 0, 0, false]);
      expect(await reopen({ scheme: SALE, from: '2026-10-04', to: '2026-10-07' })).toMatchObject({
        endsChanged: 3,
      });
      expect(await closeOf(6, SALE)).toEqual([1, 1, 0, 1, true]);
      expect(await closeOf(7, SALE)).toEqual([2, 0, 0, 1, true]);
      expect(await reconcile(SALE)).toEqual({ late: 0, drifts: [] });
    },
    SLOW_MS,
  );

  it(
    'win over what a fold of the same epoch sends again, miss what comes even later, and give way to a new epoch',
    async () => {
      await reopen();
      await tables.fold([
        { ...pay('o3', noon(6), { ...head('l2', 'b'), amount: 100 }), arrivedAt: noon(13) },
        ...hours(noon(13), noon(13) + HOUR),
      ]);
      const again = tables.rows.filter(({ table }) => table === 'period_figures');
      const sink = new ClickHouseFigureSink(engine.clickhouse);
      await sink.write(again.map((row) => ({ ...row, version: row.version + 1_000_000n })));
      expect(await closeOf(6)).toEqual([0, 2, 0, 2, true]);
      const between = await reconcile();
      expect(between.drifts).toEqual([]);
      expect(between.late).toBeGreaterThan(0);
      expect(await reopen({}, {}, 'r2')).toMatchObject({ endsChanged: 4 });
      expect(await closeOf(6)).toEqual([0, 1, 1, 2, true]);
      expect((await reconcile()).drifts).toEqual([]);
      await sink.write(again.map((row) => ({ ...row, version: row.version + EPOCH })));
      expect(await closeOf(5)).toEqual([1, 1, 0, 1, false]);
    },
    SLOW_MS,
  );

  it(
    'are restated against their rows only if told so',
    async () => {
      const wrong = tables.rows.filter(
        (row) => row.table === 'period_figures' && row.day === '2026-10-04' && row.scheme_id === MONTH.id,
      );
      await new ClickHouseFigureSink(engine.clickhouse).write(
        wrong.map((row) => ({ ...row, version: row.version + 10_000n, ...{ new_relations: 40 } })),
      );
      const place = { schemeId: MONTH.id, day: '2026-10-04', figure: 'new_relations', recount: 0 };
      expect((await reconcile()).drifts).toContainEqual(
        expect.objectContaining({ ...place, channel: 'all' }),
      );
      await expect(reopen()).rejects.toThrow(
        /on 2026-10-04, .*, new_relations is \d+, recounted 0, and what came/,
      );
      await reopen({}, { acceptUnexplained: true });
      expect(await reconcile()).toEqual({ late: 0, drifts: [] });
    },
    SLOW_MS,
  );

  it(
    'are final, have rows, and are not too many',
    async () => {
      const refused = (changes: Partial<ReopenedDays>, message: RegExp): Promise<void> =>
        expect(planDays(engine.clickhouse, asked(changes), OPTIONS)).rejects.toThrow(message);
      await refused(
        { to: '2026-10-11' },
        /the day 2026-10-11 of calendar:month is not final yet: .* up to 48 h/,
      );
      await refused({ to: '2026-10-13' }, /the day 2026-10-11 of calendar:month is not final yet/);
      await refused({ from: '2026-10-13', to: '2026-10-13' }, /2026-10-13 of calendar:month is still open/);
      await refused({ from: '2026-09-20' }, /has no figures of 2026-09-20: the first ones are of 2026-10-02/);
      await refused(
        { scheme: SALE, to: '2026-10-08' },
        /no figures of 2026-10-08: .* the last ones of 2026-10-07/,
      );
      await refused({ since: noon(6) }, /no figures of 2026-10-04: .* changed at 2026-10-06T12:00/);
      await refused({ from: '2024-01-01' }, /days are more than the 400 of one go/);
      await refused({ from: '2026-10-09', to: '2026-10-04' }, /lies after/);
      await refused({ brand: 'nobody' }, /nobody has no figures under calendar:month/);
    },
    SLOW_MS,
  );
});

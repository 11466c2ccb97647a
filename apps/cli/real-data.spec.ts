/** Real purchases, held against figures that were computed from them in another way. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DayCalendar, DEFAULT_ADMISSION_LIMITS, defaultRules } from '#domain';
import { GravityHost } from '#testing';
import { foldTiers } from '../console/tiers/fold-tiers.js';
import { replay } from '../simulator/recorded/replay.js';
import { openReplayLog, planFor, type ReplayLog } from '../simulator/recorded/replay-fixture.js';
import type { ReplayPlan, ReplayReport } from '../simulator/recorded/replay-plan.js';
import { ReplaySequencer } from '../simulator/recorded/replay-sequencer.js';
import { sortRows } from '../simulator/recorded/sorted-rows.js';

const DATA = fileURLToPath(new URL('../../../shared/data/online_retail/', import.meta.url));
const ORDERS = join(DATA, 'orders.csv.gz');
const LINES = join(DATA, 'online_retail_by_day_concat.csv.gz');
const describeReal = existsSync(ORDERS) ? describe : describe.skip;
if (!existsSync(ORDERS)) process.stderr.write(`skipped: ${DATA} is not there\n`);

interface Stocks {
  readonly tiers: readonly number[];
  readonly persons: number;
  readonly personDays: number;
}

function planOf(zeroOrders: 'count' | 'ignore', sortDirectory: string): ReplayPlan {
  const plan = planFor([ORDERS], sortDirectory);
  const columns = {
    ...plan.reading.columns,
    person: 'customer_id',
    time: 'ts_local_uk',
    amount: 'amount_gbp',
    order: 'invoice',
    kind: 'kind',
  };
  return {
    ...plan,
    reading: { ...plan.reading, columns, refundKinds: ['cancel'], zeroOrders, currency: 'GBP' },
    sequencing: { ...plan.sequencing, currency: 'GBP' },
    wish: {
      dayZone: null,
      defaultDayZone: 'UTC',
      zeroOrderCounts: zeroOrders === 'count',
      fineRowsMs: 3_600_000,
    },
  };
}

async function stocks(
  target: ReplayLog,
  scheme: string,
  question: { readonly at?: number; readonly zone?: string } = {},
): Promise<Stocks> {
  const { at = null, zone = null } = question;
  const source = { log: target.log, codec: target.logCodec };
  const { rows } = await foldTiers(source, { scheme, zone, brand: null, before: () => at });
  const tiers = [0, 0, 0, 0, 0];
  for (const { tier } of rows) tiers[tier] = (tiers[tier] ?? 0) + 1;
  return {
    tiers,
    persons: rows.length,
    personDays: rows.reduce((sum, { purchase_days }) => sum + purchase_days, 0),
  };
}

/** Tiers 2, 3 and 4 at the end of each month. */
function monthsOf(file: string): (readonly unknown[])[] {
  const months: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(months)) throw new Error(`${file} holds no list`);
  return months.map((month: unknown) =>
    ['tier2_silent', 'tier3_one_day', 'tier4_multi_day'].map((name): unknown =>
      typeof month === 'object' && month !== null ? Reflect.get(month, name) : null,
    ),
  );
}

const SPAN = 'span:2011-11-10..2011-12-10';
const ALWAYS = 'span:2010-12-01..2011-12-12';

describeReal.each(['ignore', 'count'] as const)('one row per invoice, purchases of 0: %s', (zeroOrders) => {
  let root: string;
  let target: ReplayLog;
  let report: ReplayReport;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'real-'));
    target = await openReplayLog(join(root, 'log'), 4);
    const plan = planOf(zeroOrders, join(root, 'sort'));
    report = await replay(plan, () => Promise.resolve(target), {}, new AbortController().signal);
  }, 120_000);
  afterAll(async () => {
    await target.log.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('accepts every row but the bad-debt adjustments, which are neither purchase nor refund', () => {
    expect(report.rowsRead).toBe(25_900);
    expect([...report.rejected].map(([reason, { count }]) => [reason, count])).toEqual([['UNKNOWN_KIND', 3]]);
    expect(report.rejected.get('UNKNOWN_KIND')?.examples[0]).toMatchObject({ detail: 'kind "adjust"' });
    expect(report.counts.rejected.size).toBe(0);
    const ignored = zeroOrders === 'ignore' ? 2_102 : 0;
    expect(report.ignored.get('ZERO_ORDER_IGNORED') ?? 0).toBe(ignored);
    expect(report.counts.accepted).toBe(25_897 - ignored);
    expect(report.counts.buyers).toBe(zeroOrders === 'ignore' ? 4_338 : 4_339);
  });

  it('puts every buyer into the tier that the reference has', async () => {
    const isIgnored = zeroOrders === 'ignore';
    const last = isIgnored ? [2_710, 1_168, 460] : [2_710, 1_169, 460];
    expect((await stocks(target, SPAN)).tiers.slice(2)).toEqual(last);
    const always = await stocks(target, ALWAYS);
    expect(always.tiers.slice(3)).toEqual([isIgnored ? 1_548 : 1_549, 2_790]);
    expect(always.personDays).toBe(isIgnored ? 16_763 : 16_766);
  }, 120_000);

  it('counts days where they are asked for, and months to their ends', async () => {
    if (zeroOrders === 'count') return;
    expect((await stocks(target, ALWAYS, { zone: 'Asia/Shanghai' })).personDays).toBe(16_772);
    for (const [index, expected] of monthsOf(join(DATA, 'expected_monthly_tiers.json')).entries()) {
      const at = Date.UTC(2011, index, 1);
      const { tiers } = await stocks(target, 'calendar:month', { at });
      expect([at, ...tiers.slice(2)]).toEqual([at, ...expected]);
    }
  }, 240_000);
});

describeReal('one row per line', () => {
  it('takes every row, and gives the same purchase days', async () => {
    const root = mkdtempSync(join(tmpdir(), 'real-'));
    const { reading } = planOf('ignore', root);
    const columns = {
      person: 'CustomerID',
      time: 'InvoiceDate',
      amount: null,
      quantity: 'Quantity',
      price: 'UnitPrice',
      order: 'InvoiceNo',
      kind: null,
    };
    const rows = await sortRows({
      files: [{ path: LINES, name: 'lines' }],
      options: { ...reading, columns },
      brand: 'b',
      directory: join(root, 'sort'),
      latestAt: Date.now(),
    });
    const sequencer = new ReplaySequencer({
      brand: 'b',
      currency: 'GBP',
      members: 'buyers',
      sourceNames: ['lines'],
      rules: defaultRules(),
      lastTickAt: null,
      limits: { ...DEFAULT_ADMISSION_LIMITS, currency: 'GBP' },
      pseudonymise: (event) => event,
      now: Date.now,
    });
    const days = new Set<string>();
    const eventIds = new Set<string>();
    const calendar = DayCalendar.of('UTC');
    let netMinor = 0;
    for (const row of rows.inOrder()) {
      for (const item of sequencer.next(row)) {
        if (item.type !== 'touchpoint') continue;
        const { touchpoint } = item;
        eventIds.add(touchpoint.eventId);
        if (touchpoint.type === 'orderRefunded') netMinor -= touchpoint.amountMinor;
        if (touchpoint.type !== 'orderPaid') continue;
        netMinor += touchpoint.amountMinor;
        if (!touchpoint.guest) days.add(`${touchpoint.person} ${calendar.dayOf(touchpoint.at)}`);
      }
    }
    rows.dispose();
    rmSync(root, { recursive: true, force: true });

    const counts = sequencer.counts();
    expect([...rows.rejected, ...counts.rejected]).toEqual([]);
    // 1,174 lines of price 0, and 9 whose amount is rounded to 0.
    expect(Object.fromEntries(rows.ignored)).toEqual({ ZERO_ORDER_IGNORED: 1_183 });
    expect({ read: rows.rowsRead, accepted: counts.accepted }).toEqual({ read: 541_909, accepted: 540_726 });
    // Equal rows are 5,268, and stay rows of their own; each buyer's join comes on top.
    expect(eventIds.size).toBe(540_726 + 4_338);
    expect(counts.buyers).toBe(4_338);
    expect(days.size).toBe(16_763);
    // The reference adds exact amounts and has 9,747,747.934.
    expect(netMinor).toBe(974_774_793);
  }, 240_000);
});

describeReal('all of it, stored', () => {
  it('is for every person what SQL makes of the raw facts', async () => {
    const root = mkdtempSync(join(tmpdir(), 'real-stored-'));
    const host = new GravityHost();
    const gravity = (...argv: readonly string[]) => host.run(argv, { HOME: root });
    const data = ['--data-dir', join(root, 'data')];
    const columns = ['--person', 'customer_id', '--time', 'ts_local_uk', '--amount', 'amount_gbp'];
    const kinds = ['--kind', 'kind', '--purchase-kinds', 'purchase', '--refund-kinds', 'cancel'];
    const options = [...columns, ...kinds, '--order', 'invoice', '--time-zone', 'UTC', '--fine-hours', '1'];
    try {
      expect(await gravity('replay', ORDERS, ...options, ...data)).toMatchObject({ code: 0 });
      // Persons and tier changes are held against the facts all together, whatever the ends and days.
      const reconciled = await gravity('reconcile', ...data, '--ends', '1', '--days', '1', '--format', 'csv');
      expect(reconciled).toMatchObject({ code: 0 });
      expect(reconciled.out).toMatch(/^default,persons rolling:30d,437\d,0,0$/m);
    } finally {
      await host.stop();
      rmSync(root, { recursive: true, force: true });
    }
  }, 240_000);
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Scheme, Touchpoint } from '#domain';
import type { FigureRow } from '#pipeline';
import {
  type EmbeddedClickHouse,
  engagementFact,
  linkFact,
  openEmbeddedClickHouse,
  paidFact,
  visitFact,
} from '#testing';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { TouchpointSink } from '../sinks/touchpoint-sink.js';
import { reachedBy } from './reached-by.js';
import { reconcilePersons } from './reconcile-persons.js';
import { reconcileWindow } from './reconcile-windows.js';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 11, 12);
const WINDOW = { id: '5m', widthMs: 5 * MINUTE, slideMs: MINUTE };
const SAMPLE = { brand: 'b1', channels: ['shop'], window: WINDOW, endsMax: 10, offset: 0.4 };
const SCHEME: Scheme = {
  ...{ id: 'rolling:30d', brand: null, zone: 'Asia/Shanghai', period: { kind: 'rolling', days: 30 } },
  ...{ zeroOrderCounts: true, joinToleranceMs: MINUTE },
};

const FACTS: readonly Touchpoint[] = [
  linkFact('p1', 'MEMBER', true, { at: NOON - 90 * MINUTE }),
  paidFact('p1', 'o1', 500, { at: NOON - 4 * MINUTE }),
  engagementFact('p1', { at: NOON - 3 * MINUTE }),
  visitFact('p2', { at: NOON - 2 * MINUTE, eventId: 'v2' }),
];

let engine: EmbeddedClickHouse;
let version = 0n;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ['touchpoints', 'window_figures', 'window_heartbeats', 'persons', 'late_events'])
    await engine.clickhouse.command({ sql: `TRUNCATE TABLE gravity.${table}` });
  const entries = FACTS.map((touchpoint, offset) => {
    return { touchpoint, detail: null, partition: 0, offset, version: BigInt(offset) };
  });
  await new TouchpointSink(engine.clickhouse).write(entries);
});

const head = () => ({ brand: 'b1', partition: 0, generation: 1, version: ++version });
const write = (...rows: FigureRow[]) => new ClickHouseFigureSink(engine.clickhouse).write(rows);

function windowRow(
  end: number,
  figures: Partial<Extract<FigureRow, { table: 'window_figures' }>>,
): FigureRow {
  return {
    ...{ table: 'window_figures', ...head(), channel: 'all', window: '5m', end },
    ...{ status: 'closed', watermark: NOON, visitors: 0, active: 0, active_related: 0, visitors_related: 0 },
    ...{ capital: 1, capital_reachable: 1, orders: 0, buyers: 0, gmv_gross_minor: 0, refunds_minor: 0 },
    ...figures,
  };
}

const RIGHT = {
  ...{ visitors: 2, active: 1, active_related: 1, visitors_related: 1 },
  ...{ orders: 1, buyers: 1, gmv_gross_minor: 500 },
};

/** What a right fold would have written, at the two last closed ends. */
async function writeWindows(changes: { readonly visitors?: number } = {}): Promise<void> {
  for (const channel of ['all', 'shop']) {
    await write(
      windowRow(NOON - MINUTE, { channel, ...RIGHT }),
      windowRow(NOON, { channel, ...RIGHT, ...(channel === 'all' ? changes : {}) }),
    );
  }
  await write({ table: 'window_heartbeats', ...head(), window: '5m', end: NOON });
}

describe('windows held against the raw facts', () => {
  it('are equal where the fold was right', async () => {
    await writeWindows();
    const found = await reconcileWindow(engine.clickhouse, SAMPLE);
    expect(found).toEqual({ ends: 2, compared: 4, late: 0, drifts: [] });
  });

  it('name the end, channel and figure of a corrupted row', async () => {
    await writeWindows({ visitors: 3 });
    const { drifts } = await reconcileWindow(engine.clickhouse, SAMPLE);
    const where = { brand: 'b1', channel: 'all', window: '5m', end: NOON };
    expect(drifts).toEqual([{ ...where, figure: 'visitors', live: 3, recount: 2 }]);
  });

  it('miss what came too late for them, as the ledger says', async () => {
    await writeWindows({ visitors: 1 });
    await write({
      ...{ table: 'late_events', ...head(), channel: 'shop', window: '5m', event_id: 'v2', person: 'p2' },
      ...{ at: NOON - 2 * MINUTE, arrived_at: NOON + MINUTE, missed_from: NOON, missed_to: NOON + MINUTE },
    });
    const found = await reconcileWindow(engine.clickhouse, SAMPLE);
    expect(found).toEqual({ ends: 2, compared: 4, late: 1, drifts: [] });
  });

  it('are wrong where they differ by something else too', async () => {
    await writeWindows({ visitors: 0 });
    await write({
      ...{ table: 'late_events', ...head(), channel: 'shop', window: '5m', event_id: 'v2', person: 'p2' },
      ...{ at: NOON - 2 * MINUTE, arrived_at: NOON + MINUTE, missed_from: NOON, missed_to: NOON + MINUTE },
    });
    const { late, drifts } = await reconcileWindow(engine.clickhouse, SAMPLE);
    expect(late).toBe(0);
    expect(drifts).toMatchObject([{ channel: 'all', end: NOON, figure: 'visitors', live: 0, recount: 1 }]);
  });

  it('miss what was imported when they were final, or know some of it; any other difference stays one', async () => {
    const imported = ['i1', 'i2'].map((id) => {
      return { ...paidFact('p1', id, 70, { at: NOON - 4 * MINUTE }), origin: 'BACKFILL' as const };
    });
    await new TouchpointSink(engine.clickhouse).write(
      imported.map((touchpoint, nth) => ({
        ...{ touchpoint, detail: null, partition: 0, offset: 100 + nth, version: 100n },
      })),
    );
    await writeWindows();
    expect(await reconcileWindow(engine.clickhouse, SAMPLE)).toMatchObject({ late: 4, drifts: [] });
    await write(windowRow(NOON, { ...RIGHT, orders: 2, gmv_gross_minor: 570 }));
    expect(await reconcileWindow(engine.clickhouse, SAMPLE)).toMatchObject({ late: 4, drifts: [] });
    await write(windowRow(NOON, { ...RIGHT, orders: 2, gmv_gross_minor: 499 }));
    expect((await reconcileWindow(engine.clickhouse, SAMPLE)).drifts).toMatchObject([
      { channel: 'all', end: NOON, figure: 'gmv_gross_minor', live: 499 },
    ]);
  });

  it('are nothing to compare before the first heartbeat', async () => {
    expect(await reconcileWindow(engine.clickhouse, SAMPLE)).toMatchObject({ ends: 0, compared: 0 });
  });
});

describe('persons held against the raw facts', () => {
  const person = (tier: number): FigureRow => ({
    ...{ table: 'persons', ...head(), scheme_id: SCHEME.id, person: 'p1', period_id: SCHEME.id, tier },
    ...{ purchase_days: 1, orders: 1, own_value_minor: 500, is_member: true, gone: false },
    ...{ first_purchase: NOON - 4 * MINUTE, last_purchase: NOON - 4 * MINUTE },
  });
  const sample = { brand: 'b1', scheme: SCHEME, watermark: NOON };

  it('are equal where the fold was right; a visitor is nobody', async () => {
    await write(person(3));
    expect(await reconcilePersons(engine.clickhouse, sample)).toEqual({ compared: 1, ahead: 0, drifts: [] });
  });

  it('name the person and the field that differ, and who is missing', async () => {
    await write(person(4));
    const where = { brand: 'b1', schemeId: SCHEME.id };
    expect((await reconcilePersons(engine.clickhouse, sample)).drifts).toEqual([
      { ...where, person: 'p1', field: 'tier', live: 4, recount: 3 },
    ]);
    await engine.clickhouse.command({ sql: 'TRUNCATE TABLE gravity.persons' });
    expect((await reconcilePersons(engine.clickhouse, sample)).drifts).toEqual([
      { ...where, person: 'p1', field: 'row', live: null, recount: 3 },
    ]);
  });

  it('are not asked for while they are ahead of time', async () => {
    await write(person(4));
    const early = { ...sample, watermark: NOON - 10 * MINUTE };
    expect(await reconcilePersons(engine.clickhouse, early)).toEqual({ compared: 0, ahead: 2, drifts: [] });
  });
});

it('time has come as far as the partition that is behind', async () => {
  expect(await reachedBy(engine.clickhouse)).toBeNull();
  await writeWindows();
  await write({ table: 'window_heartbeats', ...head(), partition: 1, window: '5m', end: NOON - 2 * MINUTE });
  expect(await reachedBy(engine.clickhouse)).toBe(NOON - 2 * MINUTE);
});

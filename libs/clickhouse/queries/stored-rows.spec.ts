import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TierChanged } from '#domain';
import type { PeriodFigureRow, PersonRow } from '#pipeline';
import { type EmbeddedClickHouse, openEmbeddedClickHouse } from '#testing';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { TierChangeSink } from '../sinks/tier-change-sink.js';
import { latestPeriodFigures } from './period-figures.js';
import { personRow, persons, tierStocks } from './persons.js';
import { tierChanges, type TierChangeCursor } from './tier-changes.js';

const AT = Date.UTC(2026, 10, 11);
let engine: EmbeddedClickHouse;
let version = 0n;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

describe('latestPeriodFigures', () => {
  function row(
    schemeId: string,
    partition: number,
    day: string,
    more: Partial<PeriodFigureRow>,
  ): PeriodFigureRow {
    return {
      ...{
        table: 'period_figures',
        brand: 'b1',
        channel: 'all',
        scheme_id: schemeId,
        period_id: schemeId,
        day,
      },
      ...{ partition, generation: 1, version: ++version, status: 'provisional', watermark: AT + partition },
      ...{
        capital: 10,
        capital_base: 8,
        new_relations: 2,
        lost_relations: 1,
        orders: 3,
        gmv_gross_minor: 100,
      },
      ...{ refunds_minor: 10, deepened: 4, deepened_cohort: 3, tiers: [1, 2, 3, 4, 5, 0] },
      ...more,
    };
  }
  const write = (...rows: PeriodFigureRow[]) => new ClickHouseFigureSink(engine.clickhouse).write(rows);

  it('adds stocks of all partitions, and figures of the day of those that have that day', async () => {
    await write(
      row('rolling', 0, '2026-11-09', { capital: 77 }),
      row('rolling', 0, '2026-11-10', { status: 'closed' }),
      row('rolling', 1, '2026-11-11', { tiers: [0, 0, 0, 0, 1, 0] }),
      row('rolling', 1, '2026-11-11', { tiers: [0, 0, 0, 0, 2, 0], channel: 'live' }),
    );
    expect(await latestPeriodFigures(engine.clickhouse, { brand: 'b1', schemeId: 'rolling' })).toEqual({
      ...{ period_id: 'rolling', day: '2026-11-11', status: 'provisional', watermark: AT, generation: 1 },
      ...{
        partitionsReporting: 2,
        capital: 20,
        capital_base: 16,
        new_relations: 2,
        lost_relations: 1,
        orders: 3,
      },
      ...{
        gmv_gross_minor: 100,
        refunds_minor: 10,
        deepened: 8,
        deepened_cohort: 6,
        tiers: [1, 2, 3, 4, 6, 0],
      },
    });
    expect(await latestPeriodFigures(engine.clickhouse, { brand: 'b1', schemeId: 'none' })).toBeNull();
  });

  it('answers an earlier period, and compares with the stocks of a partition that is still in it', async () => {
    await write(
      row('month', 0, '2026-10-31', { period_id: '2026-10', status: 'closed', capital: 5 }),
      row('month', 1, '2026-10-31', { period_id: '2026-10', status: 'closed', capital: 6 }),
      row('month', 0, '2026-11-01', { period_id: '2026-11', capital: 9, capital_base: 5 }),
    );
    const month = { brand: 'b1', schemeId: 'month' };
    expect(await latestPeriodFigures(engine.clickhouse, month)).toMatchObject({
      ...{ period_id: '2026-11', day: '2026-11-01', capital: 15, capital_base: 11, deepened: 4, orders: 3 },
    });
    expect(await latestPeriodFigures(engine.clickhouse, { ...month, periodId: '2026-10' })).toMatchObject({
      ...{ period_id: '2026-10', status: 'closed', capital: 11, deepened: 8 },
    });
  });
});

describe('persons', () => {
  function row(person: string, tier: number, more: Partial<PersonRow> = {}): PersonRow {
    return {
      ...{ table: 'persons', brand: 'b1', scheme_id: 's', person, period_id: 's', tier, purchase_days: tier },
      ...{
        orders: 1,
        own_value_minor: 5,
        first_purchase: AT,
        last_purchase: null,
        is_member: true,
        gone: false,
      },
      ...{ partition: 0, generation: 1, version: ++version },
      ...more,
    };
  }
  const ids = async (query: { after?: string; tier?: number; limit: number }) =>
    (await persons(engine.clickhouse, { brand: 'b1', schemeId: 's', ...query })).map(({ person }) => person);

  it('pages, filters by tier, leaves out who is gone, and takes the newest row', async () => {
    await new ClickHouseFigureSink(engine.clickhouse).write([
      ...[row('a', 1), row("b'\\", 2), row('c', 2), row('d', 3), row('人', 4)],
      ...[row('c', 2, { gone: true }), row('d', 4), row('x', 1, { scheme_id: 'other' })],
    ]);
    expect(await ids({ limit: 2 })).toEqual(['a', "b'\\"]);
    expect(await ids({ limit: 2, after: "b'\\" })).toEqual(['d', '人']);
    expect(await ids({ limit: 9, tier: 4 })).toEqual(['d', '人']);
    await expect(ids({ limit: 0 })).rejects.toThrow(RangeError);
    const one = (person: string) => personRow(engine.clickhouse, { brand: 'b1', schemeId: 's', person });
    expect(await one("b'\\")).toEqual({
      ...{ person: "b'\\", period_id: 's', tier: 2, purchase_days: 2, orders: 1, own_value_minor: 5 },
      ...{ first_purchase: AT, last_purchase: null, is_member: true },
    });
    expect(await one('c')).toBeNull();
    expect(await tierStocks(engine.clickhouse, { brand: 'b1', schemeId: 's' })).toEqual([0, 1, 1, 0, 2, 0]);
  });

  it('forgets the rows of an older generation', async () => {
    await new ClickHouseFigureSink(engine.clickhouse).write([
      row('a', 4, { generation: 2, partition: 5, version: 1n }),
    ]);
    expect(await ids({ limit: 9 })).toEqual(['a']);
  });
});

describe('tierChanges', () => {
  const change = (person: string, n: number, offset: number): TierChanged => ({
    ...{
      type: 'tierChanged',
      brand: 'b1',
      person,
      schemeId: 's',
      periodId: 's',
      from: 2,
      to: 3,
      direction: 'UP',
    },
    ...{
      cause: 'EVENT',
      causeEventId: null,
      effectiveAt: AT + n,
      detectedAt: AT + n,
      version: BigInt(offset),
    },
    evidence: { purchaseDays: ['2026-11-11'], everPurchased: true, lastShareAt: AT },
  });

  it('pages in both directions without losing changes of one instant', async () => {
    const changes = [
      change('a', 0, 9),
      change('b', 1, 2),
      change('c', 1, 2),
      change('a', 1, 7),
      change('d', 2, 1),
    ];
    await new TierChangeSink(engine.clickhouse).write([...changes, ...changes]);
    const walk = async (order: 'oldest' | 'newest') => {
      const seen: string[] = [];
      let after: TierChangeCursor | null = null;
      for (;;) {
        const page: readonly TierChangeCursor[] = await tierChanges(engine.clickhouse, {
          ...{ brand: 'b1', after, order, limit: 2 },
        });
        seen.push(...page.map(({ person, version: at }) => `${person}${at}`));
        const last = page.at(-1);
        if (last === undefined) return seen;
        after = last;
      }
    };
    expect(await walk('oldest')).toEqual(['a9', 'b2', 'c2', 'a7', 'd1']);
    expect(await walk('newest')).toEqual(['d1', 'a7', 'c2', 'b2', 'a9']);
    const [first] = await tierChanges(engine.clickhouse, {
      brand: 'b1',
      person: 'a',
      schemeId: 's',
      limit: 1,
    });
    expect(first).toEqual({
      ...{
        detectedAt: AT,
        version: 9n,
        person: 'a',
        schemeId: 's',
        periodId: 's',
        from: 2,
        to: 3,
        direction: 'UP',
      },
      ...{
        cause: 'EVENT',
        causeEventId: null,
        effectiveAt: AT,
        purchaseDays: ['2026-11-11'],
        everPurchased: true,
      },
      lastShareAt: AT,
    });
  });
});

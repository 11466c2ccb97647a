/** The batch oracle on a year of real purchases, against figures that were computed elsewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { oraclePersons, oracleTotals, TouchpointSink } from '#clickhouse';
import { guestPerson, type Scheme, type Touchpoint } from '#domain';
import { type EmbeddedClickHouse, linkFact, openEmbeddedClickHouse, paidFact, refundFact } from '#testing';

const DATA = join(import.meta.dirname, '../../../shared/data/online_retail');
const FILE = join(DATA, 'orders.csv.gz');
const present = existsSync(FILE);
if (!present) process.stdout.write(`skipped: ${FILE} is not there\n`);

interface MonthlyTiers {
  readonly month: string;
  readonly tier3_one_day: number;
  readonly tier4_multi_day: number;
  readonly tier2_silent: number;
}

/** Every first purchase is a join too; `brand` says whether orders of 0 are purchases. */
function facts(brand: 'with zeros' | 'without zeros'): readonly Touchpoint[] {
  const [, ...lines] = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n');
  const members = new Set<string>();
  return lines.flatMap((line, row) => {
    const [order = '', kind, stamp = '', customer = '', , pounds = ''] = line.split(',');
    if (kind === 'adjust') return [];
    const at = Date.parse(`${stamp.replace(' ', 'T')}Z`);
    const person = customer === '' ? guestPerson(order) : customer;
    const amount = Math.abs(Math.round(Number(pounds) * 100));
    const head = { at, brand, eventId: `orders:${row}`, contentHash: row };
    if (kind === 'cancel') return [refundFact(person, order, amount, { ...head, refundId: order })];
    const paid = paidFact(person, order, amount, head);
    if (customer === '' || members.has(person) || (amount === 0 && brand === 'without zeros')) return [paid];
    members.add(person);
    return [linkFact(person, 'MEMBER', true, { ...head, eventId: `orders:${row}:join` }), paid];
  });
}

function scheme(brand: string, period: Scheme['period'], zone = 'UTC'): Scheme {
  return {
    id: 's',
    brand: null,
    period,
    zone,
    zeroOrderCounts: brand === 'with zeros',
    joinToleranceMs: 60_000,
  };
}

const ALL: Scheme['period'] = { kind: 'span', from: '2010-12-01', to: '2011-12-10' };
const LAST_30_DAYS: Scheme['period'] = { kind: 'span', from: '2011-11-10', to: '2011-12-10' };
const END = Date.UTC(2012, 0);

(present ? describe : describe.skip)('a year of real purchases', () => {
  let engine: EmbeddedClickHouse;

  beforeAll(async () => {
    engine = await openEmbeddedClickHouse();
    const sink = new TouchpointSink(engine.clickhouse);
    for (const brand of ['with zeros', 'without zeros'] as const) {
      const entries = facts(brand).map((touchpoint, offset) => ({
        touchpoint,
        detail: null,
        ...{ partition: 0, offset, version: BigInt(offset) },
      }));
      await sink.write(entries);
    }
  }, 120_000);
  afterAll(() => engine.close());

  const totals = (brand: string, period: Scheme['period'], at = END, zone = 'UTC') =>
    oracleTotals(engine.clickhouse, { brand, scheme: scheme(brand, period, zone), at });

  it('purchase days and buyers of the whole year', async () => {
    expect(await totals('without zeros', ALL)).toMatchObject({ member_purchase_days: 16_763 });
    expect((await totals('without zeros', ALL)).tiers.slice(1)).toEqual([0, 0, 1548, 2790, 0]);
    expect((await totals('with zeros', ALL)).tiers.slice(1)).toEqual([0, 0, 1549, 2790, 0]);
    const shanghai = await totals('without zeros', ALL, END, 'Asia/Shanghai');
    expect(shanghai.member_purchase_days).toBe(16_772);
  });

  it('tiers of the last 30 days', async () => {
    expect((await totals('without zeros', LAST_30_DAYS)).tiers.slice(1)).toEqual([0, 2710, 1168, 460, 0]);
    expect((await totals('with zeros', LAST_30_DAYS)).tiers.slice(1)).toEqual([0, 2710, 1169, 460, 0]);
    const rolling = await totals('without zeros', { kind: 'rolling', days: 30 }, Date.UTC(2011, 11, 10));
    expect(rolling.tiers.slice(1)).toEqual([0, 2710, 1168, 460, 0]);
  });

  it('tiers at the end of every month', async () => {
    const expected = JSON.parse(
      readFileSync(join(DATA, 'expected_monthly_tiers.json'), 'utf8'),
    ) as MonthlyTiers[];
    for (const { month, tier2_silent, tier3_one_day, tier4_multi_day } of expected) {
      const [year = 0, number = 0] = month.split('-').map(Number);
      const { tiers } = await totals('without zeros', { kind: 'calendarMonth' }, Date.UTC(year, number));
      expect([month, ...tiers.slice(1)]).toEqual([month, 0, tier2_silent, tier3_one_day, tier4_multi_day, 0]);
    }
  }, 60_000);

  it('refunds of unknown orders lower money only, and guests are no persons', async () => {
    const persons = await oraclePersons(engine.clickhouse, {
      brand: 'with zeros',
      scheme: scheme('with zeros', ALL),
      at: END,
    });
    expect(persons).toHaveLength(4372);
    expect(
      persons
        .filter(({ orders }) => orders === 0)
        .every(({ tier, own_value_minor }) => tier === 0 && own_value_minor <= 0),
    ).toBe(true);
    const { gmv_gross_minor, refunds_minor, guests, orders } = await totals('with zeros', ALL);
    expect({ guests, orders }).toEqual({ guests: 3525, orders: 22_061 });
    const net = persons.reduce((sum, { own_value_minor }) => sum + own_value_minor, 0);
    expect(Math.abs(net - 830_006_581)).toBeLessThan(20_000);
    expect(gmv_gross_minor - refunds_minor).toBeGreaterThan(net);
  });
});

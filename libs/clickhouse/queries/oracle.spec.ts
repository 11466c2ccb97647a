import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultSchemes, NOTE_KINDS, noted, type Scheme, type Touchpoint } from '#domain';
import {
  type EmbeddedClickHouse,
  linkFact,
  openEmbeddedClickHouse,
  paidFact,
  refundFact,
  visitFact,
} from '#testing';
import { TouchpointSink } from '../sinks/touchpoint-sink.js';
import { oraclePersons, oracleTotals } from './oracle.js';

/** Shanghai noon of a day of November 2026. */
const noon = (day: number) => Date.UTC(2026, 10, day, 4);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const AT = noon(20);
const [ROLLING, MONTH] = defaultSchemes();
if (ROLLING === undefined || MONTH === undefined) throw new Error('default schemes');
const member = (person: string, at: number) => linkFact(person, 'MEMBER', true, { at });

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());
beforeEach(() => engine.clickhouse.command({ sql: 'TRUNCATE TABLE gravity.touchpoints' }));

async function store(facts: readonly Touchpoint[]): Promise<void> {
  const entries = facts.map((touchpoint, offset) => ({
    touchpoint,
    detail: null,
    ...{ partition: 0, offset, version: BigInt(offset) },
  }));
  await new TouchpointSink(engine.clickhouse).write(entries);
}

async function judged(
  facts: readonly Touchpoint[],
  at = AT,
  scheme: Scheme | undefined = ROLLING,
): Promise<unknown> {
  if (scheme === undefined) throw new Error('no scheme');
  await store(facts);
  const persons = await oraclePersons(engine.clickhouse, { brand: 'b1', scheme, at });
  return Object.fromEntries(
    persons.map(({ person, tier, purchase_days }) => [person, [tier, purchase_days]]),
  );
}

it('knows nobody by notes, and no link or money', async () => {
  const body = { on: true, role: null, assignee: null, inviter: null };
  const facts = [member('one', noon(1)), paidFact('one', 'o1', 100, { at: noon(15) })];
  const notes = ['one', 'two'].flatMap((person) =>
    NOTE_KINDS.map((note) => noted(member(person, noon(2)), { ...body, note })),
  );
  expect(await judged([...facts, ...notes])).toEqual({ one: [3, 1] });
});

describe('tiers by the decision order', () => {
  it('1: two orders on one Shanghai day are one day; either side of midnight they are two', async () => {
    const midnight = Date.UTC(2026, 10, 14, 16);
    const facts = [
      member('one', noon(1)),
      paidFact('one', 'o1', 100, { at: midnight + 1000 }),
      paidFact('one', 'o2', 100, { at: midnight + 24 * HOUR - 1000 }),
      member('two', noon(1)),
      paidFact('two', 'o3', 100, { at: midnight - 1000 }),
      paidFact('two', 'o4', 100, { at: midnight + 1000 }),
    ];
    expect(await judged(facts)).toEqual({ one: [3, 1], two: [4, 2] });
    const utc = { ...ROLLING, zone: 'UTC' } as Scheme;
    expect(await judged([], AT, utc)).toEqual({ one: [4, 2], two: [3, 1] });
  });

  it('2: a purchase counts as a member’s from 60 s before the join, and no earlier', async () => {
    const at = noon(10);
    const facts = ['day', 'late', 'same', 'after', 'quit'].map((person) =>
      paidFact(person, `o-${person}`, 100, { at }),
    );
    expect(
      await judged([
        ...facts,
        member('day', at + 24 * HOUR),
        member('late', at + MINUTE + 1),
        member('same', at + MINUTE),
        member('after', at - 5 * MINUTE),
        member('quit', at - HOUR),
        linkFact('quit', 'MEMBER', false, { at: at - 1 }),
        linkFact('quit', 'MEMBER', true, { at: at + 2 * MINUTE }),
      ]),
    ).toEqual({ day: [2, 0], late: [2, 0], same: [3, 1], after: [3, 1], quit: [2, 0] });
  });

  it('2: joining again while a member is no join', async () => {
    const at = noon(10);
    const facts = [
      member('p', at - HOUR),
      member('p', at - 50_000),
      linkFact('p', 'MEMBER', false, { at: at - 40_000 }),
      paidFact('p', 'o', 1, { at }),
    ];
    expect(await judged(facts)).toEqual({ p: [0, 0] });
  });

  it('3: whoever visits daily but buys nothing in the period has lapsed', async () => {
    const visits = [1, 5, 10, 19].map((day) => visitFact('p', { at: noon(day) }));
    expect(
      await judged([member('p', noon(-60)), paidFact('p', 'o', 5, { at: noon(-50) }), ...visits]),
    ).toEqual({
      p: [2, 0],
    });
  });

  it('8, 9: what remains of the links decides; rejoining makes the member days count again', async () => {
    const bought = (person: string) => [
      member(person, noon(1)),
      paidFact(person, `${person}-1`, 100, { at: noon(2) }),
      linkFact(person, 'MEMBER', false, { at: noon(5), channel: 'wecom' }),
    ];
    expect(
      await judged([
        ...bought('grouped'),
        linkFact('grouped', 'GROUP', true, { at: noon(1), channel: 'group' }),
        ...bought('gone'),
        ...bought('back'),
        member('back', noon(9)),
        paidFact('fan', 'f1', 100, { at: noon(3) }),
        linkFact('fan', 'SHOP_FAN', true, { at: noon(1) }),
        paidFact('target', 't1', 100, { at: noon(3) }),
      ]),
    ).toEqual({ grouped: [1, 1], gone: [0, 1], back: [3, 1], fan: [1, 0], target: [0, 0] });
  });

  it('a link is live from its instant on and dead from its end on, and ties go by event id', async () => {
    const fan = (person: string, on: boolean, at: number, eventId: string) =>
      linkFact(person, 'SHOP_FAN', on, { at, eventId });
    expect(
      await judged([
        ...[fan('now', true, AT - 1, 'a1'), fan('not yet', true, AT, 'a2')],
        ...[fan('ended', true, 1, 'a3'), fan('ended', false, AT - 1, 'a4')],
        ...[fan('on last', true, AT - 9, 'b2'), fan('on last', false, AT - 9, 'b1')],
        ...[fan('off last', true, AT - 9, 'c1'), fan('off last', false, AT - 9, 'c2')],
      ]),
    ).toEqual({ now: [1, 0], ended: [0, 0], 'on last': [1, 0], 'off last': [0, 0] });
  });
});

describe('refunds', () => {
  it('cancel the day from their time on, when nothing of its orders stands', async () => {
    const at = noon(10);
    const cases: [string, Touchpoint[]][] = [
      ['full', [refundFact('full', 'full', 1, { at: at + 1, full: true })]],
      [
        'amount',
        [
          refundFact('amount', 'amount', 60, { at: at + 1 }),
          refundFact('amount', 'amount', 40, { at: at + 2 }),
        ],
      ],
      ['part', [refundFact('part', 'part', 99, { at: at + 1 })]],
      ['before', [refundFact('before', 'before', 100, { at: at - 1, full: true })]],
      ['same ms', [refundFact('same ms', 'same ms', 100, { at })]],
      ['later', [refundFact('later', 'later', 100, { at: AT })]],
      ['orphan', [refundFact('orphan', null, 100, { at: at + 1, full: true })]],
      ['other', [refundFact('other', 'unknown', 100, { at: at + 1, full: true })]],
      ['line', [refundFact('line', 'line', 0, { at: at + 1, full: true, lineId: '1' })]],
      ['no line', [refundFact('no line', 'no line', 0, { at: at + 1, full: true, lineId: '2' })]],
    ];
    const facts = cases.flatMap(([person, refunds]) => [
      member(person, noon(1)),
      paidFact(person, person, 100, { at }),
      ...refunds,
    ]);
    expect(await judged(facts)).toEqual({
      ...{ full: [2, 0], amount: [2, 0], part: [3, 1], before: [3, 1], 'same ms': [2, 0], later: [3, 1] },
      ...{ orphan: [3, 1], other: [3, 1], line: [2, 0], 'no line': [3, 1] },
    });
    const totals = await oracleTotals(engine.clickhouse, { brand: 'b1', scheme: ROLLING, at: AT });
    expect(totals).toEqual({
      ...{ tiers: [0, 0, 4, 6, 0, 0], persons: 10, member_purchase_days: 6, guests: 0 },
      ...{ gmv_gross_minor: 1000, refunds_minor: 1 + 100 + 99 + 100 + 100 + 100 + 100, orders: 10 },
    });
  });

  it('cancel a day only with all its orders, and a line paid later opens an order again', async () => {
    const at = noon(10);
    const facts = [
      member('p', noon(1)),
      paidFact('p', 'o1', 100, { at }),
      paidFact('p', 'o2', 50, { at: at + 1 }),
      refundFact('p', 'o1', 100, { at: at + 2 }),
      member('q', noon(1)),
      paidFact('q', 'o3', 100, { at, lineId: 'a' }),
      refundFact('q', 'o3', 100, { at: at + 1 }),
      paidFact('q', 'o3', 100, { at: at + 2, lineId: 'b' }),
      member('r', noon(1)),
      paidFact('r', 'o4', 100, { at, lineId: 'a' }),
      paidFact('r', 'o4', 100, { at, lineId: 'b' }),
      refundFact('r', 'o4', 100, { at: at + 1, lineId: 'a' }),
      refundFact('r', 'o4', 1, { at: at + 1, lineId: 'b', full: true }),
    ];
    expect(await judged(facts)).toEqual({ p: [3, 1], q: [3, 1], r: [2, 0] });
    expect(await judged([], at + 2)).toEqual({ p: [3, 1], q: [2, 0], r: [2, 0] });
  });

  it('an order of 0 is cancelled only explicitly, and is no purchase where zeros do not count', async () => {
    const at = noon(10);
    const facts = [
      ...['zero', 'zero back', 'zero gone', 'gift'].map((person) => member(person, noon(1))),
      paidFact('zero', 'z1', 0, { at }),
      ...[paidFact('zero back', 'z2', 0, { at }), refundFact('zero back', 'z2', 0, { at: at + 1 })],
      ...[
        paidFact('zero gone', 'z3', 0, { at }),
        refundFact('zero gone', 'z3', 0, { at: at + 1, full: true }),
      ],
      ...[paidFact('gift', 'z4', 0, { at: noon(9) }), paidFact('gift', 'z4', 10, { at, lineId: '2' })],
    ];
    expect(await judged(facts)).toEqual({
      zero: [3, 1],
      'zero back': [3, 1],
      'zero gone': [2, 0],
      gift: [3, 1],
    });
    const strict = { ...ROLLING, zeroOrderCounts: false } as Scheme;
    expect(await judged([], AT, strict)).toEqual({
      zero: [2, 0],
      'zero back': [2, 0],
      'zero gone': [2, 0],
      gift: [3, 1],
    });
    const persons = await oraclePersons(engine.clickhouse, { brand: 'b1', scheme: strict, at: AT });
    expect(persons.map(({ person, orders, first_purchase }) => [person, orders, first_purchase])).toEqual([
      ['gift', 1, at],
      ['zero', 0, null],
      ['zero back', 0, null],
      ['zero gone', 0, null],
    ]);
  });
});

describe('periods', () => {
  const bought = (day: number, person = 'p') => paidFact(person, `o${day}`, 10, { at: noon(day) });

  it('rolling: the last 30 local days, the day of T − 1 ms included', async () => {
    const midnightOf = (day: number) => noon(day) - 12 * HOUR;
    await store([member('p', noon(-90)), bought(1), bought(2)]);
    expect(await judged([], midnightOf(31))).toEqual({ p: [4, 2] });
    expect(await judged([], midnightOf(31) + 1)).toEqual({ p: [3, 1] });
    expect(await judged([], midnightOf(32) + 1)).toEqual({ p: [2, 0] });
  });

  it('calendar month: the month of T − 1 ms', async () => {
    const december = noon(31) - 12 * HOUR;
    await store([member('p', noon(-90)), bought(1), bought(30), bought(31)]);
    expect(await judged([], december, MONTH)).toEqual({ p: [4, 2] });
    expect(await judged([], december + 1, MONTH)).toEqual({ p: [2, 0] });
    expect(await judged([], noon(32), MONTH)).toEqual({ p: [3, 1] });
  });

  it('span: its days go on counting after it; campaign: none after the close', async () => {
    await store([member('p', noon(-90)), bought(9), bought(10), bought(11), bought(12)]);
    const span: Scheme = {
      ...MONTH,
      id: 's',
      period: { kind: 'span', from: '2026-11-10', to: '2026-11-12' },
    };
    const campaign: Scheme = {
      ...MONTH,
      ...{
        id: 'c',
        period: { kind: 'campaign', from: '2026-11-10', to: '2026-11-12', baseFrom: '2026-11-01' },
      },
    };
    for (const scheme of [span, campaign]) {
      expect(await judged([], noon(9) + HOUR, scheme)).toEqual({ p: [2, 0] });
      expect(await judged([], noon(11), scheme)).toEqual({ p: [3, 1] });
      expect(await judged([], noon(12) - 12 * HOUR, scheme)).toEqual({ p: [4, 2] });
    }
    expect(await judged([], noon(15), span)).toEqual({ p: [4, 2] });
    expect(await judged([], noon(12) - 12 * HOUR + 1, campaign)).toEqual({ p: [2, 0] });
  });

  it('days follow the zone by its history: Shanghai was at UTC+9 in the summer of 1990', async () => {
    const at = Date.UTC(1990, 6, 1, 15, 30);
    await store([
      member('p', at - HOUR),
      paidFact('p', 'o1', 1, { at }),
      paidFact('p', 'o2', 1, { at: at - 31 * MINUTE }),
    ]);
    expect(await judged([], at + 1)).toEqual({ p: [4, 2] });
  });
});

describe('records of one id', () => {
  it('the one with the smallest time and hash counts, of money by order, line and refund', async () => {
    const at = noon(10);
    const facts = [
      linkFact('p', 'MEMBER', true, { at: noon(1), eventId: 'e', contentHash: 9 }),
      linkFact('p', 'SHOP_FAN', true, { at: noon(1), eventId: 'e', contentHash: 10 }),
      linkFact('p', 'MEMBER', false, { at: noon(2), eventId: 'e', contentHash: 1 }),
      paidFact('p', 'o', 100, { at, contentHash: 5 }),
      paidFact('p', 'o', 70, { at, contentHash: 4 }),
      paidFact('p', 'o', 60, { at: at + 1, contentHash: 3 }),
      refundFact('p', 'o', 30, { at: at + 5, refundId: 'r', contentHash: 2 }),
      refundFact('p', 'o', 70, { at: at + 6, refundId: 'r', contentHash: 1 }),
      refundFact('p', 'o', 30, { at: at + 7, refundId: 'r2' }),
    ];
    await store([...facts, ...facts]);
    const persons = await oraclePersons(engine.clickhouse, { brand: 'b1', scheme: ROLLING, at: AT });
    expect(persons).toEqual([
      {
        ...{ person: 'p', tier: 3, purchase_days: 1, orders: 1, own_value_minor: 10 },
        ...{ first_purchase: at, last_purchase: at, is_member: true },
      },
    ]);
  });
});

it('persons: lifetime figures, who only refunded appears, guests, visitors and other brands do not', async () => {
  await store([
    member('p', noon(1)),
    paidFact('p', 'o1', 1000, { at: noon(-300) }),
    paidFact('p', 'o2', 500, { at: noon(10) }),
    refundFact('p', 'o1', 200, { at: noon(10) }),
    refundFact('p', null, 50, { at: noon(11) }),
    paidFact('p', 'o3', 5, { at: AT }),
    refundFact('refunder', null, 30, { at: noon(3) }),
    paidFact('order:g1', 'g1', 700, { at: noon(4) }),
    visitFact('visitor', { at: noon(4) }),
    linkFact('foreign', 'MEMBER', true, { at: noon(4), brand: 'b2' }),
    paidFact('p', 'o9', 9, { at: noon(4), brand: 'b2' }),
  ]);
  const query = { brand: 'b1', scheme: ROLLING, at: AT };
  expect(await oraclePersons(engine.clickhouse, query)).toEqual([
    {
      ...{ person: 'p', tier: 3, purchase_days: 1, orders: 2, own_value_minor: 1250 },
      ...{ first_purchase: noon(-300), last_purchase: noon(10), is_member: true },
    },
    {
      ...{ person: 'refunder', tier: 0, purchase_days: 0, orders: 0, own_value_minor: -30 },
      ...{ first_purchase: null, last_purchase: null, is_member: false },
    },
  ]);
  expect(await oracleTotals(engine.clickhouse, query)).toEqual({
    ...{ tiers: [1, 0, 0, 1, 0, 0], persons: 2, member_purchase_days: 1, guests: 1 },
    ...{ gmv_gross_minor: 2200, refunds_minor: 280, orders: 3 },
  });
});

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { NOTE_KINDS, noted, type NoteKind, type Touchpoint } from '#domain';
import {
  type EmbeddedClickHouse,
  engagementFact,
  linkFact,
  openEmbeddedClickHouse,
  paidFact,
  refundFact,
  visitFact,
} from '#testing';
import { TouchpointSink } from '../sinks/touchpoint-sink.js';
import type { WindowCounts } from './window-counts.js';
import { windowFiguresFromFacts } from './window-figures-from-facts.js';

const W = 300_000;
const T = Date.UTC(2026, 10, 11, 12);
const FROM = T - W;

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());
beforeEach(() => engine.clickhouse.command({ sql: 'TRUNCATE TABLE gravity.touchpoints' }));

async function figures(facts: readonly Touchpoint[], channel?: string): Promise<WindowCounts> {
  const entries = facts.map((touchpoint, offset) => ({
    touchpoint,
    detail: null,
    ...{ partition: 0, offset, version: BigInt(offset) },
  }));
  await new TouchpointSink(engine.clickhouse).write(entries);
  const window = { brand: 'b1', widthMs: W, at: T };
  return windowFiguresFromFacts(engine.clickhouse, channel === undefined ? window : { ...window, channel });
}

const counts = (...[visitors, active, active_related, visitors_related, capital]: number[]) => ({
  ...{ visitors, active, active_related, visitors_related, capital, capital_reachable: capital },
  ...{ orders: 0, buyers: 0, gmv_gross_minor: 0, refunds_minor: 0 },
});

it('is all zeros without facts', async () => {
  expect(await figures([])).toEqual(counts(0, 0, 0, 0, 0));
});

it('takes [T − W, T) of presence; an active is a visit; staff, guests and other brands are neither', async () => {
  const facts = [
    visitFact('early', { at: FROM - 1 }),
    visitFact('first', { at: FROM }),
    engagementFact('last', { at: T - 1 }),
    engagementFact('late', { at: T }),
    visitFact('first', { at: FROM + 5, channel: 'live' }),
    { ...engagementFact('staff', { at: FROM }), staffOrBot: true },
    engagementFact('other', { at: FROM, brand: 'b2' }),
  ];
  expect(await figures(facts)).toEqual(counts(2, 1, 0, 0, 0));
  expect(await figures([], 'live')).toEqual(counts(1, 0, 0, 0, 0));
  expect(await figures([], 'shop')).toEqual(counts(2, 1, 0, 0, 0));
});

it('every kind of event but a visit is active', async () => {
  const head = { at: FROM + 1, channel: 'wecom' };
  const plain = visitFact('x', head);
  const facts: Touchpoint[] = [
    linkFact('linked', 'GROUP', true, head),
    linkFact('unlinked', 'GROUP', false, head),
    paidFact('payer', 'o1', 100, head),
    refundFact('refunder', null, 40, head),
    {
      ...plain,
      eventId: 'r',
      person: 'reviewer',
      type: 'review',
      orderId: null,
      stars: 5,
      positive: null,
      deleted: false,
      itemId: null,
    },
    { ...plain, eventId: 's', person: 'sharer', type: 'shared', shareId: 's', itemId: null, content: null },
    {
      ...plain,
      eventId: 'c',
      person: 'clicker',
      type: 'shareClicked',
      shareId: 's',
      sharer: null,
      itemId: null,
    },
    {
      ...plain,
      eventId: 'd',
      person: 'depositor',
      type: 'presaleDeposit',
      orderId: 'o2',
      lineId: '1',
      amountMinor: 9,
    },
    visitFact('visitor', head),
    paidFact('order:g', 'g', 50, head),
  ];
  const expected = {
    ...counts(9, 8, 1, 1, 1),
    orders: 2,
    buyers: 1,
    gmv_gross_minor: 150,
    refunds_minor: 40,
  };
  expect(await figures(facts)).toEqual(expected);
  expect(await figures([], 'wecom')).toEqual(expected);
  expect(await figures([], 'shop')).toEqual(counts(0, 0, 0, 0, 0));
});

it('notes are nothing of this, under whatever id', async () => {
  const head = { at: FROM + 5, channel: 'wecom', eventId: 'e' };
  const before = await figures([visitFact('x', head), linkFact('x', 'GROUP', true, { at: FROM + 6 })]);
  const body = { on: true, role: null, assignee: null, inviter: null };
  const notes = NOTE_KINDS.flatMap((note) => [
    noted(visitFact('x', head), { ...body, note }),
    noted(visitFact('x', { ...head, at: FROM - 1, contentHash: 0 }), { ...body, note }),
    noted(visitFact('y', { at: FROM + 1 }), { ...body, note }),
  ]);
  expect(await figures(notes)).toEqual(before);
  expect(before).toEqual(counts(1, 1, 1, 1, 1));
});

it('related: a link of any channel at any instant of the window; capital: live just before T', async () => {
  const person = (
    name: string,
    spans: readonly (readonly [number, number])[],
    channel = 'group',
  ): Touchpoint[] => [
    visitFact(name, { at: FROM + 1 }),
    ...spans.flatMap(([from, to]) => [
      linkFact(name, 'GROUP', true, { at: from, channel }),
      ...(to === Infinity ? [] : [linkFact(name, 'GROUP', false, { at: to, channel })]),
    ]),
  ];
  const facts = [
    ...person('ended at the start', [[1, FROM]]),
    ...person('ended just in', [[1, FROM + 1]]),
    ...person('begins last', [[T - 1, Infinity]]),
    ...person('ends at T', [[1, T]]),
    ...person('ends before T', [[1, T - 1]]),
    ...person('no length', [[FROM + 9, FROM + 9]]),
    ...person('twice', [
      [FROM + 10, FROM + 20],
      [FROM + 30, Infinity],
    ]),
  ];
  expect(await figures(facts)).toMatchObject({ visitors: 7, visitors_related: 5, capital: 3 });
  expect(await figures([], 'group')).toMatchObject({ visitors: 6, active_related: 4, capital: 3 });
  expect(await figures([], 'shop')).toMatchObject({
    visitors: 7,
    visitors_related: 5,
    active: 0,
    capital: 0,
  });
});

it('reachable: by a link in whose channel the last word before T is not no', async () => {
  const word = (person: string, on: boolean, at: number, note: NoteKind = 'REACH') =>
    noted(visitFact(person, { at, channel: person === 'elsewhere' ? 'wecom' : 'group' }), {
      ...{ note, on, role: null, assignee: null, inviter: null },
    });
  const linked = (person: string) => linkFact(person, 'GROUP', true, { at: 1, channel: 'group' });
  const facts = [
    linked('never asked'),
    ...[linked('declined'), word('declined', false, 2)],
    ...[linked('declined at T'), word('declined at T', false, T)],
    ...[linked('welcome again'), word('welcome again', false, 2), word('welcome again', true, T - 1)],
    ...[linked('elsewhere'), word('elsewhere', false, 2)],
    ...[linked('by two'), linkFact('by two', 'LIVE_FOLLOW', true, { at: 1, channel: 'live' })],
    word('by two', false, 2),
    word('not linked', false, 2),
    ...[linked('another note'), word('another note', false, 2, 'ROLE')],
  ];
  expect(await figures(facts)).toMatchObject({ capital: 7, capital_reachable: 6 });
  expect(await figures([], 'group')).toMatchObject({ capital: 7, capital_reachable: 5 });
  expect(await figures([], 'live')).toMatchObject({ capital: 1, capital_reachable: 1 });
});

it('membership ends in every channel at once, other links in their own', async () => {
  const facts = [
    ...['MEMBER' as const, 'SHOP_FAN' as const].flatMap((kind) => [
      linkFact(kind, kind, true, { at: 1, channel: 'shop' }),
      linkFact(kind, kind, true, { at: 2, channel: 'live' }),
      linkFact(kind, kind, false, { at: 3, channel: 'live' }),
    ]),
  ];
  expect(await figures(facts)).toMatchObject({ capital: 1 });
  expect(await figures([], 'shop')).toMatchObject({ capital: 1 });
  expect(await figures([], 'live')).toMatchObject({ capital: 0 });
});

it('of records with one id the smallest (time, hash) counts, wherever it lies', async () => {
  const facts = [
    visitFact('was before', { at: FROM - 1, eventId: 'e1' }),
    visitFact('was before', { at: FROM + 1, eventId: 'e1' }),
    engagementFact('by hash', { at: FROM, eventId: 'e2', contentHash: 2 }),
    visitFact('by hash', { at: FROM, eventId: 'e2', contentHash: 1, channel: 'live' }),
    visitFact('somebody', { at: FROM, eventId: 'e3' }),
    visitFact('another', { at: FROM + 1, eventId: 'e3' }),
    paidFact('p', 'o1', 100, { at: FROM - 1, lineId: 'a' }),
    paidFact('p', 'o1', 90, { at: FROM, lineId: 'a' }),
    paidFact('p', 'o1', 30, { at: FROM + 1, lineId: 'b' }),
    paidFact('p', 'o2', 7, { at: FROM + 2, lineId: 'b', channel: 'live' }),
    paidFact('p', 'o2', 8, { at: FROM + 3, lineId: 'a' }),
    refundFact('p', 'o1', 5, { at: FROM, refundId: 'r1' }),
    refundFact('p', 'o1', 6, { at: FROM + 1, refundId: 'r1' }),
    refundFact('p', 'o1', 6, { at: FROM + 1, refundId: 'r1', lineId: 'a' }),
  ];
  expect(await figures([...facts, ...facts])).toEqual({
    ...counts(4, 1, 0, 0, 0),
    ...{ orders: 1, buyers: 1, gmv_gross_minor: 45, refunds_minor: 11 },
  });
  expect(await figures([], 'live')).toMatchObject({
    visitors: 2,
    active: 1,
    orders: 1,
    buyers: 1,
    gmv_gross_minor: 7,
  });
  expect(await figures([], 'shop')).toMatchObject({
    visitors: 3,
    active: 1,
    orders: 0,
    buyers: 0,
    gmv_gross_minor: 38,
  });
});

it('a buyer is a person with an order whose first line lies in the window and channel; guests are none', async () => {
  const facts = [
    paidFact('twice', 'o1', 10, { at: FROM }),
    paidFact('twice', 'o2', 10, { at: FROM + 1, channel: 'live' }),
    paidFact('before', 'o3', 10, { at: FROM - 1 }),
    paidFact('before', 'o3', 10, { at: FROM + 1, lineId: '2' }),
    paidFact('nothing paid', 'o4', 0, { at: T - 1 }),
    refundFact('nothing paid', 'o4', 0, { at: T - 1, full: true }),
    paidFact('order:o5', 'o5', 10, { at: FROM }),
    refundFact('only back', 'o6', 10, { at: FROM }),
  ];
  expect(await figures(facts)).toMatchObject({ orders: 4, buyers: 2 });
  expect(await figures([], 'live')).toMatchObject({ orders: 1, buyers: 1 });
  expect(await figures([], 'shop')).toMatchObject({ orders: 3, buyers: 2 });
});

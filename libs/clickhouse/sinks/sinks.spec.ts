import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TierChanged, Touchpoint, TouchpointDetail } from '#domain';
import type { FigureRow, StoredDeadLetter } from '#pipeline';
import { type EmbeddedClickHouse, linkFact, openEmbeddedClickHouse, paidFact, visitFact } from '#testing';
import type { ClickHouse } from '../clickhouse.js';
import { DeadLetterSink } from './dead-letter-sink.js';
import { ClickHouseFigureSink } from './figure-sink.js';
import { TierChangeSink } from './tier-change-sink.js';
import { TouchpointSink } from './touchpoint-sink.js';

const AT = Date.UTC(2026, 10, 11, 12);
const EPOCH_40 = 40n << 48n;

let engine: EmbeddedClickHouse;
let clickhouse: ClickHouse;

beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
  clickhouse = engine.clickhouse;
});
afterAll(() => engine.close());

async function rowsOf(table: string, what = '*'): Promise<readonly unknown[]> {
  return clickhouse.query({
    sql: `SELECT ${what} FROM gravity.${table} FINAL ORDER BY ALL`,
    row: (row) => row,
  });
}

function windowRow(version: bigint, visitors: number, partition = 0): FigureRow {
  return {
    ...{
      table: 'window_figures',
      brand: 'b1',
      channel: 'all',
      window: '5m',
      end: AT,
      partition,
      generation: 1,
    },
    ...{
      version,
      status: 'closed',
      watermark: AT,
      visitors,
      active: 1,
      active_related: 1,
      visitors_related: 1,
    },
    ...{ capital: 5, capital_reachable: 4, orders: 2, buyers: 1, gmv_gross_minor: 2 ** 52, refunds_minor: 0 },
  };
}

describe('ClickHouseFigureSink', () => {
  it('keeps the newest version of each key beyond epoch 32, whatever comes again', async () => {
    const sink = new ClickHouseFigureSink(clickhouse);
    await sink.write([windowRow(EPOCH_40 + 2n, 7), windowRow(EPOCH_40, 9, 1)]);
    await sink.write([windowRow(EPOCH_40 + 1n, 3), windowRow(EPOCH_40 + 2n, 7)]);
    const read = () =>
      rowsOf(
        'window_figures',
        'partition, visitors, version, gmv_gross_minor, toUnixTimestamp64Milli(end) AS ms',
      );
    const gmv = { gmv_gross_minor: String(2 ** 52), ms: String(AT) };
    expect(await read()).toEqual([
      { partition: 0, visitors: '7', version: String(EPOCH_40 + 2n), ...gmv },
      { partition: 1, visitors: '9', version: String(EPOCH_40), ...gmv },
    ]);
    await sink.write([windowRow(EPOCH_40 + 3n, 8)]);
    expect(await read()).toMatchObject([{ visitors: '8' }, { visitors: '9' }]);
  });

  it('stores every kind of row under its table', async () => {
    const sink = new ClickHouseFigureSink(clickhouse);
    const head = { brand: 'b1', partition: 3, generation: 1, version: 5n };
    await sink.write([
      {
        ...{
          table: 'period_figures',
          ...head,
          channel: 'all',
          scheme_id: 'rolling:30d',
          period_id: 'rolling:30d',
        },
        ...{ day: '1996-02-29', status: 'provisional', watermark: AT, capital: 4, capital_base: 3 },
        ...{ new_relations: 2, lost_relations: 1, orders: 1, gmv_gross_minor: 100, refunds_minor: 50 },
        ...{ deepened: 1, deepened_cohort: 1, tiers: [1, 2, 3, 4, 5, 0] },
      },
      {
        ...{
          table: 'persons',
          ...head,
          scheme_id: 'rolling:30d',
          person: '人\\\'"',
          period_id: 'rolling:30d',
        },
        ...{
          tier: 4,
          purchase_days: 2,
          orders: 3,
          own_value_minor: -7,
          first_purchase: null,
          last_purchase: AT,
        },
        ...{ is_member: true, gone: false },
      },
      { table: 'window_heartbeats', window: '5m', end: AT, partition: 3, generation: 1, version: 5n },
    ]);
    expect(await rowsOf('period_figures')).toMatchObject([
      { day: '1996-02-29', tiers: ['1', '2', '3', '4', '5', '0'], status: 'provisional', capital_base: '3' },
    ]);
    expect(await rowsOf('persons')).toMatchObject([
      { person: '人\\\'"', first_purchase: null, own_value_minor: '-7', is_member: true, gone: false },
    ]);
    expect(await rowsOf('window_heartbeats')).toMatchObject([
      { partition: 3, end: '2026-11-11 12:00:00.000' },
    ]);
  });

  it('rejects when the database does, and takes the rows again afterwards', async () => {
    let fail = true;
    const sink = new ClickHouseFigureSink({
      insert: (insert) => (fail ? Promise.reject(new Error('away')) : clickhouse.insert(insert)),
    });
    await expect(sink.write([windowRow(1n, 1, 9)])).rejects.toThrow('away');
    fail = false;
    await expect(sink.write([windowRow(1n, 1, 9)])).resolves.toBeUndefined();
  });
});

describe('TouchpointSink', () => {
  const detail: TouchpointDetail = {
    ...{ actor: 'STAFF', publicDomain: true, paid: true, mechanism: '拼團', guide: 'g1', shareId: 's1' },
    ...{ itemId: 'i1', roomId: 'r1', groupId: 'gr1', contentId: 'c1', couponId: 'cp1', quantity: 2.5 },
    ...{ reviewId: 'rv1', parentShareId: 's0', contentKind: 'LIVE', fissionForm: 'TASK' },
  };
  const head = { at: AT, channel: 'live', entrySource: 'search', campaign: 'd11', clockShiftMs: -5 };

  const stored = async (touchpoint: Touchpoint, extra: TouchpointDetail | null): Promise<unknown> => {
    const entry = { touchpoint, detail: extra, partition: 2, offset: 77, version: EPOCH_40 + 77n };
    await new TouchpointSink(clickhouse).write([entry, entry]);
    const rows = await clickhouse.query({
      sql: 'SELECT *, log_offset FROM gravity.touchpoints FINAL WHERE event_id = {id:String}',
      params: { id: touchpoint.eventId },
      row: (row) => row,
    });
    expect(rows).toHaveLength(1);
    return rows[0];
  };

  it('keeps every field of the head, the position, and the detail', async () => {
    expect(await stored(linkFact('p1', 'MEMBER', true, head), detail)).toMatchObject({
      ...{
        person: 'p1',
        at: '2026-11-11 12:00:00.000',
        channel: 'live',
        type: 'link',
        kind: 'MEMBER',
        is_on: true,
      },
      ...{ entry_source: 'search', campaign: 'd11', clock_shift_ms: '-5', guest: false, origin: 'REPLAY' },
      ...{
        partition: 2,
        log_offset: '77',
        version: String(EPOCH_40 + 77n),
        content_hash: '1',
        actor: 'STAFF',
      },
      ...{ public_domain: true, paid: true, mechanism: '拼團', guide: 'g1', share_id: 's1', item_id: 'i1' },
      ...{
        room_id: 'r1',
        group_id: 'gr1',
        content_id: 'c1',
        coupon_id: 'cp1',
        quantity: 2.5,
        review_id: 'rv1',
      },
      ...{ parent_share_id: 's0', content_kind: 'LIVE', fission_form: 'TASK' },
    });
  });

  it('keeps what each type has', async () => {
    const base = linkFact('p1', 'GROUP', false, head);
    const { type: _type, ...plain } = base.type === 'link' ? base : { ...base, type: '' };
    let id = 0;
    const as = <T>(fields: T) => ({ ...plain, ...fields, eventId: `typed-${++id}` });
    const order = { orderId: 'o1', lineId: 'l1', amountMinor: 12 };
    const cases: [Touchpoint, Record<string, unknown>][] = [
      [as({ ...base, type: 'link' as const, groupKind: 'MEMBER', inviter: 'p9' }) as Touchpoint, {}],
      [visitFact('p1', { ...head }, 'LIVE_VIEW'), { kind: 'LIVE_VIEW', dwell_ms: null }],
      [
        as({ type: 'engagement', action: 'LIKE', itemId: 'i', roomId: 'r', groupId: 'g' }),
        { kind: 'LIKE', item_id: 'i', room_id: 'r', group_id: 'g' },
      ],
      [
        paidFact('order:o1', 'o1', 12, {
          ...head,
          lineId: 'l2',
          presaleBalance: true,
          quantity: 0,
          shareId: 's',
        }),
        {
          order_id: 'o1',
          line_id: 'l2',
          amount_minor: '12',
          presale_balance: true,
          quantity: 0,
          guest: true,
        },
      ],
      [
        as({
          type: 'orderRefunded',
          orderId: null,
          lineId: null,
          refundId: 'rf',
          amountMinor: 0,
          full: true,
        }),
        { order_id: '', refund_id: 'rf', amount_minor: '0', is_full: true },
      ],
      [as({ type: 'presaleDeposit', ...order }), { order_id: 'o1', line_id: 'l1', amount_minor: '12' }],
      [
        as({
          type: 'review',
          orderId: 'o1',
          itemId: 'i',
          stars: 0,
          positive: false,
          deleted: true,
        }),
        { order_id: 'o1', item_id: 'i', stars: 0, positive: false, deleted: true },
      ],
      [as({ type: 'shared', shareId: 's', itemId: 'i', content: 'c' }), { share_id: 's', content: 'c' }],
      [
        as({ type: 'shareClicked', shareId: 's', sharer: 'p2', itemId: null }),
        { share_id: 's', sharer: 'p2', item_id: '' },
      ],
      [
        as({
          type: 'note',
          note: 'MANAGER',
          on: true,
          role: 'SERVICE_MANAGER',
          assignee: 'p3',
          inviter: 'p4',
        }),
        { kind: 'MANAGER', is_on: true, role: 'SERVICE_MANAGER', assignee: 'p3', inviter: 'p4' },
      ],
    ];
    for (const [touchpoint, expected] of cases)
      expect(await stored(touchpoint, null)).toMatchObject({ type: touchpoint.type, actor: '', ...expected });
  });

  it('writes more rows than one insert may have', async () => {
    const entries = Array.from({ length: 20_001 }, (_, i) => ({
      touchpoint: visitFact(`many-${i}`, { at: AT + i }),
      detail: null,
      ...{ partition: 0, offset: i, version: BigInt(i) },
    }));
    await new TouchpointSink(clickhouse).write(entries);
    expect(await rowsOf('touchpoints', "countIf(startsWith(person, 'many-')) AS n")).toEqual([
      { n: '20001' },
    ]);
  });
});

describe('other sinks', () => {
  it('keep one tier change per idempotency key', async () => {
    const change: TierChanged = {
      ...{ type: 'tierChanged', brand: 'b1', person: 'p1', schemeId: 's', periodId: 's', from: 0, to: 3 },
      ...{
        direction: 'UP',
        cause: 'EVENT',
        causeEventId: 'e1',
        effectiveAt: AT,
        detectedAt: AT + 5,
        version: EPOCH_40,
      },
      evidence: { purchaseDays: ['2026-11-10', '2026-11-11'], everPurchased: true, lastShareAt: null },
    };
    const sink = new TierChangeSink(clickhouse);
    const later: TierChanged = { ...change, version: EPOCH_40 + 1n, cause: 'TIME', causeEventId: null };
    await sink.write([change, later]);
    await sink.write([change]);
    expect(await rowsOf('tier_changes')).toMatchObject([
      { cause_event_id: 'e1', purchase_days: ['2026-11-10', '2026-11-11'], to_tier: 3, last_share_at: null },
      { cause_event_id: '', cause: 'TIME', version: String(EPOCH_40 + 1n) },
    ]);
  });

  it('keep the bytes of a dead letter', async () => {
    const letter: StoredDeadLetter = {
      ...{
        source: { topic: 't', partition: 1, offset: 2 ** 40 },
        arrivedAt: AT,
        reason: 'TRUNCATED',
        detail: "'\\",
      },
      ...{ key: null, value: Buffer.from([0, 255, 39, 92]), sizeBytes: 4, sha256: 'ab', truncated: false },
    };
    const sink = new DeadLetterSink(clickhouse);
    await sink.write([letter]);
    await sink.write([letter]);
    expect(await rowsOf('dead_letters')).toMatchObject([
      {
        offset: String(2 ** 40),
        bytes_base64: letter.value?.toString('base64'),
        key_base64: '',
        detail: "'\\",
      },
    ]);
  });
});

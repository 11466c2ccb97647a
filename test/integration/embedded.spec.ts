/**
 * Source records, good and bad, through intake, log, fold and archive into ClickHouse: every bad record is a dead
 * letter that says what it was, and every figure of the live fold is what SQL counts in the raw facts.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  latestPeriodFigures,
  oraclePersons,
  reconcileTierFlows,
  oracleTotals,
  persons,
  tierChanges,
  windowFiguresAt,
  windowFiguresFromFacts,
  type ClickHouse,
} from '#clickhouse';
import { DEAD_VALUE_BYTES_MAX, SOURCE_TOPICS } from '#contracts';
import { defaultRules, type SourceTouchpoint } from '#domain';
import { instant, openEmbeddedClickHouse, type EmbeddedClickHouse } from '#testing';
import {
  sourceEngagement,
  sourceJoin,
  sourceOrder,
  sourceShare,
  sourceVisit,
} from '../../libs/testing/source-kit.js';
import { EmbeddedPath } from './embedded-path.js';

const BRAND = 'brand';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = instant('2024-11-09 20:00');
const WINDOWS = [
  { id: '1h', widthMs: HOUR, slideMs: 10 * MINUTE, latenessMs: HOUR },
  { id: '24h', widthMs: 24 * HOUR, slideMs: HOUR, latenessMs: 6 * HOUR },
];
const RULES = defaultRules({ windows: WINDOWS });
const CHANNELS = ['shop', 'live', 'group', 'mini_program'];

/** Repeatable; not random enough for anything but tests. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % sides;
  };
}

interface Bad {
  readonly name: string;
  readonly reason: string;
  readonly topic: string;
  readonly value: Buffer | null;
}

interface Sent extends Bad {
  readonly offset: number;
  readonly arrivedAt: number;
}

/** One of each kind of bad input. */
function badRecords(encode: (event: SourceTouchpoint) => Buffer, now: number): readonly Bad[] {
  const order = encode(sourceOrder({ occurredAt: now, brand: BRAND }));
  const otherSchema = encode(sourceVisit({ occurredAt: now, brand: BRAND }));
  const unknownId = Buffer.from(order);
  unknownId.writeInt32BE(1_999_999_999, 1);
  const of = (reason: string, name: string, value: Buffer | null): Bad => {
    return { name, reason, topic: SOURCE_TOPICS.order, value };
  };
  const says = (reason: string, name: string, fields: Partial<Parameters<typeof sourceOrder>[0]>): Bad =>
    of(reason, name, encode(sourceOrder({ occurredAt: now, sentAt: now, brand: BRAND, ...fields })));
  return [
    of('EMPTY', 'a tombstone', null),
    of('EMPTY', 'no bytes', Buffer.alloc(0)),
    of('TRUNCATED', 'half a frame', order.subarray(0, 3)),
    of('TRUNCATED', 'half a record', order.subarray(0, order.length - 9)),
    of('UNFRAMED', 'JSON', Buffer.from('{"event_id":"e"}')),
    of('WRONG_SCHEMA', 'the schema of another topic', otherSchema),
    of('UNKNOWN_SCHEMA_ID', 'an id that nobody has registered', unknownId),
    of('TRAILING_BYTES', 'a record and more', Buffer.concat([order, Buffer.from('more')])),
    of('TOO_LARGE', 'a huge record', Buffer.concat([order, Buffer.alloc(300 * 1024, 1)])),
    says('NEGATIVE_AMOUNT', 'a negative payment', { amountMinor: -1 }),
    says('EMPTY_ID', 'an empty event id', { eventId: '' }),
    says('EMPTY_ID', 'an empty brand', { brand: '' }),
    says('EMPTY_ID', 'an empty person', { person: '' }),
    says('EMPTY_ID', 'an order without id', { orderId: null }),
    says('TIME_TOO_EARLY', 'before 1990', { occurredAt: Date.UTC(1989, 11, 31), origin: 'REPLAY' }),
    says('TIME_AHEAD', 'more than five minutes ahead', { occurredAt: now + 5 * MINUTE + 1_000 }),
    says('TOO_LONG', 'a long person', { person: 'x'.repeat(201) }),
    says('TOO_LONG', 'a long campaign', { campaign: 'x'.repeat(10_000) }),
    says('WRONG_CURRENCY', 'dollars', { currency: 'USD' }),
    says('CONTRADICTORY', 'a refund without its id', { kind: 'REFUNDED' }),
  ];
}

describe('source records through the whole embedded path', () => {
  let engine: EmbeddedClickHouse;
  let clickhouse: ClickHouse;
  let path: EmbeddedPath;
  let bad: readonly Sent[] = [];
  let accepted = 0;
  let watermark = 0;

  beforeAll(async () => {
    engine = await openEmbeddedClickHouse();
    clickhouse = engine.clickhouse;
    path = await EmbeddedPath.start(clickhouse, RULES, START);
    await sendThreeDays();
    watermark = await path.flush();
  }, 240_000);
  afterAll(async () => {
    await path.stop();
    await engine.close();
  });

  async function sendThreeDays(): Promise<void> {
    const roll = dice(11);
    const sent: SourceTouchpoint[] = [];
    const worse: Sent[] = [];
    const { sourceEncoder } = path.world.codecs;
    for (let step = 0; step < 60; step += 1) {
      for (let i = 0; i < 12; i += 1) {
        const event = roll(20) === 0 && sent.length > 0 ? sent[roll(sent.length)] : anyEvent(roll, path.now);
        if (event === undefined) continue;
        // Late ones and repeated ones come within the lateness of an hour, or not at all.
        if (event.occurredAt < path.now - 50 * MINUTE) continue;
        sent.push(event);
        await path.send(event);
      }
      const one = badRecords((event) => sourceEncoder.encode(event), path.now)[step];
      if (one !== undefined) {
        const offset = await path.sendBytes(one.topic, one.value, `key ${one.name}`);
        worse.push({ ...one, offset, arrivedAt: path.now });
      }
      await path.pass(step % 10 === 9 ? 6 * HOUR : 20 * MINUTE);
    }
    await path.pass(2 * HOUR);
    accepted = new Set(sent.map(({ eventId }) => eventId)).size;
    bad = worse;
  }

  function anyEvent(roll: (sides: number) => number, now: number): SourceTouchpoint {
    // Some producers' clocks are ten minutes slow: what they say is put right.
    const skew = roll(15) === 0 ? 10 * MINUTE : 0;
    const sentAt = now - skew;
    const occurredAt = sentAt - (roll(4) === 0 ? roll(35) * MINUTE : roll(60_000));
    const head = {
      occurredAt,
      sentAt,
      brand: BRAND,
      person: `u${roll(40)}`,
      channel: CHANNELS[roll(4)] ?? null,
    };
    const orderId = `o${roll(60)}`;
    switch (roll(13)) {
      case 0:
      case 1:
        return sourceJoin({ ...head, link: 'MEMBER', on: roll(4) > 0 });
      case 2:
        return sourceJoin({ ...head, link: 'SHOP_FAN', on: roll(3) > 0 });
      case 3:
        return sourceJoin({ ...head, link: 'GROUP', channel: 'group', on: roll(3) > 0, groupKind: 'MEMBER' });
      case 4:
      case 5:
      case 6:
        return sourceOrder({ ...head, lineId: `l${roll(2)}`, amountMinor: roll(5) * 1_000 });
      case 7:
        return sourceOrder({
          ...head,
          kind: 'REFUNDED',
          orderId,
          refundId: `r${roll(3)}`,
          amountMinor: roll(2_000),
        });
      case 8:
        return sourceOrder({ ...head, orderId, person: roll(2) === 0 ? null : head.person });
      case 9:
        return sourceVisit({ ...head, actor: roll(5) === 0 ? 'STAFF' : 'CUSTOMER' });
      case 10:
        return sourceEngagement(head);
      case 11:
        return sourceJoin({ ...head, link: 'REACH', on: roll(3) === 0 });
      default:
        return sourceShare({ ...head, person: head.person, sharer: head.person });
    }
  }

  it('keeps every good record once', async () => {
    const [row] = await clickhouse.query({
      sql: 'SELECT uniqExact(event_id) AS events, countIf(clock_shift_ms != 0) AS shifted FROM gravity.touchpoints FINAL',
      row: (found) => found as { events: string; shifted: string },
    });
    expect(Number(row?.events)).toBe(accepted);
    expect(accepted).toBeGreaterThan(300);
    expect(Number(row?.shifted)).toBeGreaterThan(5);
  });

  it('makes a dead letter of every bad one, with its reason, its position and its bytes', async () => {
    const rows = await clickhouse.query({
      sql: `SELECT reason, topic, partition, offset, toUnixTimestamp64Milli(arrived_at) AS ms, key_base64, bytes_base64,
          truncated, sha256, size FROM gravity.dead_letters FINAL ORDER BY topic, offset`,
      row: (found) => found as Record<string, unknown>,
    });
    expect(bad).toHaveLength(20);
    const expected = bad.map(({ name, reason, topic, value, offset, arrivedAt }) => ({
      ...{ reason, topic, partition: 0, offset: String(offset), ms: String(arrivedAt) },
      key_base64: Buffer.from(`key ${name}`).toString('base64'),
      bytes_base64: (value ?? Buffer.alloc(0)).subarray(0, DEAD_VALUE_BYTES_MAX).toString('base64'),
      truncated: (value?.length ?? 0) > DEAD_VALUE_BYTES_MAX,
      sha256: createHash('sha256')
        .update(value ?? '')
        .digest('hex'),
      size: String(value?.length ?? 0),
    }));
    expect(rows).toEqual(expected.sort((a, b) => Number(a.offset) - Number(b.offset)));
  });

  it('counts persons, tiers and money as SQL does over the raw facts', async () => {
    for (const scheme of RULES.schemes) {
      const query = { brand: BRAND, scheme, at: watermark };
      const oracle = await oraclePersons(clickhouse, query);
      expect(oracle.length).toBeGreaterThan(30);
      const rows = await persons(clickhouse, { brand: BRAND, schemeId: scheme.id, limit: 10_000 });
      expect(rows.map(({ period_id: _, ...row }) => row)).toEqual(oracle);
      const totals = await oracleTotals(clickhouse, query);
      const figures = await latestPeriodFigures(clickhouse, { brand: BRAND, schemeId: scheme.id });
      expect(figures).toMatchObject({ tiers: totals.tiers, partitionsReporting: 2 });
      expect(totals.tiers.slice(1).reduce((sum, tier) => sum + tier, 0)).toBe(figures?.capital);
      expect(new Set(totals.tiers.map((tier) => tier > 0)).size).toBe(2);
      const [money] = await clickhouse.query({
        sql: `SELECT sum(orders) AS orders, sum(gmv_gross_minor) AS gmv, sum(refunds_minor) AS refunds
          FROM gravity.period_figures FINAL WHERE channel = 'all' AND scheme_id = {scheme:String}`,
        params: { scheme: scheme.id },
        row: (found) => found as Record<string, string>,
      });
      expect(Object.values(money ?? {}).map(Number)).toEqual([
        totals.orders,
        totals.gmv_gross_minor,
        totals.refunds_minor,
      ]);
      expect(totals.guests).toBeGreaterThan(0);
    }
  });

  it('counts every window end as SQL does over the raw facts', async () => {
    let compared = 0;
    let nonZero = 0;
    let declined = 0;
    for (const { id, widthMs, slideMs } of WINDOWS) {
      const last = Math.floor(watermark / slideMs) * slideMs;
      const first = START + widthMs;
      const ends = Array.from({ length: 7 }, (_, i) => last - Math.floor(((last - first) / 6) * i));
      for (const end of new Set(ends.map((at) => Math.floor(at / slideMs) * slideMs))) {
        for (const channel of ['all', ...CHANNELS]) {
          const counted = await windowFiguresFromFacts(clickhouse, {
            brand: BRAND,
            channel,
            widthMs,
            at: end,
          });
          const live = await windowFiguresAt(clickhouse, { brand: BRAND, channel, window: id }, end);
          if (live === null) {
            expect({ end, channel, ...counted }).toEqual({ end, channel, ...allZero(counted) });
            continue;
          }
          expect({ ...live, channel }).toMatchObject({ end, channel, ...counted });
          compared += 1;
          declined += counted.capital - counted.capital_reachable;
          if (counted.visitors > 0 && counted.gmv_gross_minor > 0) nonZero += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(40);
    expect(nonZero).toBeGreaterThan(20);
    expect(declined).toBeGreaterThan(20);
  });

  it('publishes tier changes that lead to the tiers of the persons', async () => {
    for (const { id: schemeId } of RULES.schemes) {
      const { compared, drifts } = await reconcileTierFlows(clickhouse, { brand: BRAND, schemeId });
      expect(compared).toBeGreaterThan(20);
      expect(drifts).toEqual([]);
    }
  });

  it('stores the tier changes of the topic, one by one', async () => {
    const facts = await path.world.facts();
    expect(facts.length).toBeGreaterThan(100);
    const stored = await tierChanges(clickhouse, { brand: BRAND, limit: 10_000 });
    const keyOf = (change: { version: bigint; person: string; schemeId: string }) =>
      `${change.version} ${change.person} ${change.schemeId}`;
    const byKey = new Map(stored.map((change) => [keyOf(change), change]));
    expect(byKey.size).toBe(facts.length);
    for (const {
      person,
      schemeId,
      version,
      from,
      to,
      cause,
      causeEventId,
      effectiveAt,
      detectedAt,
    } of facts) {
      expect(byKey.get(keyOf({ person, schemeId, version }))).toMatchObject({
        ...{ from, to, cause, causeEventId, effectiveAt, detectedAt },
      });
    }
  });
});

function allZero(counts: object): object {
  return Object.fromEntries(Object.keys(counts).map((key) => [key, 0]));
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Touchpoint, TouchpointDetail } from '#domain';
import {
  arrivals,
  type EmbeddedClickHouse,
  FoldHarness,
  linkFact,
  LOG_RULES,
  naiveGmvParts,
  naiveLinkFlows,
  openEmbeddedClickHouse,
  paidFact,
  personLog,
} from '#testing';
import { TierChangeSink } from '../sinks/tier-change-sink.js';
import { TouchpointSink } from '../sinks/touchpoint-sink.js';
import { gmvParts, linkFlows } from './breakdowns.js';
import { windowFiguresFromFacts } from './window-figures-from-facts.js';

const HOUR = 3_600_000;
const SCHEME = 'rolling:4d';
const LOGS = 5;
const SOURCES = ['search', 'feed', null];

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ['touchpoints', 'tier_changes'])
    await engine.clickhouse.command({ sql: `TRUNCATE TABLE gravity.${table}` });
});

const isPublic = ({ contentHash }: Touchpoint): boolean => contentHash % 2 === 0;

function detailOf(event: Touchpoint): TouchpointDetail {
  return {
    ...{ actor: 'CUSTOMER', publicDomain: isPublic(event), paid: false, mechanism: null, guide: null },
    ...{ shareId: null, itemId: null, roomId: null, groupId: null, contentId: null, couponId: null },
    ...{ quantity: null, reviewId: null, parentShareId: null, contentKind: null, fissionForm: null },
  };
}

function store(facts: readonly Touchpoint[]): Promise<void> {
  return new TouchpointSink(engine.clickhouse).write(
    facts.map((touchpoint, offset) => {
      return { touchpoint, detail: detailOf(touchpoint), partition: 0, offset, version: BigInt(offset) };
    }),
  );
}

/** A long random log in the order of time, with sources; its facts and tier changes are stored. */
async function stored(seed: number): Promise<readonly Touchpoint[]> {
  const logs = fc.sample(personLog(HOUR), { numRuns: 20, seed });
  const log = logs.reduce((most, one) => (one.arriving.length > most.arriving.length ? one : most));
  const arriving = log.arriving.map(({ event }) => {
    const entrySource = SOURCES[event.contentHash % SOURCES.length] ?? null;
    return { event: { ...event, entrySource }, delays: [0, 0] as const };
  });
  const harness = new FoldHarness(LOG_RULES);
  for (const entry of arrivals({ ...log, arriving }, 0)) harness.fold([entry]);
  const facts = arriving.map(({ event }) => event);
  await store(facts);
  await new TierChangeSink(engine.clickhouse).write(harness.facts);
  return facts;
}

describe('breakdowns from the raw facts', () => {
  it.each(Array.from({ length: LOGS }, (_, nth) => 4_711 + nth))(
    'are what a naive recount finds, and add up to the figures of the window (seed %i)',
    async (seed) => {
      const facts = await stored(seed);
      const instants = facts.map(({ at }) => at).sort((a, b) => a - b);
      const first = instants[0] ?? 0;
      for (const until of [0.4, 0.7, 1].map(
        (part) => instants[Math.floor(part * (instants.length - 1))] ?? 0,
      )) {
        for (const [channel, from] of [
          ['all', first],
          ['all', until - 60 * HOUR],
          ['shop', until - 200 * HOUR],
        ] as const) {
          const window = { brand: 'brand', channel, widthMs: until - from, at: until };
          if (window.widthMs <= 0) continue;
          const links = await linkFlows(engine.clickhouse, window);
          expect(links.map((one) => [`${one.by} ${one.key}`, one.began, one.ended]).sort(byKey)).toEqual(
            naiveLinkFlows(facts, { channel, from, until }),
          );
          const parts = await gmvParts(engine.clickhouse, { ...window, schemeId: SCHEME });
          const named = parts.map((one): [string, number, number] => [
            `${one.by} ${one.key}`,
            ...([one.orders, one.gmv_gross_minor] as const),
          ]);
          expect(named.filter(([, orders, gmv]) => orders !== 0 || gmv !== 0).sort(byKey)).toEqual(
            naiveGmvParts(facts, { channel, from, until }, LOG_RULES, SCHEME, isPublic),
          );
          const whole = await windowFiguresFromFacts(engine.clickhouse, window);
          for (const by of ['tier', 'relation', 'source', 'domain']) {
            const own = parts.filter((one) => one.by === by);
            expect(own.reduce((sum, one) => sum + one.orders, 0)).toBe(whole.orders);
            expect(own.reduce((sum, one) => sum + one.gmv_gross_minor, 0)).toBe(whole.gmv_gross_minor);
          }
        }
      }
    },
  );

  it('of links count each link, with the source of the event it began with', async () => {
    const [from, until] = [1_000, 2_000];
    await store([
      linkFact('p', 'SHOP_FAN', true, { at: 1_100, entrySource: 'feed' }),
      linkFact('p', 'SHOP_FAN', true, { at: 1_200, entrySource: 'search' }),
      linkFact('p', 'MEMBER', true, { at: 500, entrySource: 'search' }),
      linkFact('p', 'MEMBER', false, { at: 1_500, entrySource: 'feed', channel: 'live' }),
      // Off and on at one instant: it goes on.
      linkFact('q', 'GROUP', true, { at: 500 }),
      linkFact('q', 'GROUP', false, { at: 1_300, eventId: 'a' }),
      linkFact('q', 'GROUP', true, { at: 1_300, eventId: 'b' }),
      linkFact('q', 'SHOP_FAN', false, { at: 1_400 }),
      linkFact('r', 'SHOP_FAN', true, { at: until }),
    ]);
    const flows = await linkFlows(engine.clickhouse, { brand: 'b1', widthMs: until - from, at: until });
    expect(flows).toEqual([
      { by: 'kind', key: 'MEMBER', began: 0, ended: 1 },
      { by: 'kind', key: 'SHOP_FAN', began: 1, ended: 0 },
      { by: 'source', key: 'feed', began: 1, ended: 0 },
      { by: 'source', key: 'search', began: 0, ended: 1 },
    ]);
  });

  it('of GMV have guests without tier and relation, and the order that makes a relation as new', async () => {
    await store([
      linkFact('p', 'MEMBER', true, { at: 1_100 }),
      paidFact('p', 'o1', 300, { at: 1_100, contentHash: 1 }),
      paidFact('p', 'o1', 50, { at: 1_200, contentHash: 2, lineId: '2' }),
      paidFact('order:o2', 'o2', 70, { at: 1_300, contentHash: 2 }),
    ]);
    const window = { brand: 'b1', widthMs: 1_000, at: 2_000, schemeId: SCHEME };
    expect(await gmvParts(engine.clickhouse, window)).toEqual(
      [
        { by: 'tier', key: '0', orders: 2, gmv_gross_minor: 420 },
        { by: 'relation', key: 'new', orders: 1, gmv_gross_minor: 350 },
        { by: 'relation', key: 'none', orders: 1, gmv_gross_minor: 70 },
        { by: 'source', key: '', orders: 2, gmv_gross_minor: 420 },
        { by: 'domain', key: 'private', orders: 1, gmv_gross_minor: 300 },
        { by: 'domain', key: 'public', orders: 1, gmv_gross_minor: 120 },
      ].sort((a, b) => (`${a.by} ${a.key}` < `${b.by} ${b.key}` ? -1 : 1)),
    );
  });
});

function byKey([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

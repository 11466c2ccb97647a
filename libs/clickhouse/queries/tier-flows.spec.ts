import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DayCalendar, dayText, type TierChanged } from '#domain';
import {
  arrivals,
  type EmbeddedClickHouse,
  FoldHarness,
  LOG_RULES,
  openEmbeddedClickHouse,
  personLog,
} from '#testing';
import { reconcileTierFlows } from '../reconcile/reconcile-tier-flows.js';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { TierChangeSink } from '../sinks/tier-change-sink.js';
import { netTierFlows, tierFlows } from './tier-flows.js';

const HOUR = 3_600_000;
const ZONE = 'Asia/Shanghai';
const SCHEME = 'rolling:4d';
const LOGS = 4;

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ['tier_changes', 'persons'])
    await engine.clickhouse.command({ sql: `TRUNCATE TABLE gravity.${table}` });
});

/** Folds a random log; facts and rows of persons go to ClickHouse. */
async function stored(seed: number): Promise<readonly TierChanged[]> {
  const logs = fc.sample(personLog(20 * HOUR), { numRuns: 20, seed });
  const log = logs.reduce((most, one) => (one.arriving.length > most.arriving.length ? one : most));
  const harness = new FoldHarness(LOG_RULES);
  for (const entry of arrivals(log, 0)) harness.fold([entry]);
  await new TierChangeSink(engine.clickhouse).write(harness.facts);
  const rows = [...harness.states.values()].flatMap(({ person }) => harness.summaries(person));
  const head = { table: 'persons', partition: 0, generation: 1, version: BigInt(harness.offset) } as const;
  await new ClickHouseFigureSink(engine.clickhouse).write(rows.map((row) => ({ ...head, ...row })));
  return harness.facts.filter(({ schemeId }) => schemeId === SCHEME);
}

describe('flows between tiers', () => {
  it.each(Array.from({ length: LOGS }, (_, nth) => 611 + nth))(
    'are the published changes counted by day and cause (seed %i)',
    async (seed) => {
      const facts = await stored(seed);
      const instants = facts.map(({ effectiveAt }) => effectiveAt).sort((a, b) => a - b);
      const [from = 0, to = 1] = [instants[1], instants[instants.length - 1]];
      const within = facts.filter(({ effectiveAt }) => effectiveAt >= from && effectiveAt < to);
      const query = { brand: 'brand', schemeId: SCHEME, zone: ZONE, from, to };
      const calendar = DayCalendar.of(ZONE);
      for (const byDay of [true, false]) {
        const cells = new Map<string, { changes: number; persons: Set<string> }>();
        for (const { effectiveAt, from: began, to: ended, cause, person } of within) {
          const key = [byDay ? dayText(calendar.dayOf(effectiveAt)) : '', began, ended, cause].join(' ');
          const cell = cells.get(key) ?? { changes: 0, persons: new Set() };
          cells.set(key, { changes: cell.changes + 1, persons: cell.persons.add(person) });
        }
        const flows = await tierFlows(engine.clickhouse, { ...query, byDay });
        expect(
          flows.map((one) => [
            [one.day, one.from, one.to, one.cause].join(' '),
            { changes: one.changes, persons: one.persons },
          ]),
        ).toEqual(
          expect.arrayContaining(
            [...cells].map(([key, { changes, persons }]) => [key, { changes, persons: persons.size }]),
          ),
        );
        expect(flows).toHaveLength(cells.size);
      }
      const net = await netTierFlows(engine.clickhouse, { ...query, byDay: false });
      const spans = [...new Set(within.map(({ person }) => person))].map((person) => {
        const own = within.filter((fact) => fact.person === person);
        return `${own[0]?.from} ${own[own.length - 1]?.to}`;
      });
      const moved = spans.filter((span) => span[0] !== span[2]);
      expect(net.map((one) => [`${one.from} ${one.to}`, one.persons])).toEqual(
        [...new Set(moved)].sort().map((span) => [span, moved.filter((other) => other === span).length]),
      );
    },
  );

  it('lead to the tiers in the rows of persons, and one that is missing is found', async () => {
    const facts = await stored(611);
    const sample = { brand: 'brand', schemeId: SCHEME };
    const before = await reconcileTierFlows(engine.clickhouse, sample);
    expect(before.compared).toBeGreaterThan(0);
    expect(before.drifts).toEqual([]);
    const lost = facts.find(({ person, version }) => {
      const own = facts.filter((fact) => fact.person === person);
      return own[0]?.version !== version && own[own.length - 1]?.version !== version;
    });
    if (lost === undefined) throw new Error('nobody has changed three times');
    const { person, version } = lost;
    await engine.clickhouse.command({
      sql: `ALTER TABLE gravity.tier_changes DELETE
            WHERE person = '${person}' AND scheme_id = '${SCHEME}' AND version = ${version}
            SETTINGS mutations_sync = 1`,
    });
    const { drifts } = await reconcileTierFlows(engine.clickhouse, sample);
    expect(drifts).toEqual([expect.objectContaining({ ...sample, person, what: 'chain' })]);
    await engine.clickhouse.command({
      sql: 'ALTER TABLE gravity.persons UPDATE tier = 5 WHERE tier >= 0 SETTINGS mutations_sync = 1',
    });
    const all = await reconcileTierFlows(engine.clickhouse, sample);
    expect(all.drifts.filter(({ what }) => what === 'last')).toHaveLength(all.compared);
  });
});

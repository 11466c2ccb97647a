/** Random logs on the real engine: the fold's figures of days are what SQL makes of the raw facts. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type EmbeddedClickHouse, FoldedTables, KIT_BRAND, openEmbeddedClickHouse } from '#testing';
import {
  arrivals,
  fullLog,
  LOG_RULES,
  personLog,
  withoutRivals,
  type PersonLog,
} from '../../testing/arbitrary-log.js';
import { reachedBy } from './reached-by.js';
import { reconcilePeriods, type PeriodsReconciliation } from './reconcile-periods.js';

const DAY = 86_400_000;
/** Far beyond the lateness of states. */
const VERY_LATE = 8 * DAY;

const seed = process.env['FC_SEED'] === undefined ? undefined : Number(process.env['FC_SEED']);
const RUNS = Number(process.env['FC_RUNS'] ?? 1);
const TIMEOUT_MS = 600_000 * RUNS;
const settings = {
  numRuns: Math.ceil(2 * RUNS),
  endOnFailure: seed === undefined,
  ...(seed === undefined ? {} : { seed }),
};

let engine: EmbeddedClickHouse;
beforeAll(async () => {
  engine = await openEmbeddedClickHouse();
});
afterAll(() => engine.close());

async function reconciled(daysMax: number): Promise<readonly PeriodsReconciliation[]> {
  const watermark = await reachedBy(engine.clickhouse);
  if (watermark === null) return [];
  const found: PeriodsReconciliation[] = [];
  for (const scheme of LOG_RULES.schemes) {
    const sample = {
      ...{ brand: KIT_BRAND, scheme, watermark, daysMax, since: 0, offset: 0.4 },
      ...{ refundHorizonMs: LOG_RULES.refundHorizonDays * DAY, stateLatenessMs: LOG_RULES.stateLatenessMs },
      ledger: LOG_RULES.windows.at(-1) ?? null,
    };
    found.push(await reconcilePeriods(engine.clickhouse, sample));
  }
  return found;
}

/** Arrival stamps as intake would give them; time goes on until all has arrived. */
function stamped({ arriving, end }: PersonLog, latenessMs: number): PersonLog {
  return {
    end: end + latenessMs,
    arriving: arriving.map(({ event, delays }) => ({
      delays,
      event: { ...event, arrivedAt: event.at + delays[0] },
    })),
  };
}

const sum = (found: readonly PeriodsReconciliation[], of: 'days' | 'compared' | 'late'): number =>
  found.reduce((total, one) => total + one[of], 0);

describe('figures of days', () => {
  it(
    'are what the raw facts make, on every day that has closed',
    async () => {
      let compared = 0;
      const look = async (log: PersonLog, partitions: number): Promise<void> => {
        const tables = await FoldedTables.empty(engine.clickhouse, LOG_RULES, partitions);
        await tables.fold(arrivals(stamped(log, LOG_RULES.stateLatenessMs), 0));
        const found = await reconciled(10);
        expect(found.flatMap(({ drifts }) => drifts)).toEqual([]);
        expect(sum(found, 'late')).toBe(0);
        compared += sum(found, 'compared');
      };
      await fc.assert(
        fc.asyncProperty(personLog(LOG_RULES.stateLatenessMs), fc.integer({ min: 1, max: 3 }), look),
        { ...settings, examples: [[fullLog(LOG_RULES.stateLatenessMs), 2]] },
      );
      // Else the logs were too tame to show anything.
      expect(compared).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'that were final lack what came too late for them, and nothing else',
    async () => {
      const look = async (log: PersonLog, partitions: number): Promise<void> => {
        const tables = await FoldedTables.empty(engine.clickhouse, LOG_RULES, partitions);
        await tables.fold(arrivals(stamped(withoutRivals(log), VERY_LATE), 0));
        const found = await reconciled(8);
        expect(found.flatMap(({ drifts }) => drifts)).toEqual([]);
      };
      await fc.assert(fc.asyncProperty(personLog(VERY_LATE), fc.integer({ min: 1, max: 3 }), look), settings);
    },
    TIMEOUT_MS,
  );
});

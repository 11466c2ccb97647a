import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lastReconciliation, storedDrifts } from '#clickhouse';
import { TempDir } from '#testing';
import { TOPICS, type FigureRow } from '#pipeline';
import { ConsoleApp } from '../spec-support/console-app.js';
import { BRAND, figureRows } from '../spec-support/stored-figures.js';

const WAIT_MS = 120_000;

let directory: TempDir;
let console: ConsoleApp;
beforeAll(async () => {
  directory = new TempDir('reconciliation');
  console = await ConsoleApp.start(directory.path, Promise.resolve(), {
    ...{ GRAVITY_RECONCILE_EVERY: '200ms', GRAVITY_RECONCILE_ENDS: '1' },
  });
  await console.prepared;
  await archiveStandsAtTheEnd();
}, WAIT_MS);
afterAll(async () => {
  await console.stop();
  directory.remove();
});

/** Nobody archives here; the reconciliation waits for whoever does. */
async function archiveStandsAtTheEnd(): Promise<void> {
  const { log } = console.platform;
  const topic = TOPICS.relationshipLog;
  for (const { partition, end } of await log.ends(topic)) {
    const writer = await log.writer('archive', { topic, partition });
    await writer.commit({ records: [], positions: [{ topic, partition, offset: end }] });
    await writer.close();
  }
}

interface Run {
  readonly at: string;
  readonly compared: number;
  readonly differ: number;
}

/** The first run that began after `after` and has compared something. */
async function runAfter(after: number): Promise<Run> {
  for (const until = Date.now() + WAIT_MS; Date.now() < until;) {
    const { body } = await console.get('/api/v1/status');
    const { reconciliation: run } = body as { readonly reconciliation: Run | null };
    if (run !== null && run.compared > 0 && Date.parse(run.at) > after) return run;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('no run');
}

describe('the background reconciliation', () => {
  it(
    'names what differs, stores it, and tells status and metrics',
    async () => {
      await console.write(...figureRows(10));
      const run = await runAfter(0);
      expect(run.differ).toBeGreaterThan(0);
      const { clickhouse } = console.platform;
      const stored = await lastReconciliation(clickhouse);
      const ofWindow = stored.find(({ what }) => what === 'window 5m');
      expect(ofWindow).toMatchObject({ brand: BRAND, compared: 2 });
      const drifts = await storedDrifts(clickhouse, { brand: BRAND, limit: 1_000 });
      expect(drifts).toContainEqual(
        expect.objectContaining({
          ...{ what: 'window 5m', place: 'live, 2026-11-11T04:00:00.000Z' },
          ...{ figure: 'visitors', live: 10, recount: 0 },
        }),
      );
      const { body } = await console.get(`/api/v1/reconciliation?brand=${encodeURIComponent(BRAND)}&limit=1`);
      expect(body).toMatchObject({
        run_at: expect.any(String),
        comparisons: expect.arrayContaining([expect.objectContaining({ what: 'persons rolling:30d' })]),
        drifts: [{ brand: BRAND, what: 'persons rolling:30d', figure: 'row', recount: null }],
      });
      const metrics = await (await fetch(new URL('/metrics', console.url))).text();
      expect(metrics).toMatch(
        /gravity_reconcile_drift_figures\{service="console",brand="雲裳\/☂",what="window 5m"\} [1-9]/,
      );
      expect(metrics).toMatch(/gravity_reconcile_timestamp_seconds\{service="console"\} 1\d{9}/);
    },
    WAIT_MS,
  );

  it(
    'is content again once the rows are right',
    async () => {
      const { clickhouse } = console.platform;
      for (const table of ['window_figures', 'persons', 'period_figures']) {
        await clickhouse.command({ sql: `TRUNCATE TABLE gravity.${table}` });
      }
      const zero = { visitors: 0, active: 0, active_related: 0, visitors_related: 0, capital: 0, orders: 0 };
      const right = figureRows(20, 0).flatMap((row): FigureRow[] => {
        if (row.table === 'window_figures')
          return [{ ...row, ...zero, capital_reachable: 0, buyers: 0, gmv_gross_minor: 0 }];
        return row.table === 'persons' ? [] : [row];
      });
      await console.write(...right);
      const run = await runAfter(Date.now());
      expect(run).toMatchObject({ differ: 0, compared: expect.any(Number) });
    },
    WAIT_MS,
  );
});

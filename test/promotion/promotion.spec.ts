/**
 * A promotion night on real Kafka with what producers do to it, and then every figure held against the raw facts by
 * SQL: live equals batch. Some thousand touchpoints in `npm test`; millions with `npm run test:promotion`.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { FIGURE_COLUMNS } from '#clickhouse';
import { describeWithOwnServers } from '../servers/servers.js';
import { PromotionFeed } from './promotion-feed.js';
import { promotionOptions, WHOLE_WINDOW } from './promotion-options.js';
import { promotionReport, writeReport, type PromotionRun, type Reconciled } from './promotion-report.js';
import { PromotionWorld } from './promotion-world.js';

const options = promotionOptions(process.env);
const LIMIT_MS = options.isLong ? 4 * 3_600_000 : 600_000;
const TOLD_EVERY_MS = 10_000;

describeWithOwnServers('live figures of a promotion', () => {
  let world: PromotionWorld;
  let startedAt = 0;
  let toldAt = 0;

  beforeAll(async () => {
    startedAt = Date.now();
    world = await PromotionWorld.open(options);
    await world.start(options);
  }, LIMIT_MS);

  afterAll(() => world?.close(), LIMIT_MS);

  function tell(text: () => string): void {
    if (!options.isLong || Date.now() - toldAt < TOLD_EVERY_MS) return;
    toldAt = Date.now();
    process.stdout.write(`${new Date(toldAt).toISOString()} ${text()}\n`);
  }

  async function reconcile(
    ...flags: readonly string[]
  ): Promise<Reconciled & { readonly code: number | null }> {
    const { code, out, err } = await world.gravity('reconcile', '--format', 'json', ...flags);
    if (out === '') throw new Error(`gravity reconcile ended with ${code}: ${err}`);
    return { code, ...(JSON.parse(out) as Reconciled) };
  }

  it(
    `are what SQL makes of the raw facts (seed ${options.seed})`,
    async () => {
      const seconds = { history: since(startedAt), sending: 0, settling: 0, reconciling: 0 };
      const feed = new PromotionFeed(world.feedLog, world.codecs.sourceEncoder, world.night, options);
      let begun = Date.now();
      await feed.run(({ events }) => tell(() => `${events} of ${options.events} sent`));
      seconds.sending = since(begun);
      begun = Date.now();
      await world.settle(feed.counts.lastAt, (left) => tell(() => `${left} behind`));
      seconds.settling = since(begun);
      begun = Date.now();
      const { code, ...reconciled } = await reconcile(
        ...[
          '--all-ends',
          WHOLE_WINDOW,
          '--ends',
          String(options.ends),
          '--days',
          String(options.days ?? 'all'),
        ],
      );
      seconds.reconciling = since(begun);
      const inTables = await world.counted();
      const run: PromotionRun = {
        ...{ options, startedAt, seconds, reconciled, inTables },
        ...{ historyEvents: world.historyEvents, counts: feed.counts },
      };
      const text = promotionReport(run);
      if (options.isLong) process.stdout.write(`${text}\n`);
      if (options.reportDirectory !== null) writeReport(options.reportDirectory, run, text);
      expect(reconciled.drifts).toEqual([]);
      expect(code).toBe(0);
      expect(feed.counts.events).toBe(options.events);
      // One in a hundred each: else the feed was too tame to show anything.
      expect(feed.counts.late).toBeGreaterThan(options.events / 300);
      expect(feed.counts.repeated).toBeGreaterThan(options.events / 300);
      expect(inTables[0]).toEqual(['raw facts', options.events + world.historyEvents]);
      const whats = new Set(reconciled.compared.filter((one) => one.compared > 0).map(({ what }) => what));
      for (const window of ['1m', '5m', '1h', '24h', '30d']) expect(whats).toContain(`window ${window}`);
      for (const scheme of ['rolling:30d', 'calendar:month']) expect(whats).toContain(`periods ${scheme}`);
    },
    LIMIT_MS,
  );

  it(
    'are found where a row of a window or of a period is changed',
    async () => {
      const { clickhouse } = world;
      const brand = 'mori';
      const change = (table: 'window_figures' | 'period_figures', figure: string, where: string) =>
        clickhouse.command({
          sql: `
            INSERT INTO gravity.${table} (version, ${FIGURE_COLUMNS[table].join(', ')})
            SELECT version + 1, ${FIGURE_COLUMNS[table]
              .map((column) => (column === figure ? `t.${column} + 1000` : `t.${column}`))
              .join(', ')}
            FROM gravity.${table} AS t FINAL WHERE ${where} LIMIT 1`,
        });
      await change(
        'window_figures',
        'visitors',
        `t.brand = '${brand}' AND t.window = '${WHOLE_WINDOW}' AND t.channel = 'all' AND t.status = 'closed'
          AND t.visitors > 0`,
      );
      await change(
        'period_figures',
        'deepened',
        `t.brand = '${brand}' AND t.scheme_id = 'calendar:month' AND t.channel = 'all' AND t.status = 'closed' AND t.day = (
          SELECT max(day) FROM gravity.period_figures FINAL WHERE scheme_id = 'calendar:month' AND status = 'closed')`,
      );
      const found = await reconcile(
        ...['--brand', brand, '--all-ends', WHOLE_WINDOW, '--ends', '1', '--days', '1'],
      );
      expect(found.code).toBe(1);
      expect(found.drifts).toEqual([
        expect.objectContaining({ what: `window ${WHOLE_WINDOW}`, figure: 'visitors' }),
        expect.objectContaining({ what: 'periods calendar:month', figure: 'deepened' }),
      ]);
    },
    LIMIT_MS,
  );
});

function since(at: number): number {
  return (Date.now() - at) / 1_000;
}

/**
 * The apps as processes of their own on real Kafka, a real registry and ClickHouse's engine, while one thing after
 * the other is killed, stopped or torn. A few faults in `npm test`; many with `npm run test:chaos`.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithOwnServers } from '../servers/servers.js';
import { ARCHIVED_TOPICS, TOPICS } from '#pipeline';
import { SOURCE_KINDS, SOURCE_TOPICS } from '#contracts';
import { eventually } from '#testing';
import { chaosOptions } from './chaos-options.js';
import { chaosReport, writeReport } from './chaos-report.js';
import { storm } from './chaos-run.js';
import { ARCHIVE_GROUP, ChaosWorld, FOLD_GROUP, PATIENCE_MS, SOURCE_GROUP } from './chaos-world.js';
import { judge } from './verdict.js';

const options = chaosOptions(process.env);
const LIMIT_MS = 600_000 + options.faults * 120_000;

describeWithOwnServers('whatever is killed, stopped or torn', () => {
  let world: ChaosWorld;

  beforeAll(async () => {
    world = await ChaosWorld.open(options);
    await world.start();
  }, LIMIT_MS);

  afterAll(() => world?.close(), LIMIT_MS);

  it(
    `nothing is lost and nothing counts twice (seed ${options.seed})`,
    async () => {
      const startedAt = Date.now();
      const faults = await storm(world, options);
      await world.traffic.stop();
      await settle(world);
      const run = { options, startedAt, faults, verdict: await judge(world) };
      const text = chaosReport(world, run);
      process.stdout.write(`${text}\n`);
      if (options.reportDirectory !== null) writeReport(options.reportDirectory, run, text);
      expect(faults).toHaveLength(options.faults);
    },
    LIMIT_MS,
  );
});

/** All is read, ticked, sent and stored; no tick comes any more, since nobody says how far intake has read. */
async function settle(world: ChaosWorld): Promise<void> {
  // Else no window would have been closed.
  await eventually(() => world.assertTicked(), PATIENCE_MS);
  await world.readToEnd(
    SOURCE_GROUP,
    SOURCE_KINDS.map((kind) => SOURCE_TOPICS[kind]),
  );
  for (const app of world.of('intake')) await app.stop();
  await stillness(world);
  await world.readToEnd(ARCHIVE_GROUP, ARCHIVED_TOPICS);
}

/** The log does not grow between two looks at it that lie some rounds of maintenance apart. */
async function stillness(world: ChaosWorld): Promise<void> {
  let before = '';
  await eventually(async () => {
    await world.readToEnd(FOLD_GROUP, [TOPICS.relationshipLog]);
    const now = JSON.stringify(await world.log.ends(TOPICS.relationshipLog));
    const isStill = now === before;
    before = now;
    if (!isStill) {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      throw new Error('the log still grows');
    }
  }, PATIENCE_MS);
}

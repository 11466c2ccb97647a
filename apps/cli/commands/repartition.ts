/** `gravity repartition`: the relationship log with another number of partitions, as a new topic and generation. */
import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { createClickHouse, GenerationSink, newestGeneration, versionAt } from '#clickhouse';
import { logTopicSpec } from '#contracts';
import { FOLD_VERSION } from '#domain';
import {
  ForeignLogError,
  LogNotInitialisedError,
  type LogCopy,
  type PartitionEnds,
  planRepartition,
  repartition,
  RepartitionRefused,
  type Repartitioned,
  type RepartitionPlan,
  type RepartitionPorts,
  type RepartitionProgress,
} from '#pipeline';
import { BUILD } from '#runtime';
import { clickHouseConfig } from '../clickhouse-access.js';
import { cliConfig, isEmbedded, type CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertLogExists, assertUnlocked, withDataDirectory } from '../data-directory.js';
import { CliError, usageError } from '../exit-codes.js';
import { catchUp } from '../fold/catch-up.js';
import { ARCHIVE_GROUP, INTAKE_GROUP, RELATIONSHIP_GROUP } from '../fold/folding.js';
import { openPlainLog, type PlainLog } from '../log-access.js';
import { openPlatform } from '../open-platform.js';
import { parsePartitions } from '../option-parsers.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat } from '../table-output.js';

interface RepartitionFlags {
  readonly partitions: number;
  readonly dataDir?: string;
  readonly dryRun?: boolean;
  readonly format: OutputFormat;
}

const HELP_END = `
The log is copied into a topic of its own (relationship-log.g2, .g3, …), which becomes the log when all of it is there;
the old topic stays. On Kafka stop intake first, and some ten seconds later relationship and archive; the source topics
go on collecting. Start all of them again within the broker's offsets.retention.minutes: they fold the new log from its
start, in silence, and publish only what is new; until they are through, readers see the figures of before. Where it is
broken off (or killed), nothing has changed: run it again.`;

export function repartitionCommand(io: CliIo): Command {
  return new Command('repartition')
    .description('give the relationship log another number of partitions; nothing is published twice')
    .requiredOption('--partitions <n>', 'of the log from now on', parsePartitions)
    .option(
      '--data-dir <dir>',
      'folder of the embedded log and tables (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .option('--dry-run', 'only look whether it can be done, and how the records would lie')
    .addOption(new Option('--format <format>', 'of the result').choices(OUTPUT_FORMATS).default('table'))
    .addHelpText('after', HELP_END)
    .action((flags: RepartitionFlags) => runRepartition(flags, io));
}

async function runRepartition(flags: RepartitionFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  if (!isEmbedded(config)) {
    if (config.clickhouseUrl === undefined) throw usageError('CLICKHOUSE_URL is not set');
    return onPlainLog(config, await prepared(config, io), flags, io);
  }
  assertLogExists(config.dataDir);
  assertUnlocked(config.dataDir);
  const generationUsed = await prepared(config, io);
  await withDataDirectory(config.dataDir, () => onPlainLog(config, generationUsed, flags, io));
  if (flags.dryRun !== true) await prepared(config, io);
}

/**
 * On the embedded log: folds and archives all of it. Whoever has the data directory is alone.
 * @returns the largest generation that anything is stored of
 */
async function prepared(config: CliConfig, io: CliIo): Promise<number> {
  const platform = await openPlatform(config, io);
  try {
    await platform.ready(io.signal);
    if (platform.isEmbedded) await catchUp(platform, config, io);
    io.signal.throwIfAborted();
    return await newestGeneration(platform.clickhouse);
  } finally {
    await platform.close();
  }
}

async function onPlainLog(
  config: CliConfig,
  generationUsed: number,
  flags: RepartitionFlags,
  io: CliIo,
): Promise<void> {
  const opened = await openPlainLog(config);
  const line = new ProgressLine(io);
  const told = ({ step, records, total }: RepartitionProgress): void => {
    io.signal.throwIfAborted();
    line.update(
      () => `${step}: ${formatCount(records)} of ${formatCount(total)} records (${percent(records, total)})`,
    );
  };
  try {
    const ports = portsOf(opened, config);
    const plan = await planRepartition(ports, flags.partitions, told);
    if (flags.dryRun === true) {
      line.clear();
      print(plan, null, flags.format, io);
      return;
    }
    const { from, partitions, survey } = plan;
    line.note(`copying ${formatCount(survey.records)} records of ${from} into ${partitions} partitions`);
    const target = { logId: randomUUID(), generationUsed, specOf: logTopicSpec };
    const done = await repartition(ports, plan, target, told);
    line.clear();
    print(plan, done, flags.format, io);
  } catch (error) {
    line.clear();
    if (isPlain(error)) throw new CliError(error.message);
    throw error;
  } finally {
    await opened.close();
  }
}

function isPlain(error: unknown): error is Error {
  return (
    error instanceof RepartitionRefused ||
    error instanceof ForeignLogError ||
    error instanceof LogNotInitialisedError
  );
}

function portsOf({ log, codec, kafka }: PlainLog, config: CliConfig): RepartitionPorts {
  return {
    ...{ log, codec, group: RELATIONSHIP_GROUP, now: Date.now },
    announce: (copy) => hideUntilFolded(copy, config),
    // Of the embedded log the lock of the data directory says it.
    async assertIdle() {
      if (kafka === null) return;
      for (const group of [INTAKE_GROUP, RELATIONSHIP_GROUP, ARCHIVE_GROUP]) {
        const members = await kafka.membersOf(group);
        if (members === 0) continue;
        throw new RepartitionRefused(
          `group ${group} has ${formatCount(members)} members: stop intake, relationship and archive, every instance ` +
            '(one that was killed leaves its group after its session timeout)',
        );
      }
    },
  };
}

/** Readers stay with the generation before until the new one is folded up to what was published before. */
async function hideUntilFolded(
  { epoch, generation, logId, ends, hasWindows }: LogCopy,
  config: CliConfig,
): Promise<void> {
  const clickhouse = await createClickHouse(clickHouseConfig(config));
  const at = Date.now();
  try {
    await new GenerationSink(clickhouse).write({
      ...{ generation, epoch, logId, foldVersion: FOLD_VERSION, state: 'shown' },
      ...{ beganAt: at, changedAt: at, build: BUILD },
      shownFrom: hasWindows ? [...ends].sort(byPartition).map(({ end }) => versionAt(epoch, end)) : [],
    });
  } finally {
    await clickhouse.close();
  }
}

function byPartition(a: PartitionEnds, b: PartitionEnds): number {
  return a.partition - b.partition;
}

function print(
  { from, survey, partitions }: RepartitionPlan,
  done: Repartitioned | null,
  format: OutputFormat,
  io: CliIo,
): void {
  const { touchpointsAfter } = survey;
  const touchpoints = touchpointsAfter.reduce((sum, count) => sum + count, 0);
  const rows = touchpointsAfter.map((count, partition) => ({
    ...{ partition, touchpoints: count },
    share: touchpoints === 0 ? null : `${((100 * count) / touchpoints).toFixed(1)} %`,
  }));
  for (const piece of formatRows(['partition', 'touchpoints', 'share'], rows, format)) io.out(piece);
  const before = `${from}, ${survey.partitions.length} partitions, ${formatCount(survey.records)} records`;
  if (done === null) {
    io.err(`${before}: could be copied into ${partitions} partitions; nothing was written\n`);
    return;
  }
  io.err(
    `${before}: copied into ${done.topic}, ${partitions} partitions, ${formatCount(done.records)} records ` +
      `(epoch ${done.epoch}, generation ${done.generation}). ${from} is kept, and no longer read.\n`,
  );
}

/** `gravity topics apply`: makes the topics on Kafka, and widens what may be widened. */
import { Command, Option } from 'commander';
import { LOG_PARTITIONS_KAFKA, SOURCE_PARTITIONS, topicSpecs } from '#contracts';
import { cliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { CliError } from '../exit-codes.js';
import { remoteLog } from '../log-access.js';
import { parsePartitions } from '../option-parsers.js';
import { formatRows } from '../table-output.js';

interface TopicsFlags {
  readonly dryRun?: boolean;
  readonly logPartitions: number;
  readonly sourcePartitions: number;
}

export function topicsCommand(io: CliIo): Command {
  const topics = new Command('topics').description('the topics on Kafka (KAFKA_BROKERS)');
  topics
    .command('apply')
    .description('make what is missing, say what differs; running it again changes nothing')
    .option('--dry-run', 'only say what would be done')
    .addOption(
      new Option('--log-partitions <n>', 'of the relationship log; once it exists: gravity repartition')
        .argParser(parsePartitions)
        .default(LOG_PARTITIONS_KAFKA),
    )
    .addOption(
      new Option('--source-partitions <n>', 'of the source topics')
        .argParser(parsePartitions)
        .default(SOURCE_PARTITIONS),
    )
    .action((flags: TopicsFlags) => applyTopics(flags, io));
  return topics;
}

async function applyTopics(flags: TopicsFlags, io: CliIo): Promise<void> {
  const log = await remoteLog(cliConfig(io, {}));
  try {
    const specs = topicSpecs({
      relationshipLogPartitions: flags.logPartitions,
      sourcePartitions: flags.sourcePartitions,
    });
    const steps = await log.applyTopics(specs, flags.dryRun === true);
    const rows = steps.map(({ topic, action, detail }) => ({ topic, action, detail }));
    for (const piece of formatRows(['topic', 'action', 'detail'], rows, 'table')) io.out(piece);
    const conflicts = steps.filter(({ action }) => action === 'conflict');
    if (conflicts.length > 0)
      throw new CliError(`${conflicts.length} topics differ and cannot be changed in place`);
  } finally {
    await log.close();
  }
}

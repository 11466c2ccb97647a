/** An import on Kafka goes into the source topics; the running services take it in, fold it and archive it. */
import { setTimeout as delay } from 'node:timers/promises';
import { SchemaCatalog, SOURCE_TOPICS, SourceEncoder } from '#contracts';
import { personKey } from '#domain';
import { ARCHIVED_TOPICS, partitionOf, TOPICS, type Log, type OutgoingRecord } from '#pipeline';
import { INTAKE_GROUP } from '../intake/intake.service.js';
import type { LiveLag } from '../simulator/recorded/import-pace.js';
import type { ImportTarget } from '../simulator/recorded/import-rows.js';
import type { AcceptedRow } from '../simulator/recorded/row-judge.js';
import type { CliConfig } from './cli-config.js';
import { CliError, usageError } from './exit-codes.js';
import { ARCHIVE_GROUP, RELATIONSHIP_GROUP } from './fold/folding.js';
import type { ImportHost } from './import-host.js';
import { openLog, remoteRegistry, type OpenLog } from './log-access.js';
import type { DrainProgress } from './replay-host.js';

const POLL_MS = 500;
/** Nobody has read anything for so long: the services are not running. */
const SILENT_MS = 60_000;

/** Where a group has to be for what stood in its topics at one instant to be done. */
interface Stretch {
  readonly group: string;
  readonly topics: readonly string[];
}

export class KafkaImportHost implements ImportHost {
  readonly target: ImportTarget;

  private constructor(
    private readonly opened: OpenLog,
    private readonly sourceTopics: readonly string[],
    encoder: SourceEncoder,
    partitions: ReadonlyMap<string, number>,
  ) {
    const { log, codec: logCodec } = opened;
    const recordOf = ({ event }: AcceptedRow): OutgoingRecord => {
      const topic = SOURCE_TOPICS[event.type];
      const count = partitions.get(topic);
      if (count === undefined)
        throw new CliError(
          `intake does not read ${topic} (GRAVITY_SOURCE_TOPICS), so nothing would come of it`,
        );
      const key = personKey(event.brand, event.person ?? '');
      return { topic, partition: partitionOf(key, count), key, value: encoder.encode(event) };
    };
    this.target = { log, logCodec, liveLag: () => this.lag(), recordOf };
  }

  /** @throws CliError   topics are missing, or no registry is named */
  static async open(config: CliConfig): Promise<KafkaImportHost> {
    const encoder = await SourceEncoder.open(remoteRegistry(config, false), SchemaCatalog.load());
    const opened = await openLog(config);
    try {
      const partitions = new Map<string, number>();
      for (const topic of [...config.sourceTopics, TOPICS.relationshipLog]) {
        const { length } = await opened.log.ends(topic);
        if (length === 0) throw new CliError(`topic ${topic} does not exist; run \`gravity topics apply\``);
        partitions.set(topic, length);
      }
      return new KafkaImportHost(opened, config.sourceTopics, encoder, partitions);
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void> {
    // One after the other: what intake has taken in is the fold's to read, and what that publishes the archive's.
    const path: readonly Stretch[] = [
      { group: INTAKE_GROUP, topics: this.sourceTopics },
      { group: RELATIONSHIP_GROUP, topics: [TOPICS.relationshipLog] },
      { group: ARCHIVE_GROUP, topics: ARCHIVED_TOPICS },
    ];
    for (const stretch of path) await this.waitFor(stretch, onProgress, signal);
  }

  /** Live traffic goes on: what ClickHouse holds at one instant says nothing about the import. */
  totals(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  private async waitFor(
    { group, topics }: Stretch,
    onProgress: (progress: DrainProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { log } = this.opened;
    const goals: { topic: string; partition: number; from: number; to: number }[] = [];
    for (const topic of topics) {
      for (const { partition, start, end } of await log.ends(topic)) {
        if (end > start) goals.push({ topic, partition, from: start, to: end });
      }
    }
    let before = Infinity;
    let movedAt = Date.now();
    while (!signal.aborted) {
      let recordsLeft = 0;
      for (const { topic, partition, from, to } of goals) {
        recordsLeft += Math.max(0, to - ((await log.committed(group, { topic, partition })) ?? from));
      }
      onProgress({ recordsLeft, rowsLeft: 0 });
      if (recordsLeft === 0) return;
      if (recordsLeft !== before) movedAt = Date.now();
      before = recordsLeft;
      if (Date.now() - movedAt > SILENT_MS) {
        throw new CliError(
          `everything is sent, but ${recordsLeft} records wait for ${group}, which reads nothing`,
        );
      }
      await delay(POLL_MS);
    }
  }

  private async lag(): Promise<LiveLag> {
    const { log } = this.opened;
    const intake = await positionsOf(log, INTAKE_GROUP, this.sourceTopics);
    const relationship = await positionsOf(log, RELATIONSHIP_GROUP, [TOPICS.relationshipLog]);
    return {
      intake: intake.unread,
      relationship: relationship.unread,
      read: intake.read + relationship.read,
    };
  }
}

async function positionsOf(
  log: Log,
  group: string,
  topics: readonly string[],
): Promise<{ readonly unread: number; readonly read: number }> {
  let unread = 0;
  let read = 0;
  for (const topic of topics) {
    for (const { partition, start, end } of await log.ends(topic)) {
      const position = (await log.committed(group, { topic, partition })) ?? start;
      unread += Math.max(0, end - position);
      read += position;
    }
  }
  return { unread, read };
}

/** @throws CliError (usage)   intake has its own key, and its own currency */
export function assertFitsIntake(
  flags: { readonly pseudonymise?: string; readonly currency: string },
  config: CliConfig,
): void {
  if (flags.pseudonymise !== undefined)
    throw usageError('--pseudonymise: on Kafka intake makes the pseudonyms, by its own key');
  if (flags.currency !== config.currency)
    throw usageError(`--currency ${flags.currency}: intake takes ${config.currency} (GRAVITY_CURRENCY)`);
}

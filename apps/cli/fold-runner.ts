/** The fold and the archive in this process: the workers of `#pipeline` as consumers, without a server around them. */
import { ClickHouseArchiveSink, ClickHouseFigureSink } from '#clickhouse';
import {
  ArchiveWorker,
  ARCHIVED_TOPICS,
  DEFAULT_RELATIONSHIP_SETTINGS,
  RelationshipWorker,
  TOPICS,
  type Assignment,
  type BatchControl,
  type ConsumerHandler,
  type LogConsumer,
  type RecordBatch,
  type RelationshipPorts,
  type TopicPartition,
} from '#pipeline';
import { type Platform } from '#platform';
import { type CliConfig } from './cli-config.js';
import { CliError } from './exit-codes.js';
import { type DrainProgress } from './replay-host.js';

/** As the running services are called, so that they go on where a replay has stopped and the other way round. */
export const RELATIONSHIP_GROUP = 'relationship';
export const ARCHIVE_GROUP = 'archive';

/**
 * As fast as possible, rows and states that are about to change again need not be written, and a replay that is
 * killed folds again from the log what it had not made durable.
 */
const UNWATCHED = {
  flushIntervalMs: 300_000,
  catchUpFlushIntervalMs: 300_000,
  correctionIntervalMs: 300_000,
  checkpointIntervalMs: 300_000,
  dirtyStatesMax: 200_000,
};
const MAINTENANCE_MS = 250;
const POLL_MS = 50;
const RETRY_MS = 1_000;

export class FoldRunner {
  private constructor(
    private readonly platform: Platform,
    private readonly worker: RelationshipWorker,
    private readonly folding: Abandonable,
    private readonly consumers: readonly LogConsumer[],
    private readonly store: { close(): void },
    private readonly maintenance: Maintenance,
  ) {}

  /** @param isWatched   somebody looks at the figures while they move: rows are written at once */
  static async start(
    platform: Platform,
    config: CliConfig,
    isWatched: boolean,
    warn: (text: string) => void,
  ): Promise<FoldRunner> {
    const codecs = platform.codecs();
    const { log } = platform;
    const store = platform.openStateStore(RELATIONSHIP_GROUP);
    const ports: RelationshipPorts = {
      log,
      group: RELATIONSHIP_GROUP,
      logCodec: codecs.log,
      facts: codecs,
      factPartitions: {
        tierChanges: await platform.partitionsOf(TOPICS.tierChanges),
        tiers: await platform.partitionsOf(TOPICS.tiers),
      },
      now: Date.now,
      store: store.store,
      storeDirectory: store.directory,
      cachedStatesMax: config.stateCachePersons,
      sink: new ClickHouseFigureSink(platform.clickhouse),
      // Recorded time has its ticks in the log already.
      progress: null,
    };
    const settings = {
      ...DEFAULT_RELATIONSHIP_SETTINGS,
      ...(isWatched ? {} : UNWATCHED),
      outboxRowsMax: config.outboxRowsMax,
    };
    const worker = new RelationshipWorker(ports, settings, {
      opened: () => undefined,
      batch: () => undefined,
      pumped: (_input, report) => {
        if (report.error !== null) warn(`figures wait for ClickHouse: ${report.error.message}`);
      },
      checkpointed: () => undefined,
      closed: () => undefined,
    });
    const archive = new ArchiveWorker(
      {
        log,
        group: ARCHIVE_GROUP,
        sink: new ClickHouseArchiveSink(platform.clickhouse),
        logCodec: codecs.log,
        tierChangedCodec: codecs.tierChanged,
        deadLetterCodec: codecs.deadLetter,
        now: Date.now,
      },
      {
        batch: () => undefined,
        waiting: (_input, error) => warn(`raw facts wait for ClickHouse: ${error.message}`),
      },
    );
    const { batchRecordsMax } = config;
    const folding = log.consumer({
      group: RELATIONSHIP_GROUP,
      topics: [TOPICS.relationshipLog],
      batchRecordsMax,
    });
    const archiving = log.consumer({ group: ARCHIVE_GROUP, topics: [...ARCHIVED_TOPICS], batchRecordsMax });
    const handler = new Abandonable(worker);
    await folding.start(handler);
    await archiving.start(archive);
    const maintenance = new Maintenance(() => worker.maintainAll(), warn);
    return new FoldRunner(platform, worker, handler, [folding, archiving], store.store, maintenance);
  }

  /** @throws CliError   a consumer has given up */
  async waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void> {
    let flushing = { isDone: true, since: -Infinity };
    while (!signal.aborted) {
      this.assertAlive();
      const recordsLeft = await this.recordsLeft();
      const isDrained = recordsLeft === 0 && flushing.since > -Infinity;
      // The last changes become rows now, rather than when their interval is over; again while ClickHouse is away.
      if (recordsLeft === 0 && flushing.isDone && Date.now() - flushing.since >= RETRY_MS) {
        const round = { isDone: false, since: Date.now() };
        flushing = round;
        void this.worker.flushAll().then(() => (round.isDone = true));
      }
      const rowsLeft = this.worker.states().reduce((sum, { outbox }) => sum + outbox.size, 0);
      onProgress({ recordsLeft, rowsLeft });
      if (isDrained && rowsLeft === 0) return;
      await pause(POLL_MS);
    }
  }

  /**
   * What is left to fold here and to archive. The fold stands where its states do: after a kill the group's
   * position may be at the end already, with the states still to be folded again up to there.
   */
  private async recordsLeft(): Promise<number> {
    const { log } = this.platform;
    const positions = new Map(this.worker.states().map(({ partition, position }) => [partition, position]));
    let left = await unreadBy(this.platform, ARCHIVE_GROUP, ARCHIVED_TOPICS);
    for (const { partition, start, end } of await log.ends(TOPICS.relationshipLog)) {
      left += Math.max(0, end - (positions.get(partition) ?? start));
    }
    return left;
  }

  /**
   * @param keepsStates   false: at once. What was folded since the last checkpoint is folded again by whoever goes
   *   on, as after a kill; writing it down would take longer than a person waits who has pressed Ctrl-C.
   */
  async stop(keepsStates: boolean): Promise<void> {
    this.folding.isAbandoned = !keepsStates;
    await this.maintenance.stop();
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
    this.store.close();
  }

  private assertAlive(): void {
    for (const consumer of this.consumers) {
      const { crashed } = consumer.health();
      if (crashed !== null) throw new CliError(`folding has stopped: ${crashed.message}`);
    }
  }
}

/** Partitions that leave do so in good order, unless there is no time for that. */
class Abandonable implements ConsumerHandler {
  isAbandoned = false;

  constructor(private readonly worker: RelationshipWorker) {}

  assigned(input: TopicPartition, assignment?: Assignment | null): Promise<number> {
    return this.worker.assigned(input, assignment);
  }

  batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    return this.worker.batch(batch, control);
  }

  async revoked(input: TopicPartition): Promise<void> {
    if (!this.isAbandoned) await this.worker.revoked(input);
  }
}

/** Records that the running services have not committed yet. */
export async function recordsLeftOf(platform: Platform): Promise<number> {
  const unfolded = await unreadBy(platform, RELATIONSHIP_GROUP, [TOPICS.relationshipLog]);
  return unfolded + (await unreadBy(platform, ARCHIVE_GROUP, ARCHIVED_TOPICS));
}

async function unreadBy({ log }: Platform, group: string, topics: readonly string[]): Promise<number> {
  let left = 0;
  for (const topic of topics) {
    for (const { partition, start, end } of await log.ends(topic)) {
      const committed = await log.committed(group, { topic, partition });
      left += Math.max(0, end - (committed ?? start));
    }
  }
  return left;
}

/** What time alone asks of the worker, a few times a second and never two at a time. */
class Maintenance {
  private running: Promise<void> = Promise.resolve();
  private isIdle = true;
  private readonly timer: NodeJS.Timeout;

  constructor(work: () => Promise<void>, warn: (text: string) => void) {
    this.timer = setInterval(() => {
      if (!this.isIdle) return;
      this.isIdle = false;
      this.running = work()
        .catch((error: unknown) => warn(error instanceof Error ? error.message : String(error)))
        .finally(() => {
          this.isIdle = true;
        });
    }, MAINTENANCE_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The fold in this thread: the worker of `#pipeline` as a consumer, without a server around it. */
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  RelationshipWorker,
  TOPICS,
  type Assignment,
  type BatchControl,
  type ConsumerHandler,
  type FigureSink,
  type Log,
  type LogConsumer,
  type RecordBatch,
  type RelationshipPorts,
  type TopicPartition,
} from '#pipeline';
import type { Codecs } from '#contracts';
import type { OpenStateStore } from '#data-folder';
import { RELATIONSHIP_GROUP, type Folding, type FoldSettings, type FoldState } from './folding.js';
import { Maintenance } from './maintenance.js';

/** What the fold works with. */
export interface FoldParts {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly openStateStore: (name: string) => OpenStateStore;
  readonly sink: FigureSink;
  readonly warn: (text: string) => void;
}

/**
 * As fast as possible, rows and states that are about to change again need not be written, and a replay that is
 * killed folds again from the log what it had not made durable.
 */
const UNWATCHED = {
  flushIntervalMs: 300_000,
  catchUpFlushIntervalMs: 300_000,
  correctionIntervalMs: 300_000,
  checkpointIntervalMs: 300_000,
  checkpointRecordsMax: 1_000_000,
  dirtyStatesMax: 200_000,
};

/**
 * Everything a batch makes lives until it is committed, and each collection of garbage in the meantime copies it; the
 * embedded log's commits cost so little that smaller batches fold faster.
 */
const BATCH_RECORDS_MAX = 1_000;

export class FoldHere implements Folding {
  private constructor(
    private readonly worker: RelationshipWorker,
    private readonly handler: Abandonable,
    private readonly consumer: LogConsumer,
    private readonly store: { close(): void },
    private readonly maintenance: Maintenance,
  ) {}

  static async start(parts: FoldParts, settings: FoldSettings): Promise<FoldHere> {
    const { log, codecs, sink, warn } = parts;
    const { isWatched, cachedStatesMax, outboxRowsMax, batchRecordsMax } = settings;
    const store = parts.openStateStore(RELATIONSHIP_GROUP);
    const ports: RelationshipPorts = {
      log,
      group: RELATIONSHIP_GROUP,
      logCodec: codecs.log,
      generationCodec: codecs.generations,
      facts: codecs,
      factPartitions: {
        tierChanges: (await log.ends(TOPICS.tierChanges)).length,
        tiers: (await log.ends(TOPICS.tiers)).length,
      },
      now: Date.now,
      store: store.store,
      storeDirectory: store.directory,
      snapshots: null,
      cachedStatesMax,
      sink,
      // Recorded time has its ticks in the log already.
      progress: null,
    };
    const relationshipSettings = {
      ...DEFAULT_RELATIONSHIP_SETTINGS,
      ...(isWatched ? {} : UNWATCHED),
      outboxRowsMax,
    };
    const worker = new RelationshipWorker(ports, relationshipSettings, {
      opened: ({ topic, partition }, _state, { setAside }) => {
        if (setAside !== null)
          warn(`the local store of ${topic}-${partition} ${setAside.reason}; it is kept in ${setAside.kept}`);
      },
      batch: () => undefined,
      pumped: (_input, report) => {
        if (report.error !== null) warn(`figures wait for ClickHouse: ${report.error.message}`);
      },
      checkpointed: () => undefined,
      closed: () => undefined,
      snapshots: { found: () => undefined, taken: () => undefined, failed: () => undefined },
    });
    const topics = [TOPICS.relationshipLog];
    const consumer = log.consumer({
      group: RELATIONSHIP_GROUP,
      topics,
      batchRecordsMax: Math.min(batchRecordsMax, BATCH_RECORDS_MAX),
    });
    const handler = new Abandonable(worker);
    await consumer.start(handler);
    const maintenance = new Maintenance(() => worker.maintainAll(), warn);
    return new FoldHere(worker, handler, consumer, store.store, maintenance);
  }

  state(): FoldState {
    const states = this.worker.states();
    return {
      positions: new Map(states.map(({ partition, position }) => [partition, position])),
      rowsLeft: states.reduce((sum, { outbox }) => sum + outbox.size, 0),
      failure: this.consumer.health().crashed?.message ?? null,
    };
  }

  flushAll(): Promise<void> {
    return this.worker.flushAll();
  }

  async stop(keepsStates: boolean): Promise<void> {
    this.handler.isAbandoned = !keepsStates;
    await this.maintenance.stop();
    await this.consumer.stop();
    this.store.close();
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

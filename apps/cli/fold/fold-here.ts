/** The fold in this thread: the worker of `#pipeline` as a consumer, without a server around it. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  RelationshipWorker,
  TOPICS,
  messageOf,
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
import { isInShare, type ThreadShare } from '#embedded-log';
import { RELATIONSHIP_GROUP, type Folding, type FoldSettings, type FoldState } from './folding.js';
import { Maintenance } from './maintenance.js';

/** What the fold works with. */
export interface FoldParts {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly openStateStore: (name: string) => OpenStateStore;
  readonly sink: FigureSink;
  readonly warn: (text: string) => void;
  /** Of the log's partitions, those that are folded here. */
  readonly share: ThreadShare;
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

const POLL_MS = 50;
const RETRY_MS = 1_000;

interface Running {
  readonly log: Log;
  readonly share: ThreadShare;
  readonly worker: RelationshipWorker;
  readonly handler: Abandonable;
  readonly consumer: LogConsumer;
  readonly store: { close(): void };
  readonly maintenance: Maintenance;
}

export class FoldHere implements Folding {
  /** Where it stood at the end, when its partitions are given back. */
  private finished: FoldState | null = null;
  private stopping: Promise<void> | null = null;
  private failure: string | null = null;

  private constructor(private readonly running: Running) {}

  static async start(parts: FoldParts, settings: FoldSettings): Promise<FoldHere> {
    const { log, codecs, sink, warn, share } = parts;
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
        // Rows on their way when it was dropped are sent by the next one.
        if (report.error !== null && !handler.isAbandoned)
          warn(`figures wait for ClickHouse: ${report.error.message}`);
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
    return new FoldHere({ log, share, worker, handler, consumer, store: store.store, maintenance });
  }

  state(): FoldState {
    const { worker, consumer } = this.running;
    const failure = this.failure ?? consumer.health().crashed?.message ?? null;
    if (this.finished !== null) return { ...this.finished, failure };
    const states = worker.states();
    return {
      positions: new Map(states.map(({ partition, position }) => [partition, position])),
      rowsLeft: states.reduce((sum, { outbox }) => sum + outbox.size, 0),
      isFinished: false,
      failure,
    };
  }

  finish(): void {
    void this.finishing();
  }

  /** Resolves, never rejects, when `state` says so: finished, failed or told to stop. */
  async finishing(): Promise<void> {
    try {
      await this.toTheEnd();
    } catch (error) {
      this.failure = messageOf(error);
    }
  }

  stop(keepsStates: boolean): Promise<void> {
    this.running.handler.isAbandoned = !keepsStates;
    this.stopping ??= this.giveBack();
    return this.stopping;
  }

  private async toTheEnd(): Promise<void> {
    while (!(await this.isAtEnd())) {
      if (this.stopping !== null) return;
      await delay(POLL_MS);
    }
    // Again while ClickHouse is away.
    for (;;) {
      await this.running.worker.flushAll();
      if (this.stopping !== null) return;
      const state = this.state();
      if (state.rowsLeft === 0) {
        this.finished = { ...state, isFinished: true };
        return;
      }
      await delay(RETRY_MS);
    }
  }

  /**
   * The fold stands where its states do: after a kill the group's position may be at the end already, with the states
   * still to be folded again up to there.
   */
  private async isAtEnd(): Promise<boolean> {
    const { log, worker, share } = this.running;
    const states = new Map(worker.states().map((state) => [state.partition, state]));
    const ends = await log.ends(TOPICS.relationshipLog);
    return ends.every(({ partition, end }) => {
      if (!isInShare(share, partition)) return true;
      const state = states.get(partition);
      // Who is still due gets a tick of his own behind the end.
      return state !== undefined && state.position >= end && !state.moreDue;
    });
  }

  private async giveBack(): Promise<void> {
    const { maintenance, consumer, store } = this.running;
    await maintenance.stop();
    await consumer.stop();
    store.close();
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

import { setImmediate as nextTurn } from 'node:timers/promises';
import { ClickHouseFigureSink } from '#clickhouse';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  IntakeProgressView,
  RelationshipWorker,
  TOPICS,
  type Assignment,
  type BatchControl,
  type RecordBatch,
  type RelationshipObserver,
  type StoredState,
  type TopicPartition,
} from '#pipeline';
import type { Platform } from '#platform';
import type { AppLogger, ServiceMetrics, ShutdownSequence } from '#runtime';
import type { PartitionLifecycle } from '#transport';
import { reportOpening, snapshotReports } from './snapshot-reports.js';

export const RELATIONSHIP_GROUP = 'relationship';

export interface RelationshipOptions {
  readonly sourceTopics: readonly string[];
  readonly stateCachePersons: number;
  readonly checkpointMs: number;
  readonly flushMs: number;
  readonly outboxRowsMax: number;
  readonly snapshotDir?: string | undefined;
  readonly snapshotEveryMs: number;
  readonly snapshotKeep: number;
}

export interface RelationshipParts {
  readonly platform: Platform;
  readonly logger: AppLogger;
  readonly metrics: ServiceMetrics;
  readonly shutdown: ShutdownSequence;
}

const MAINTENANCE_MS = 1_000;

/** Wires the worker of `#pipeline` to the platform, and owns its timers. */
export class RelationshipService implements PartitionLifecycle {
  #worker: RelationshipWorker | null = null;

  constructor(
    private readonly parts: RelationshipParts,
    private readonly options: RelationshipOptions,
  ) {}

  /** Once the dependencies are there, and before the consumer starts. */
  async prepare(): Promise<void> {
    const { platform, shutdown, logger } = this.parts;
    const codecs = platform.codecs();
    const progress = new IntakeProgressView(
      platform.log,
      codecs.intakeProgress,
      this.options.sourceTopics,
      (error) => logger.warnRepeated('intake progress cannot be read', { reason: error.message }),
    );
    await progress.start();
    const store = platform.openStateStore(RELATIONSHIP_GROUP);
    const worker = new RelationshipWorker(
      {
        log: platform.log,
        group: RELATIONSHIP_GROUP,
        logCodec: codecs.log,
        generationCodec: codecs.generations,
        facts: codecs,
        factPartitions: {
          tierChanges: await platform.partitionsOf(TOPICS.tierChanges),
          tiers: await platform.partitionsOf(TOPICS.tiers),
        },
        now: Date.now,
        store: store.store,
        storeDirectory: store.directory,
        snapshots:
          this.options.snapshotDir === undefined ? null : platform.openSnapshots(this.options.snapshotDir),
        cachedStatesMax: this.options.stateCachePersons,
        sink: new ClickHouseFigureSink(platform.clickhouse),
        progress,
      },
      {
        ...DEFAULT_RELATIONSHIP_SETTINGS,
        checkpointIntervalMs: this.options.checkpointMs,
        flushIntervalMs: this.options.flushMs,
        outboxRowsMax: this.options.outboxRowsMax,
        snapshotIntervalMs: this.options.snapshotEveryMs,
        snapshotsKept: this.options.snapshotKeep,
      },
      this.#observer(),
    );
    this.#worker = worker;
    const stopTimer = this.#maintain(worker, progress);
    shutdown.register('stop-sources', 'ticks', async () => {
      await stopTimer();
      await progress.stop();
    });
    shutdown.register('close-sinks', 'state store', () => store.store.close());
  }

  onAssigned(partition: TopicPartition, assignment: Assignment): Promise<number | null> {
    return this.worker.assigned(partition, assignment);
  }

  onRevoked(partition: TopicPartition): Promise<void> {
    return this.worker.revoked(partition);
  }

  storedStates(): readonly StoredState[] {
    return this.worker.storedStates();
  }

  batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    return this.worker.batch(batch, control);
  }

  /** Partitions folded here, for status pages and tests. */
  get worker(): RelationshipWorker {
    if (this.#worker === null) throw new Error('the relationship service has not been prepared');
    return this.#worker;
  }

  /** Runs the worker's maintenance about once a second, never two at a time. */
  #maintain(worker: RelationshipWorker, progress: IntakeProgressView): () => Promise<void> {
    const { logger } = this.parts;
    let running: Promise<void> = Promise.resolve();
    let isIdle = true;
    let refreshAt = Date.now() + SOURCES_REFRESH_MS;
    const round = async (): Promise<void> => {
      if (Date.now() >= refreshAt) {
        refreshAt = Date.now() + SOURCES_REFRESH_MS;
        await progress.refreshSources();
      }
      await worker.maintainAll(nextTurn);
    };
    const timer = setInterval(() => {
      if (!isIdle) return;
      isIdle = false;
      running = round()
        .catch((error: unknown) => logger.warnRepeated('maintenance failed', { err: error }))
        .finally(() => {
          isIdle = true;
        });
    }, MAINTENANCE_MS);
    return async () => {
      clearInterval(timer);
      await running;
    };
  }

  #observer(): RelationshipObserver {
    const { metrics, logger } = this.parts;
    return {
      opened: (input, state, opening) => reportOpening(input, state, opening, logger),
      snapshots: snapshotReports(metrics, logger),
      batch: (input, report, lagRecords, state) => {
        metrics.batch({
          ...input,
          records: report.records,
          durationMs: report.foldMs + report.commitMs,
          lagRecords,
          lastRecordAt: report.lastRecordAt,
          stagesMs: { fold: report.foldMs, commit: report.commitMs },
        });
        if (!report.muted) {
          metrics.transaction('committed');
          metrics.recordsOut(TOPICS.tierChanges, report.facts);
        }
        metrics.watermark(input.partition, state.frame.watermark);
        metrics.outbox(input.partition, state.outbox.size);
      },
      pumped: (input, report, outboxRows) => {
        if (report.error === null) metrics.sink('figures', report.rows, report.durationMs);
        else {
          metrics.sinkFailed('figures');
          logger.warnRepeated('figures wait for ClickHouse', { reason: report.error.message });
        }
        metrics.outbox(input.partition, outboxRows);
      },
      checkpointed: (input, durationMs) => logger.debug('checkpoint', { ...input, durationMs }),
      closed: (input) => {
        metrics.forget(input.topic, input.partition);
        logger.info('partition closed', { ...input });
      },
    };
  }
}

const SOURCES_REFRESH_MS = 60_000;

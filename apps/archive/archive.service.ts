import { ClickHouseArchiveSink } from '#clickhouse';
import {
  ArchiveWorker,
  type ArchiveObserver,
  type BatchControl,
  type RecordBatch,
  type TopicPartition,
} from '#pipeline';
import type { Platform } from '#platform';
import type { AppLogger, ServiceMetrics } from '#runtime';
import type { PartitionLifecycle } from '#transport';

export const ARCHIVE_GROUP = 'archive';

export interface ArchiveParts {
  readonly platform: Platform;
  readonly logger: AppLogger;
  readonly metrics: ServiceMetrics;
}

/** Wires the archive worker of `#pipeline` to the platform. */
export class ArchiveService implements PartitionLifecycle {
  #worker: ArchiveWorker | null = null;

  constructor(private readonly parts: ArchiveParts) {}

  prepare(): void {
    const { platform } = this.parts;
    const codecs = platform.codecs();
    this.#worker = new ArchiveWorker(
      {
        log: platform.log,
        group: ARCHIVE_GROUP,
        sink: new ClickHouseArchiveSink(platform.clickhouse),
        logCodec: codecs.log,
        tierChangedCodec: codecs.tierChanged,
        deadLetterCodec: codecs.deadLetter,
        now: Date.now,
      },
      this.#observer(),
    );
  }

  onAssigned(partition: TopicPartition): Promise<number | null> {
    return this.#prepared().assigned(partition);
  }

  onRevoked(partition: TopicPartition): Promise<void> {
    return this.#prepared().revoked(partition);
  }

  batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    return this.#prepared().batch(batch, control);
  }

  #prepared(): ArchiveWorker {
    if (this.#worker === null) throw new Error('the archive service has not been prepared');
    return this.#worker;
  }

  #observer(): ArchiveObserver {
    const { metrics, logger } = this.parts;
    return {
      batch: (input, report, lagRecords) => {
        metrics.batch({
          ...input,
          records: report.records,
          durationMs: report.sinkMs,
          lagRecords,
          lastRecordAt: report.lastRecordAt,
        });
        metrics.sink(`raw ${input.topic}`, report.rows, report.sinkMs);
      },
      waiting: (input, error, attempt) => {
        metrics.sinkFailed(`raw ${input.topic}`);
        logger.warnRepeated('raw facts wait for ClickHouse', { ...input, attempt, reason: error.message });
      },
    };
  }
}

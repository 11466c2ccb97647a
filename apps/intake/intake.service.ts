import {
  IntakeWorker,
  TOPICS,
  type BatchControl,
  type IntakeObserver,
  type RecordBatch,
  type RejectBreakerSettings,
  type StoppedTopic,
  type TopicPartition,
} from '#pipeline';
import type { Platform } from '#platform';
import type { AppLogger, HealthRegistry, HeldRecords, ServiceMetrics, ShutdownSequence } from '#runtime';
import type { PartitionLifecycle } from '#transport';
import { admissionLimits, pseudonymisation, type JudgementSettings } from './judgement-settings.js';

export const INTAKE_GROUP = 'intake';

export interface IntakeOptions extends JudgementSettings {
  readonly sourceTopics: readonly string[];
  readonly breaker: RejectBreakerSettings;
}

export interface IntakeParts {
  readonly platform: Platform;
  readonly logger: AppLogger;
  readonly metrics: ServiceMetrics;
  readonly shutdown: ShutdownSequence;
  readonly health: HealthRegistry;
}

const HEARTBEAT_MS = 2_000;

/** Wires the intake worker of `#pipeline` to the platform, and owns its heartbeat. */
export class IntakeService implements PartitionLifecycle {
  #worker: IntakeWorker | null = null;

  constructor(
    private readonly parts: IntakeParts,
    private readonly options: IntakeOptions,
  ) {}

  async prepare(): Promise<void> {
    const { platform, shutdown, health, metrics } = this.parts;
    // Nothing may stand in the log before its own first records.
    await platform.initialiseLog();
    const codecs = platform.codecs();
    const worker = new IntakeWorker(
      {
        log: platform.log,
        group: INTAKE_GROUP,
        sourceCodec: codecs.source,
        logCodec: codecs.log,
        progressCodec: codecs.intakeProgress,
        deadLetterCodec: codecs.deadLetter,
        pseudonymise: pseudonymisation(this.options),
        limits: admissionLimits(this.options),
        partitions: {
          relationshipLog: await platform.partitionsOf(TOPICS.relationshipLog),
          intakeProgress: await platform.partitionsOf(TOPICS.intakeProgress),
          deadLetters: await platform.partitionsOf(TOPICS.deadLetters),
        },
      },
      this.#observer(),
      Date.now,
      this.options.breaker,
    );
    this.#worker = worker;
    health.registerReadiness('source topics', () => stoppedReason(worker.stoppedTopics()));
    metrics.held(() => heldRecords(this.options.sourceTopics, worker.stoppedTopics()));
    shutdown.register('stop-sources', 'intake heartbeat', this.#beat(worker));
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

  #prepared(): IntakeWorker {
    if (this.#worker === null) throw new Error('the intake service has not been prepared');
    return this.#worker;
  }

  /** @returns what stops it, once the heartbeat under way is done */
  #beat(worker: IntakeWorker): () => Promise<void> {
    let running: Promise<void> = Promise.resolve();
    let isIdle = true;
    const timer = setInterval(() => {
      if (!isIdle) return;
      isIdle = false;
      running = worker
        .heartbeat()
        .catch((error: unknown) => this.parts.logger.warnRepeated('heartbeat failed', { err: error }))
        .finally(() => {
          isIdle = true;
        });
    }, HEARTBEAT_MS);
    return async () => {
      clearInterval(timer);
      await running;
    };
  }

  #observer(): IntakeObserver {
    const { metrics, logger } = this.parts;
    const { breaker } = this.options;
    return {
      waiting: (input, error, attempt) =>
        logger.warnRepeated('records wait for the schema registry', {
          ...input,
          attempt,
          reason: error.message,
        }),
      topicStopped: (input, { rejected }) =>
        logger.error('too much of a source topic is rejected: it is stopped', {
          ...{ ...input, reasons: Object.fromEntries(rejected), judgedAgainEveryMs: breaker.retryMs },
          wayOn: 'mend the cause, or name the topic in GRAVITY_BREAKER_EXEMPT_TOPICS to let it pass',
        }),
      topicResumed: ({ topic }) => logger.info('a stopped source topic goes on', { topic }),
      batch: (input, report, lagRecords) => {
        metrics.batch({
          ...input,
          records: report.records,
          durationMs: report.judgeMs + report.commitMs,
          lagRecords,
          lastRecordAt: report.readTo,
          stagesMs: { judge: report.judgeMs, commit: report.commitMs },
        });
        metrics.transaction('committed');
        metrics.recordsOut(TOPICS.relationshipLog, report.accepted);
        for (const [reason, count] of report.rejected) {
          metrics.reject(input.topic, reason, count);
          logger.warnRepeated('records rejected', { topic: input.topic, reason });
        }
      },
    };
  }
}

/** Null: none is stopped. */
function stoppedReason(stopped: readonly StoppedTopic[]): string | null {
  const reasons = stopped.map(({ topic, since, rejected, records }) => {
    const share = `${rejected} of ${records} records that are held`;
    return `${topic} is stopped since ${new Date(since).toISOString()}: ${share} are no events`;
  });
  return reasons.length === 0 ? null : reasons.join('; ');
}

function heldRecords(topics: readonly string[], stopped: readonly StoppedTopic[]): readonly HeldRecords[] {
  return topics.map((topic) => {
    return { topic, records: stopped.find((one) => one.topic === topic)?.records ?? 0 };
  });
}

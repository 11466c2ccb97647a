import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type LogEntry } from 'kafkajs';
import type {
  CommitReceipt,
  ConsumerOptions,
  Log,
  LogConsumer,
  OutgoingRecord,
  PartitionEnds,
  RecordBatch,
  TopicPartition,
  TopicPlanStep,
  TopicSpec,
  TransactionalWriter,
} from '#pipeline';
import { ClusterLink, type ConnectionSettings } from './cluster-link.js';
import { IdempotentAppender } from './idempotent-appender.js';
import { JointCommits } from './joint-commits.js';
import { KafkaConsumer, type LogAlarm } from './kafka-consumer.js';
import { readPartition, tailPartition } from './kafka-reader.js';
import { assertKafkaJsVersion } from './kafkajs-version.js';
import { committedEnd, committedOffset, topicEnds, writtenEnd } from './offsets.js';
import { persist, type Attempts } from './retry.js';
import { StatusBoard, type LogStatus, type Watch } from './status-board.js';
import { patchPendingRequestTimer } from './timer-patch.js';
import { TopicLimits } from './topic-limits.js';
import { applyTopics, dropTopic, membersOf } from './topics.js';
import { KafkaTransactionalWriter } from './transactional-writer.js';

export interface KafkaLogOptions extends ConnectionSettings {
  /** Silence after which a group gives a member up, ms. Default 10 s. */
  readonly sessionTimeoutMs?: number;
  /** How long a rebalance waits for members with a batch in hand, ms. Default 30 s. */
  readonly rebalanceTimeoutMs?: number;
  /** Age at which the broker ends an abandoned transaction; it holds up all readers until then. Default 10 s. */
  readonly transactionTimeoutMs?: number;
  /** How long an append waits for its acknowledgement, ms. Default 30 s. */
  readonly appendTimeoutMs?: number;
  /** Failures of a handler in a row after which the consumer gives up. Default 5. */
  readonly failuresMax?: number;
  /** Of new topics; −1, the default, leaves it to the broker. */
  readonly replicationFactor?: number;
  /** Told when an error is being waited out, and when Kafka answers again. */
  readonly onStatus?: (status: LogStatus) => void;
  /** Told when a handler fails or loses a partition; the consumer goes on by itself, or ends as crashed. */
  readonly onFailure?: (error: Error) => void;
  readonly onAlarm?: (alarm: LogAlarm) => void;
}

/** How long a question is asked again while nobody answers, ms. Who can wait longer asks again. */
const QUESTION_MS = 10_000;
/** The same for a position, which waits for transactions that were left behind to be ended by the broker, ms. */
const POSITION_MS = 30_000;
/** How often the end of a partition is asked for while a transaction is open, ms. */
const SETTLING_MS = 100;

/**
 * The log port over Kafka. Nothing connects before it is needed. Consumers and tails wait for a broker that is
 * away as long as it takes; every other call fails after a while.
 */
export class KafkaLog implements Log {
  private readonly questions: ClusterLink;
  private readonly questionWatch: Watch;
  private readonly limits: TopicLimits;
  private readonly appender: IdempotentAppender;
  private readonly consumers = new Set<KafkaConsumer>();
  private readonly writers = new Set<TransactionalWriter>();
  /** By group. */
  private readonly joint = new Map<string, JointCommits>();
  private readonly closing = new AbortController();
  private readonly board: StatusBoard;

  constructor(private readonly options: KafkaLogOptions) {
    assertKafkaJsVersion();
    patchPendingRequestTimer();
    this.board = new StatusBoard((status) => options.onStatus?.(status));
    this.questions = new ClusterLink(options);
    this.questionWatch = this.board.watch();
    this.limits = new TopicLimits(this.questions);
    const appendTimeoutMs = options.appendTimeoutMs ?? 30_000;
    this.appender = new IdempotentAppender(
      new ClusterLink(options),
      this.limits,
      appendTimeoutMs,
      this.board.watch(),
    );
  }

  consumer(options: ConsumerOptions): LogConsumer {
    const consumer: KafkaConsumer = new KafkaConsumer(new ClusterLink(this.options), {
      ...options,
      sessionTimeoutMs: this.options.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: this.options.rebalanceTimeoutMs ?? 30_000,
      failuresMax: this.options.failuresMax ?? 5,
      watch: this.board.watch(),
      onFailure: (error) => this.options.onFailure?.(error),
      onAlarm: (alarm) => this.options.onAlarm?.(alarm),
      onStopped: () => void this.consumers.delete(consumer),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  async writer(group: string, input: TopicPartition): Promise<TransactionalWriter> {
    const transactionTimeoutMs = this.options.transactionTimeoutMs ?? 10_000;
    const link = new ClusterLink(this.options);
    const onClosed = (): void => void this.writers.delete(writer);
    const watch = this.board.watch();
    const joint = this.joint.get(group) ?? new JointCommits();
    this.joint.set(group, joint);
    const options = { group, input, transactionTimeoutMs, joint, watch, onClosed };
    let writer: TransactionalWriter;
    try {
      writer = await KafkaTransactionalWriter.open(link, this.limits, options, this.attempts(watch));
      this.writers.add(writer);
      return writer;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  append(records: readonly OutgoingRecord[]): Promise<CommitReceipt> {
    return this.appender.append(records);
  }

  async *read(input: TopicPartition, from: number, to?: number): AsyncGenerator<RecordBatch> {
    const link = new ClusterLink(this.options);
    try {
      yield* readPartition(link, input, from, to, this.attempts(this.questionWatch));
    } finally {
      link.close();
    }
  }

  async *tail(input: TopicPartition, from: number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    const link = new ClusterLink(this.options);
    const ended = AbortSignal.any([signal, this.closing.signal]);
    const watch = this.board.watch();
    try {
      yield* tailPartition(link, input, from, ended, {
        deadline: Infinity,
        signal: ended,
        watch,
      });
    } finally {
      watch.recovered();
      link.close();
    }
  }

  committed(group: string, input: TopicPartition): Promise<number | null> {
    return this.ask(() => committedOffset(this.questions, group, input), POSITION_MS);
  }

  ends(topic: string): Promise<readonly PartitionEnds[]> {
    return this.ask(() => topicEnds(this.questions, topic));
  }

  async settled(topic: string): Promise<void> {
    const partitions = await this.ask(() => this.questions.partitionsOf(topic));
    for (const partition of partitions) {
      const input = { topic, partition };
      const written = await this.ask(() => writtenEnd(this.questions, input));
      while ((await this.ask(() => committedEnd(this.questions, input))) < written) {
        await sleep(SETTLING_MS, undefined, { signal: this.closing.signal });
      }
    }
  }

  applyTopics(specs: readonly TopicSpec[], dryRun: boolean): Promise<readonly TopicPlanStep[]> {
    const { replicationFactor = -1 } = this.options;
    return this.administer((admin) => applyTopics(admin, specs, dryRun, replicationFactor));
  }

  dropTopic(topic: string): Promise<void> {
    return this.administer((admin) => dropTopic(admin, topic));
  }

  /** How many members a group has now; 0 for one that does not exist. */
  membersOf(group: string): Promise<number> {
    return this.administer((admin) => membersOf(admin, group));
  }

  private async administer<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const { brokers, clientId, ssl, sasl } = this.options;
    const kafka = new kafkajs.Kafka({
      brokers: [...brokers],
      clientId,
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
      logCreator: () => (entry: LogEntry) => this.options.onClientLog?.(entry),
    });
    const admin = kafka.admin();
    await this.ask(() => admin.connect());
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
    this.closing.abort();
    await Promise.all([...this.writers].map((writer) => writer.close()));
    await this.appender.close();
    this.questions.close();
  }

  private ask<T>(question: () => Promise<T>, ms = QUESTION_MS): Promise<T> {
    return persist(this.questions, this.attempts(this.questionWatch, ms), question);
  }

  private attempts(watch: Watch, ms = QUESTION_MS): Attempts {
    return { deadline: Date.now() + ms, signal: this.closing.signal, watch };
  }
}

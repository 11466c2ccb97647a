import { setImmediate as nextTurn } from 'node:timers/promises';
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
import { AppendBell } from './append-bell.js';
import { AppendNotices } from './append-notices.js';
import { Compactor } from './compactor.js';
import { ConsumerGroups, type ThreadShare } from './consumer-group.js';
import { EmbeddedConsumer } from './embedded-consumer.js';
import { appendTransaction, EmbeddedWriter, type WriterParts } from './embedded-writer.js';
import { openLogEnvironment } from './log-environment.js';
import { LogStorage } from './log-storage.js';
import { PartitionReader } from './partition-reader.js';
import type { HandlerFailure } from './partition-worker.js';
import { TopicCatalog, type PartitionRef } from './topic-catalog.js';
import { Waker } from './waker.js';

export interface EmbeddedLogOptions {
  /** A directory of its own. Whoever opens it holds the data directory's lock: LMDB would let a second process in. */
  readonly path: string;
  /** The clock of append times, ms; the wall clock unless given. */
  readonly now?: () => number;
  /**
   * Set where another thread of this process has opened the log before and outlives this use of it: that one
   * compacts, and consumers here share out every `of`th partition from `index` on among themselves.
   */
  readonly guest?: ThreadShare;
  /** Told of every error that a consumer's handler throws. */
  readonly onHandlerFailure?: (failure: HandlerFailure) => void;
  /** Told when compaction fails; unless given, such an error is left uncaught and ends the process. */
  readonly onBackgroundError?: (error: unknown) => void;
  /** Failures of one partition in a row after which a consumer gives up; 8 unless given. */
  readonly failuresMax?: number;
  /** Pause after the first failure, doubled with each further one up to the most, ms; 100 and 5,000 unless given. */
  readonly backoffMs?: { readonly first: number; readonly most: number };
}

const READ_RECORDS_MAX = 5_000;

/**
 * The log port over LMDB, for one process; several of its threads may have it open. A commit is on disk when its promise resolves: it survives a kill of
 * the process at any instant, and a power loss as far as the disk honours a flush. Readers never see a part of it.
 */
export class EmbeddedLog implements Log {
  private readonly bell = new AppendBell();
  private readonly catalog: TopicCatalog;
  private readonly storage: LogStorage;
  private readonly groups: ConsumerGroups;
  private readonly compactor: Compactor;
  private readonly notices: AppendNotices;
  private readonly parts: WriterParts;
  private readonly consumers = new Set<EmbeddedConsumer>();
  private readonly closing = new AbortController();
  private closed: Promise<void> | null = null;

  private constructor(private readonly options: EmbeddedLogOptions) {
    const environment = openLogEnvironment(options.path);
    this.catalog = new TopicCatalog(environment);
    this.storage = new LogStorage(environment, options.now ?? Date.now);
    this.groups = new ConsumerGroups(this.catalog, options.guest ?? { index: 0, of: 1 });
    this.compactor = new Compactor(
      environment,
      this.storage,
      this.catalog,
      options.now ?? Date.now,
      options.onBackgroundError ?? crashProcess,
    );
    this.notices = new AppendNotices(environment.path, (topic, partition) => {
      environment.refresh();
      this.appended(this.catalog.partition({ topic, partition }));
    });
    this.parts = {
      environment,
      storage: this.storage,
      catalog: this.catalog,
      appended: (partition) => {
        this.appended(partition);
        this.notices.post(partition.topic, partition.partition);
      },
      assertOpen: () => this.assertOpen(),
    };
    if (options.guest === undefined) this.compactor.considerAll();
  }

  private appended(partition: PartitionRef): void {
    this.bell.ring(partition.topic, partition.partition);
    if (this.options.guest === undefined) this.compactor.consider(partition);
  }

  /** @throws ForeignLogDirectoryError when the directory holds something else */
  static open(options: EmbeddedLogOptions): EmbeddedLog {
    return new EmbeddedLog(options);
  }

  consumer(options: ConsumerOptions): LogConsumer {
    this.assertOpen();
    assertGroup(options.group);
    if (!Number.isInteger(options.batchRecordsMax) || options.batchRecordsMax < 1) {
      throw new RangeError(`batchRecordsMax is ${options.batchRecordsMax}`);
    }
    const parts = {
      storage: this.storage,
      bell: this.bell,
      group: options.group,
      batchRecordsMax: options.batchRecordsMax,
      fillMs: options.fillMs ?? 0,
      failuresMax: this.options.failuresMax ?? 8,
      backoffMs: this.options.backoffMs ?? { first: 100, most: 5_000 },
      onFailure: this.options.onHandlerFailure ?? (() => {}),
    };
    const group = this.groups.get(options.group);
    const consumer = new EmbeddedConsumer(parts, group, options.topics, () =>
      this.consumers.delete(consumer),
    );
    this.consumers.add(consumer);
    return consumer;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async writer(group: string, input: TopicPartition): Promise<TransactionalWriter> {
    this.assertOpen();
    assertGroup(group);
    return EmbeddedWriter.open(this.parts, group, this.catalog.partition(input));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async append(records: readonly OutgoingRecord[]): Promise<CommitReceipt> {
    return appendTransaction(this.parts, records);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port's reader is asynchronous
  async *read(input: TopicPartition, from: number, to?: number): AsyncGenerator<RecordBatch> {
    this.assertOpen();
    const partition = this.catalog.partition(input);
    const end = Math.min(to ?? Number.POSITIVE_INFINITY, this.storage.extent(partition).end);
    const reader = new PartitionReader(this.storage, partition, from);
    for (;;) {
      this.assertOpen();
      const batch = reader.next(READ_RECORDS_MAX, end);
      if (batch === null) return;
      yield batch;
    }
  }

  async *tail(input: TopicPartition, from: number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    this.assertOpen();
    const reader = new PartitionReader(this.storage, this.catalog.partition(input), from);
    const waker = new Waker();
    const stops = [signal, this.closing.signal];
    const wake = (): void => waker.wake();
    const deafen = this.bell.listen(input.topic, input.partition, wake);
    for (const stop of stops) stop.addEventListener('abort', wake);
    try {
      while (!stops.some(({ aborted }) => aborted)) {
        const batch = reader.next(READ_RECORDS_MAX);
        if (batch === null) await waker.sleep();
        else yield batch;
      }
    } finally {
      deafen();
      for (const stop of stops) stop.removeEventListener('abort', wake);
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async committed(group: string, input: TopicPartition): Promise<number | null> {
    this.assertOpen();
    return this.storage.position(group, this.catalog.partition(input));
  }

  /** A commit is one write here: what is committed can be seen. */
  settled(): Promise<void> {
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async ends(topic: string): Promise<readonly PartitionEnds[]> {
    this.assertOpen();
    const found = this.catalog.find(topic);
    return Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({
      partition,
      start: 0,
      end: this.storage.extent(this.catalog.partition({ topic, partition })).end,
    }));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async applyTopics(specs: readonly TopicSpec[], dryRun: boolean): Promise<readonly TopicPlanStep[]> {
    this.assertOpen();
    const steps = this.catalog.apply(specs, dryRun);
    if (!dryRun) this.groups.topicsChanged();
    return steps;
  }

  async dropTopic(topic: string): Promise<void> {
    this.assertOpen();
    const { id, partitions } = this.catalog.topic(topic);
    for (let partition = 0; partition < partitions; partition += 1) {
      const ref = this.catalog.partition({ topic, partition });
      // Bit by bit: a transaction over all of it would stop everybody else.
      while (this.storage.removeSome(ref)) await nextTurn();
    }
    this.parts.environment.transact(() => this.storage.forget(id));
    this.catalog.drop(topic);
  }

  /** Compacts a topic now and to the end, rather than when enough has gathered. */
  async compact(topic: string): Promise<void> {
    this.assertOpen();
    await this.compactor.compact(topic);
  }

  /** Stops the consumers that are still running, ends tails, then closes the files. */
  close(): Promise<void> {
    this.closed ??= this.shutDown();
    return this.closed;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
    this.closing.abort();
    this.notices.close();
    await this.compactor.stop();
    await this.parts.environment.close();
  }

  /** A closed environment takes the process down when it is used, so nothing may reach it. */
  private assertOpen(): void {
    if (this.closing.signal.aborted) throw new Error('the log is closed');
  }
}

function crashProcess(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function assertGroup(group: string): void {
  if (!/^[^\0]{1,249}$/.test(group)) throw new RangeError(`"${group}" is no name of a group`);
}

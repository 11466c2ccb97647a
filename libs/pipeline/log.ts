/** The log port: topics of partitioned, ordered records, read in batches and written in transactions. */

/** A record read from the log. `key` and `value` are views that live only as long as the batch. */
export interface LogRecord {
  /** < 2^48. */
  readonly offset: number;
  /** The broker's append time, ms. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[];
  /** Where reading goes on after this batch; may be beyond the last record (control records). */
  readonly nextOffset: number;
  /** End of what could be read when the batch was fetched; lag = endOffset − nextOffset. */
  readonly endOffset: number;
}

export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | string | null;
  /** Null is a tombstone on a compacted topic. */
  readonly value: Buffer | null;
}

export interface Position extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
}

export interface CommitReceipt {
  /** The largest append time the broker gave to a record of this commit; null if nothing was sent. */
  readonly appendedAt: number | null;
}

/**
 * The transactional writer of one (group, input partition). Opening one fences every older writer of the
 * same pair. Sends are chunked below the topic's size limit; one commit at a time. A log may make one transaction of
 * what several writers of a group commit at about the same time.
 */
export interface TransactionalWriter {
  /**
   * Records and positions become visible together, or not at all.
   * @throws OwnershipLostError   another writer has taken over: discard the partition's memory and rejoin
   * @throws CommitAbortedError   nothing became visible; may be tried again
   * @throws CommitUnknownError   the outcome is not known: re-read the committed position
   */
  commit(transaction: {
    readonly records: readonly OutgoingRecord[];
    readonly positions: readonly Position[];
  }): Promise<CommitReceipt>;
  close(): Promise<void>;
}

export class OwnershipLostError extends Error {
  override readonly name = 'OwnershipLostError';
}
export class CommitAbortedError extends Error {
  override readonly name = 'CommitAbortedError';
}
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
}

export interface BatchControl {
  /** Tells the group, and the member's health, that it is alive; call between steps of long work. */
  heartbeat(): Promise<void>;
  /** True once the partition has been taken away or the consumer is stopping: finish early. */
  isStale(): boolean;
}

/** What a handler may do to a partition that it holds, outside of a batch. */
export interface Assignment {
  /**
   * Says that somebody else has taken the partition over, whatever the group says: the member lets go of it as
   * if a batch had failed with this error, and asks for its share anew. Without effect once it was revoked.
   */
  lost(error: OwnershipLostError): void;
}

export interface ConsumerHandler {
  /** Before the first batch of a partition; answers where to start (null: the committed position, else the start). */
  assigned(partition: TopicPartition, assignment: Assignment): Promise<number | null>;
  /** Batches of one partition come one after the other; those of different partitions may overlap. */
  batch(batch: RecordBatch, control: BatchControl): Promise<void>;
  /** After the last batch of a partition that leaves this member. */
  revoked(partition: TopicPartition): Promise<void>;
}

export interface ConsumerHealth {
  readonly joined: boolean;
  /** When the consumer last asked for records, or a handler last said that it is at work, ms; 0 before. */
  readonly lastPollAt: number;
  readonly assigned: readonly TopicPartition[];
  /** Set when the consumer has given up; the process should exit. */
  readonly crashed: Error | null;
}

export interface LogConsumer {
  /** Joins the group and starts calling the handler; resolves once joined. */
  start(handler: ConsumerHandler): Promise<void>;
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  health(): ConsumerHealth;
  /** Stops polling, lets the batches in hand finish, calls `revoked`, leaves the group. */
  stop(): Promise<void>;
}

/** State of a partition that lies on this machine, whoever has the partition. */
export interface StoredState extends TopicPartition {
  /** Next offset to fold. */
  readonly offset: number;
}

export interface ConsumerOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Records per batch at most. */
  readonly batchRecordsMax: number;
  /**
   * How long records may be held back for their batch to fill up, ms; 0 unless given. For whoever pays by the
   * batch and is not waited for. A log need not hold anything back.
   */
  readonly fillMs?: number;
  /**
   * The batches of a partition that is read to its end begin about this long apart, ms, so that a stream of records
   * makes few of them, and up to twice as long while batches take long; what comes after a silence of this length
   * comes at once. 0 unless given. A log whose transactions cost little need not keep to it.
   */
  readonly paceMs?: number;
  /**
   * Asked whenever the group shares its partitions out: a partition goes to where most of its state is, as far as
   * that leaves all with even shares. Nothing unless given.
   */
  readonly storedStates?: () => readonly StoredState[];
}

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly compacted: boolean;
  /** −1: keep for ever. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
}

export interface TopicPlanStep {
  readonly topic: string;
  readonly action: 'create' | 'alter' | 'none' | 'conflict';
  readonly detail: string;
}

export interface PartitionEnds {
  readonly partition: number;
  readonly start: number;
  /** Next offset to be written (as a read-committed reader sees it). */
  readonly end: number;
}

export interface Log {
  consumer(options: ConsumerOptions): LogConsumer;
  /**
   * Fences older writers of (group, input). Read the committed position after this, and not before: only then is it
   * final.
   */
  writer(group: string, input: TopicPartition): Promise<TransactionalWriter>;
  /** A plain idempotent append outside any transaction. */
  append(records: readonly OutgoingRecord[]): Promise<CommitReceipt>;
  /** Committed records from `from` to the end as of the call (or to `to`, exclusive), outside any group. */
  read(input: TopicPartition, from: number, to?: number): AsyncIterable<RecordBatch>;
  /** Committed records from `from` on, waiting at the end for new ones until `signal` aborts. */
  tail(input: TopicPartition, from: number, signal: AbortSignal): AsyncIterable<RecordBatch>;
  /**
   * Waits for whatever is under way that would move it. Null when the group has committed nothing for this partition
   * (or its offsets have expired).
   */
  committed(group: string, input: TopicPartition): Promise<number | null>;
  /** Empty when the topic does not exist. */
  ends(topic: string): Promise<readonly PartitionEnds[]>;
  /**
   * Resolves once a reader is given everything that was committed to the topic before the call. What is committed
   * behind the transaction of somebody else can be seen only when that one is over.
   */
  settled(topic: string): Promise<void>;
  /** Creates what is missing and widens what may be widened; with `dryRun` only says what it would do. */
  applyTopics(specs: readonly TopicSpec[], dryRun: boolean): Promise<readonly TopicPlanStep[]>;
  /**
   * Deletes a topic with its records and what groups have committed of it. Nobody may be using it. On a cluster the
   * name may stay taken for a while.
   */
  dropTopic(topic: string): Promise<void>;
  close(): Promise<void>;
}

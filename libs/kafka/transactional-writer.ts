import {
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  messageOf,
  type CommitReceipt,
  type OutgoingRecord,
  type Position,
  type TopicPartition,
  type TransactionalWriter,
} from '#pipeline';
import type { ClusterLink } from './cluster-link.js';
import { CODE, isFencing, KafkaCodeError } from './errors.js';
import type { Commit, JointCommits, JointWriter } from './joint-commits.js';
import { persist, type Attempts } from './retry.js';
import { SequencedSender, type ProducerId } from './sequenced-sender.js';
import type { Watch } from './status-board.js';
import type { TopicLimits } from './topic-limits.js';
import { bumpProducerEpoch, endTransaction } from './wire.js';

export interface WriterOptions {
  readonly group: string;
  readonly input: TopicPartition;
  readonly transactionTimeoutMs: number;
  /** Of the group. */
  readonly joint: JointCommits;
  readonly watch: Watch;
  readonly onClosed: () => void;
}

/** What the last transaction has left behind at its coordinator. */
type Remains =
  | 'nothing'
  /** Never asked to commit: certain to become visible to nobody. */
  | 'unfinished'
  /** Asked to commit, without an answer. */
  | 'unanswered';

/**
 * The transactions of one (group, input partition) on KafkaJS's connections. KafkaJS's own producer looks the
 * coordinator up at every step, retries only some of them, and is dead after one failed commit; here every step
 * is retried until the transaction times out, and an epoch of our own (`bumpProducerEpoch`) tells a broken
 * transaction from a lost partition. Commits with a position may go into a transaction with those of the group's
 * other inputs here (`JointCommits`).
 */
export class KafkaTransactionalWriter implements TransactionalWriter, JointWriter {
  private readonly transactionalId: string;
  private readonly closing = new AbortController();
  private remains: Remains = 'nothing';
  private lost: OwnershipLostError | null = null;
  /** What was found out about the last transaction since its caller was told that nobody knows. */
  private untold: CommitUnknownError | null = null;
  private busy: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly link: ClusterLink,
    private readonly limits: TopicLimits,
    private readonly options: WriterOptions,
    private id: ProducerId,
    private sender: SequencedSender,
  ) {
    this.transactionalId = transactionalIdOf(options);
  }

  /**
   * Fences older writers of the pair and waits until the transaction that they may have left open is ended, so
   * that the committed position read afterwards is final.
   */
  static async open(
    link: ClusterLink,
    limits: TopicLimits,
    options: WriterOptions,
    attempts: Attempts,
  ): Promise<KafkaTransactionalWriter> {
    const transactionalId = transactionalIdOf(options);
    const id = await persist(link, attempts, async () => {
      const coordinator = await link.transactionCoordinator(transactionalId);
      const transactionTimeout = options.transactionTimeoutMs;
      return coordinator.initProducerId({ transactionalId, transactionTimeout });
    });
    const sender = new SequencedSender(link, limits, id, transactionalId);
    return new KafkaTransactionalWriter(link, limits, options, id, sender);
  }

  get loss(): OwnershipLostError | null {
    return this.lost;
  }

  get isUnanswered(): boolean {
    return this.remains === 'unanswered';
  }

  commit(commit: Commit): Promise<CommitReceipt> {
    const committed = this.busy.then(() =>
      this.mayJoin(commit) ? this.options.joint.commit(this, commit) : this.transact(commit, []),
    );
    this.busy = committed.catch(() => this.settle());
    return committed;
  }

  /** Without a position there is nothing that who takes over could wait for. */
  private mayJoin({ positions }: Commit): boolean {
    const isOpen = this.lost === null && !this.closing.signal.aborted;
    return positions.length > 0 && this.remains === 'nothing' && this.untold === null && isOpen;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.busy;
    // An open transaction would hold up all readers until its timeout.
    if (this.remains === 'unfinished' && this.lost === null) {
      await this.endTransaction(false, this.attempts(1_000)).catch(() => undefined);
    }
    this.link.close();
    this.options.watch.recovered();
    this.options.onClosed();
  }

  async transact({ records, positions }: Commit, witnesses: readonly JointWriter[]): Promise<CommitReceipt> {
    if (this.lost !== null) throw this.lost;
    if (this.closing.signal.aborted) throw new CommitAbortedError('the writer is closed');
    if (records.length === 0 && positions.length === 0) return { appendedAt: null };
    try {
      this.tell();
      await this.clearRemains();
      return await this.begin(records, positions, witnesses);
    } catch (error) {
      throw this.explain(error);
    }
  }

  private async begin(
    records: readonly OutgoingRecord[],
    positions: readonly Position[],
    witnesses: readonly JointWriter[],
  ): Promise<CommitReceipt> {
    const attempts = this.attempts(this.options.transactionTimeoutMs);
    const lanes = await this.sender.lanes(records);
    this.remains = 'unfinished';
    // Whatever does not wait for the other goes out at once: each step costs a turn of busy event loops and brokers.
    await both(
      lanes.length === 0 ? null : this.addPartitions(lanes, attempts),
      positions.length === 0 ? null : this.addGroup(attempts),
    );
    const appendedAt = await both(
      this.sender.send(lanes, attempts),
      positions.length === 0
        ? null
        : this.sendPositions(positions, attempts).then(() => vouch(witnesses, attempts.deadline)),
    );
    this.remains = 'unanswered';
    await this.endTransaction(true, attempts);
    this.remains = 'nothing';
    return { appendedAt };
  }

  /**
   * Asks the coordinator to end a transaction that there is not, which it refuses for that reason to the newest epoch
   * alone. Whoever takes the input over reads its position after he has taken an epoch himself: he waits for a position
   * that was taken before this question, and the question finds him if it was taken after.
   */
  async assertHeld(deadline: number): Promise<void> {
    if (this.lost !== null) throw new CommitAbortedError(this.lost.message);
    try {
      await this.endTransaction(false, { ...this.attempts(0), deadline });
    } catch (error) {
      // Not as its cause: the transaction is not the one that was fenced.
      throw new CommitAbortedError(this.explain(error).message);
    }
  }

  private async addPartitions(
    lanes: readonly { readonly topic: string; readonly partition: number }[],
    attempts: Attempts,
  ): Promise<void> {
    const topics = [...new Set(lanes.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: lanes.filter((lane) => lane.topic === topic).map(({ partition }) => partition),
    }));
    await persist(this.link, attempts, async () => {
      const coordinator = await this.link.transactionCoordinator(this.transactionalId);
      await coordinator.addPartitionsToTxn({ ...this.identity(), topics });
    });
  }

  private async addGroup(attempts: Attempts): Promise<void> {
    await persist(this.link, attempts, async () => {
      const coordinator = await this.link.transactionCoordinator(this.transactionalId);
      await coordinator.addOffsetsToTxn({ ...this.identity(), groupId: this.options.group });
    });
  }

  private async sendPositions(positions: readonly Position[], attempts: Attempts): Promise<void> {
    const groupId = this.options.group;
    const topics = [...new Set(positions.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: positions
        .filter((position) => position.topic === topic)
        .map(({ partition, offset }) => ({ partition, offset: String(offset) })),
    }));
    await persist(this.link, attempts, async () => {
      const coordinator = await this.link.groupCoordinator(groupId);
      await coordinator.txnOffsetCommit({ ...this.identity(), groupId, topics });
    });
  }

  /**
   * Safe to repeat: the coordinator answers a second asking like the first.
   * @returns false when there was nothing to abort: nothing was begun, or it is over
   */
  private endTransaction(commit: boolean, attempts: Attempts): Promise<boolean> {
    return persist(this.link, attempts, async () => {
      const coordinator = await this.link.transactionCoordinator(this.transactionalId);
      const code = await endTransaction(coordinator, this.identity(), commit);
      if (code === 0) return true;
      if (code === CODE.invalidTxnState && !commit) return false;
      throw new KafkaCodeError(code, 'EndTxn');
    });
  }

  /** @throws CommitUnknownError   once, when the one before had been committed after all */
  private tell(): void {
    const { untold } = this;
    this.untold = null;
    if (untold !== null) throw untold;
  }

  /**
   * Whether a commit went through is to be known soon: until then, its position is neither the old nor the new one
   * for whoever reads it.
   */
  private async settle(): Promise<void> {
    if (this.remains !== 'unanswered' || this.lost !== null || this.closing.signal.aborted) return;
    await this.clearRemains().catch((error: unknown) => {
      if (error instanceof CommitUnknownError) this.untold = error;
    });
  }

  /**
   * Ends what a failed transaction has left, and takes a new epoch, because which of its batches the brokers
   * have counted is not known.
   * @throws CommitUnknownError when it turns out to have been committed after all
   */
  private async clearRemains(): Promise<void> {
    const remains = this.remains;
    if (remains === 'nothing') return;
    const attempts = this.attempts(this.options.transactionTimeoutMs);
    const wasOver = !(await this.endTransaction(false, attempts));
    this.id = await persist(this.link, attempts, async () => {
      const coordinator = await this.link.transactionCoordinator(this.transactionalId);
      return bumpProducerEpoch(coordinator, this.identity(), this.options.transactionTimeoutMs);
    });
    this.sender = new SequencedSender(this.link, this.limits, this.id, this.transactionalId);
    this.remains = 'nothing';
    if (remains === 'unanswered' && wasOver) {
      throw new CommitUnknownError(
        'the transaction before this one had been committed: read the position again',
      );
    }
  }

  private explain(error: unknown): Error {
    if (error instanceof CommitUnknownError || error instanceof CommitAbortedError) return error;
    if (error instanceof RangeError && this.remains === 'nothing') return error;
    const { input, group } = this.options;
    const what = `${group} on ${input.topic}-${input.partition}: ${messageOf(error)}`;
    if (isFencing(error)) {
      this.lost = new OwnershipLostError(`another writer has taken over ${what}`, { cause: error });
      return this.lost;
    }
    if (this.remains === 'unanswered') {
      return new CommitUnknownError(`no answer to the commit of ${what}`, { cause: error });
    }
    return new CommitAbortedError(`the transaction failed, ${what}`, { cause: error });
  }

  private identity(): ProducerId & { readonly transactionalId: string } {
    return { ...this.id, transactionalId: this.transactionalId };
  }

  private attempts(ms: number): Attempts {
    const { watch } = this.options;
    return { deadline: Date.now() + ms, signal: this.closing.signal, watch };
  }
}

/** @throws CommitAbortedError */
async function vouch(witnesses: readonly JointWriter[], deadline: number): Promise<void> {
  const found = await Promise.allSettled(witnesses.map((witness) => witness.assertHeld(deadline)));
  for (const one of found) if (one.status === 'rejected') throw one.reason;
}

/**
 * Waits for both, also after one has failed: nothing may be under way when its transaction is ended.
 * @returns the first
 */
async function both<T>(first: Promise<T> | null, second: Promise<unknown> | null): Promise<T | null> {
  const [one, other] = await Promise.allSettled([first, second]);
  // Of two failures, that the partition is lost is the one to know.
  if (other.status === 'rejected' && isFencing(other.reason)) throw other.reason;
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'rejected') throw other.reason;
  return one.value;
}

function transactionalIdOf({ group, input }: WriterOptions): string {
  return `${group}/${input.topic}/${input.partition}`;
}

import {
  CommitAbortedError,
  CommitUnknownError,
  messageOf,
  type CommitReceipt,
  type TransactionalWriter,
} from '#pipeline';

/** What one input's owner wants to have committed. */
export type Commit = Parameters<TransactionalWriter['commit']>[0];

/** A writer whose commits may be made by another's transaction, and whose transactions may make another's. */
export interface JointWriter {
  /** How it ended with its ownership, if it has lost it. */
  readonly loss: Error | null;
  /** True where a transaction of its own was left behind whose outcome is not known. */
  readonly isUnanswered: boolean;
  /**
   * One transaction of this writer. It is committed only if each of the `witnesses` finds, after its position was
   * taken, that nobody has taken its input over.
   */
  transact(commit: Commit, witnesses: readonly JointWriter[]): Promise<CommitReceipt>;
  /**
   * @param deadline   instant after which nobody waits for the answer any more, ms
   * @throws CommitAbortedError   not (for certain): `loss` says whether somebody has taken over
   */
  assertHeld(deadline: number): Promise<void>;
}

interface Waiting extends Commit {
  readonly writer: JointWriter;
  readonly resolve: (receipt: CommitReceipt) => void;
  readonly reject: (error: unknown) => void;
}

/** Transactions under way at once: while one is answered, the next is filled. */
const UNDER_WAY_MAX = 2;
/** Records that are worth a second transaction while one is under way. */
const RECORDS_WORTH = 2_000;
/** Records in one transaction, about. */
const RECORDS_MAX = 20_000;

/**
 * Makes one transaction of what the owners of several inputs of a group want to commit at about the same time. A
 * transaction costs the same handful of round trips, log entries and markers whether it has one record or a thousand,
 * so what it costs should grow with the time and not with the number of inputs.
 *
 * What waits for a transaction under way goes into the next one. Every writer leads in turn, so that none of the
 * transactional ids expires for want of use. See `docs/adr/0011-joint-transactions.md`.
 */
export class JointCommits {
  private readonly waiting: Waiting[] = [];
  private readonly turns = new WeakMap<JointWriter, number>();
  /** Whose next commit is made alone: one of them may have what makes every transaction fail. */
  private readonly apart = new WeakSet<JointWriter>();
  private underWay = 0;
  private turn = 0;
  private isGathering = false;

  /** @throws as `TransactionalWriter.commit` */
  commit(writer: JointWriter, { records, positions }: Commit): Promise<CommitReceipt> {
    if (this.apart.delete(writer)) return writer.transact({ records, positions }, []);
    return new Promise((resolve, reject) => {
      this.waiting.push({ writer, records, positions, resolve, reject });
      this.gather();
    });
  }

  /** What has come with the same answer of the broker is there one turn of the event loop later. */
  private gather(): void {
    if (this.isGathering || this.waiting.length === 0 || this.underWay >= UNDER_WAY_MAX) return;
    if (this.underWay > 0 && countOf(this.waiting) < RECORDS_WORTH) return;
    this.isGathering = true;
    setImmediate(() => {
      this.isGathering = false;
      void this.next();
    });
  }

  private async next(): Promise<void> {
    this.underWay += 1;
    const parts = this.take();
    this.gather();
    await this.make(parts);
    this.underWay -= 1;
    this.gather();
  }

  private take(): Waiting[] {
    let records = 0;
    const end = this.waiting.findIndex((part) => (records += part.records.length) > RECORDS_MAX);
    return this.waiting.splice(0, end < 0 ? this.waiting.length : Math.max(end, 1));
  }

  /** Never rejects: every part has its own outcome. */
  private async make(parts: readonly Waiting[]): Promise<void> {
    const [leader, ...others] = [...parts].sort((a, b) => this.turnOf(a) - this.turnOf(b));
    if (leader === undefined) return;
    this.turns.set(leader.writer, (this.turn += 1));
    const whole = {
      records: parts.flatMap(({ records }) => records),
      positions: parts.flatMap(({ positions }) => positions),
    };
    const witnesses = others.map(({ writer }) => writer);
    try {
      const receipt = await leader.writer.transact(whole, witnesses);
      for (const part of parts) part.resolve(receipt);
    } catch (error) {
      // Nothing was begun: one of them has a record that fits nowhere.
      if (error instanceof RangeError) await Promise.all(parts.map(alone));
      else {
        if (others.length > 0) for (const { writer } of parts) this.apart.add(writer);
        leader.reject(error);
        for (const part of others) part.reject(shared(error, part.writer, leader.writer));
      }
    }
  }

  private turnOf({ writer }: Waiting): number {
    return this.turns.get(writer) ?? 0;
  }
}

async function alone(part: Waiting): Promise<void> {
  await part.writer.transact(part, []).then(part.resolve, part.reject);
}

/** What the failure of a transaction means for who did not lead it. */
function shared(error: unknown, writer: JointWriter, leader: JointWriter): Error {
  if (writer.loss !== null) return writer.loss;
  const reason = messageOf(error);
  const isUnknown = error instanceof CommitUnknownError || leader.isUnanswered;
  const message = `a transaction of several inputs failed: ${reason}`;
  return isUnknown
    ? new CommitUnknownError(message, { cause: error })
    : new CommitAbortedError(message, { cause: error });
}

function countOf(parts: readonly Commit[]): number {
  return parts.reduce((sum, { records }) => sum + records.length, 0);
}

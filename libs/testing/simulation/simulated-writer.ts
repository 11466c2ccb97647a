import {
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  type CommitReceipt,
  type OutgoingRecord,
  type Position,
  type TransactionalWriter,
} from '#pipeline';
import { FencedError, TransactionStateError, type Broker } from './broker.js';
import type { Life } from './life.js';
import type { Scheduler } from './scheduler.js';

export interface WriterParts {
  readonly scheduler: Scheduler;
  readonly broker: Broker;
  readonly life: Life;
  readonly group: string;
  /** The transactional id. */
  readonly id: string;
}

/** What the last transaction has left behind: the same three that the writer over Kafka tells apart. */
type Remains = 'nothing' | 'unfinished' | 'unanswered';

/** The transactional writer over the simulated broker, step by step as the one over Kafka takes them. */
export class SimulatedWriter implements TransactionalWriter {
  #remains: Remains = 'nothing';
  #lost: OwnershipLostError | null = null;
  #isClosed = false;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly parts: WriterParts,
    private epoch: number,
  ) {}

  commit(transaction: {
    readonly records: readonly OutgoingRecord[];
    readonly positions: readonly Position[];
  }): Promise<CommitReceipt> {
    const { records, positions } = transaction;
    const committed = this.#busy.then(() => this.#commitNext(records, positions));
    this.#busy = committed.catch(() => undefined);
    return committed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#busy;
    if (this.#remains === 'unfinished' && this.#lost === null)
      await this.#end('aborted').catch(() => undefined);
  }

  async #commitNext(
    records: readonly OutgoingRecord[],
    positions: readonly Position[],
  ): Promise<CommitReceipt> {
    if (this.#lost !== null) throw this.#lost;
    if (this.#isClosed) throw new CommitAbortedError('the writer is closed');
    if (records.length === 0 && positions.length === 0) return { appendedAt: null };
    try {
      await this.#clearRemains();
      return await this.#transact(records, positions);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async #transact(
    records: readonly OutgoingRecord[],
    positions: readonly Position[],
  ): Promise<CommitReceipt> {
    const { scheduler, broker, life, group, id } = this.parts;
    // As of now: a request that arrives late bears the epoch that it was sent with.
    const { epoch } = this;
    this.#remains = 'unfinished';
    const send = async (): Promise<number | null> => {
      let appendedAt: number | null = null;
      for (const chunk of chunksOf(records, scheduler.random.between(1, 40))) {
        const what = `${id} sends ${chunk.length}`;
        appendedAt = await scheduler.call(life, 'send', what, () => broker.produce(id, epoch, chunk));
      }
      return appendedAt;
    };
    const sendPositions = async (): Promise<void> => {
      if (positions.length === 0) return;
      const what = `${id} positions ${positions.map(({ offset }) => offset).join()}`;
      await scheduler.call(life, 'positions', what, () => broker.addPositions(id, epoch, group, positions));
    };
    const [sent, offsets] = await Promise.allSettled([send(), sendPositions()]);
    if (offsets.status === 'rejected' && offsets.reason instanceof FencedError) throw offsets.reason;
    if (sent.status === 'rejected') throw sent.reason;
    if (offsets.status === 'rejected') throw offsets.reason;
    this.#remains = 'unanswered';
    await this.#end('committed');
    this.#remains = 'nothing';
    return { appendedAt: sent.value };
  }

  #end(outcome: 'committed' | 'aborted'): Promise<void> {
    const { scheduler, broker, life, id } = this.parts;
    const { epoch } = this;
    return scheduler.call(life, 'end', `${id} ${outcome}`, () => broker.end(id, epoch, outcome));
  }

  /** @throws CommitUnknownError when it turns out that the last transaction was committed after all */
  async #clearRemains(): Promise<void> {
    const remains = this.#remains;
    if (remains === 'nothing') return;
    const { scheduler, broker, life, id } = this.parts;
    let wasOver = false;
    try {
      await this.#end('aborted');
    } catch (error) {
      if (!(error instanceof TransactionStateError)) throw error;
      wasOver = true;
    }
    const { epoch } = this;
    this.epoch = await scheduler.call(life, 'producer', `${id} new epoch`, () => broker.bump(id, epoch));
    this.#remains = 'nothing';
    if (remains === 'unanswered' && wasOver) throw new CommitUnknownError('it had been committed');
  }

  #explain(error: unknown): Error {
    if (error instanceof CommitUnknownError) return error;
    const { id } = this.parts;
    if (error instanceof FencedError) {
      this.#lost = new OwnershipLostError(`another writer has taken over ${id}`, { cause: error });
      return this.#lost;
    }
    if (this.#remains === 'unanswered') return new CommitUnknownError(`no answer to ${id}`, { cause: error });
    return new CommitAbortedError(`the transaction of ${id} failed`, { cause: error });
  }
}

function chunksOf<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let at = 0; at < list.length; at += size) chunks.push(list.slice(at, at + size));
  return chunks;
}

import { CommitUnknownError, messageOf, type CommitReceipt, type OutgoingRecord } from '#pipeline';
import type { ClusterLink } from './cluster-link.js';
import { persist } from './retry.js';
import { SequencedSender } from './sequenced-sender.js';
import type { Watch } from './status-board.js';
import type { TopicLimits } from './topic-limits.js';

/** Appends outside transactions, one call after the other, without repeating what a lost answer leaves open. */
export class IdempotentAppender {
  private sender: SequencedSender | null = null;
  private busy: Promise<unknown> = Promise.resolve();
  private readonly closing = new AbortController();

  constructor(
    private readonly link: ClusterLink,
    private readonly limits: TopicLimits,
    private readonly timeoutMs: number,
    private readonly watch: Watch,
  ) {}

  append(records: readonly OutgoingRecord[]): Promise<CommitReceipt> {
    const appended = this.busy.then(() => this.appendNext(records));
    this.busy = appended.catch(() => undefined);
    return appended;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.busy;
    this.link.close();
  }

  /** @throws CommitUnknownError if no answer came in time: some or all of the records may be there */
  private async appendNext(records: readonly OutgoingRecord[]): Promise<CommitReceipt> {
    if (records.length === 0) return { appendedAt: null };
    const attempts = {
      deadline: Date.now() + this.timeoutMs,
      signal: this.closing.signal,
      watch: this.watch,
    };
    try {
      this.sender ??= await persist(this.link, attempts, () => this.makeSender());
      const lanes = await this.sender.lanes(records);
      return { appendedAt: await this.sender.send(lanes, attempts) };
    } catch (error) {
      this.sender = null;
      if (error instanceof RangeError) throw error;
      throw new CommitUnknownError(`the append was not acknowledged: ${messageOf(error)}`, { cause: error });
    }
  }

  private async makeSender(): Promise<SequencedSender> {
    const broker = await this.link.anyBroker();
    const id = await broker.initProducerId({ transactionTimeout: this.timeoutMs });
    return new SequencedSender(this.link, this.limits, id, null);
  }
}

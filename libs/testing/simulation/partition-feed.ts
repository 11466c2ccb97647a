import {
  OwnershipLostError,
  type Assignment,
  type BatchControl,
  type ConsumerHandler,
  type RecordBatch,
  type TopicPartition,
} from '#pipeline';
import type { LogParts } from './simulated-log.js';

export interface FeedOwner extends LogParts {
  readonly group: string;
  readonly handler: ConsumerHandler;
  readonly batchRecordsMax: number;
  ownershipLost(error: OwnershipLostError): void;
}

const BACKOFF_MS = 100;

/** One assigned partition of a member: assigned, batches one after the other, revoked; after a failure anew. */
export class PartitionFeed {
  #isReleased = false;
  /** Set when the handler has lost the partition, in a batch or outside of one. */
  #lost: OwnershipLostError | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    readonly input: TopicPartition,
    private readonly owner: FeedOwner,
  ) {}

  /** Until it is released. @param after   what has to end before the first call of the handler */
  run(after: Promise<void>): Promise<void> {
    this.#ended = after.then(() => this.#live());
    return this.#ended;
  }

  /** Ends the feed: the handler is told once its work in hand has ended. */
  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#ended;
  }

  get #isStale(): boolean {
    return this.#isReleased || this.#lost !== null;
  }

  async #live(): Promise<void> {
    while (!this.#isStale) {
      try {
        await this.#serve();
      } catch (error) {
        if (error instanceof OwnershipLostError) this.#lose(error);
        else this.owner.onFailure(error, this.#name);
      }
      await this.owner.handler.revoked(this.input).catch((error: unknown) => {
        this.owner.onFailure(error, `${this.#name} leaves`);
      });
      if (!this.#isStale) await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
    }
  }

  async #serve(): Promise<void> {
    const { handler, scheduler, broker, life } = this.owner;
    let isHeld = true;
    const assignment: Assignment = {
      lost: (error) => {
        if (isHeld) this.#lose(error);
      },
    };
    try {
      let position = (await handler.assigned(this.input, assignment)) ?? 0;
      while (!this.#isStale) {
        const from = position;
        const most = scheduler.random.between(1, this.owner.batchRecordsMax);
        const fetched = await scheduler.call(
          life,
          'fetch',
          `fetch ${this.#name} from ${from}`,
          () => broker.read(this.input, from, Infinity, most),
          () => this.#isStale || broker.hasMore(this.input, from),
        );
        if (this.#isStale || fetched.nextOffset === from) continue;
        await this.#offer({ ...this.input, ...fetched });
        position = this.#goesBack(fetched.nextOffset);
      }
    } finally {
      isHeld = false;
    }
  }

  async #offer(batch: RecordBatch): Promise<void> {
    const { scheduler, life } = this.owner;
    const control: BatchControl = {
      heartbeat: () => scheduler.call(life, 'heartbeat', `heartbeat ${this.#name}`, () => undefined),
      isStale: () => this.#isStale,
    };
    try {
      await this.owner.handler.batch(batch, control);
    } finally {
      // Views of a fetch that is over: whoever kept one finds rubbish.
      for (const { key, value } of batch.records) {
        key?.fill(0xee);
        value?.fill(0xee);
      }
    }
  }

  /** Now and then what was handled is offered again, some of it or all. */
  #goesBack(position: number): number {
    const { scheduler } = this.owner;
    if (!scheduler.faults.isOn || !scheduler.random.chance(0.04)) return position;
    const from = Math.max(0, position - scheduler.random.between(1, 30));
    scheduler.trace.note(scheduler.steps, `  ${this.#name} is offered again from ${from}`);
    return from;
  }

  #lose(error: OwnershipLostError): void {
    if (this.#lost !== null) return;
    this.#lost = error;
    this.owner.ownershipLost(error);
  }

  get #name(): string {
    return `${this.owner.group} ${this.input.topic}-${this.input.partition}`;
  }
}

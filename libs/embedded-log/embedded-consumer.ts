import type { ConsumerHandler, ConsumerHealth, LogConsumer, TopicPartition } from '#pipeline';
import type { ConsumerGroup, GroupMember } from './consumer-group.js';
import { PartitionWorker, type WorkerParts } from './partition-worker.js';
import type { PartitionRef } from './topic-catalog.js';

/** A member of a group: one worker per partition it holds. It is started once and stopped once. */
export class EmbeddedConsumer implements LogConsumer, GroupMember {
  private readonly workers = new Map<string, PartitionWorker>();
  private handler: ConsumerHandler | null = null;
  private crashed: Error | null = null;
  private leaving: Promise<void> | null = null;
  private lastPollAt = 0;

  constructor(
    private readonly parts: Omit<WorkerParts, 'onGivenUp'>,
    private readonly group: ConsumerGroup,
    readonly topics: readonly string[],
    private readonly onStopped: (consumer: EmbeddedConsumer) => void,
  ) {}

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async start(handler: ConsumerHandler): Promise<void> {
    if (this.handler !== null) throw new Error(`this consumer of ${this.parts.group} was started before`);
    this.handler = handler;
    this.lastPollAt = Date.now();
    try {
      this.group.join(this);
    } catch (error) {
      this.handler = null;
      throw error;
    }
  }

  take(partition: PartitionRef): void {
    if (this.handler === null) return;
    const parts = { ...this.parts, onGivenUp: (error: Error) => this.crash(error) };
    this.workers.set(keyOf(partition), new PartitionWorker(parts, partition, this.handler));
  }

  async release(partition: PartitionRef): Promise<void> {
    const key = keyOf(partition);
    await this.workers.get(key)?.stop();
    this.workers.delete(key);
  }

  /** Holds until `resume`, or until the partition is assigned anew. */
  pause(partition: TopicPartition): void {
    this.workers.get(keyOf(partition))?.pause();
  }

  resume(partition: TopicPartition): void {
    this.workers.get(keyOf(partition))?.resume();
  }

  health(): ConsumerHealth {
    const joined = this.handler !== null && this.leaving === null;
    if (joined) {
      const busy = [...this.workers.values()].flatMap(({ busySince }) => busySince ?? []);
      this.lastPollAt = Math.min(Date.now(), ...busy);
    }
    return {
      joined,
      lastPollAt: this.lastPollAt,
      assigned: [...this.workers.values()].map(({ partition: { topic, partition } }) => ({
        topic,
        partition,
      })),
      crashed: this.crashed,
    };
  }

  /** Not to be awaited by the handler itself: it waits for the handler. */
  async stop(): Promise<void> {
    await this.leave();
  }

  /** The others take over what this member held; the process is told by `health().crashed`. */
  private crash(error: Error): void {
    this.crashed ??= error;
    void this.leave();
  }

  private leave(): Promise<void> {
    if (this.handler === null) return Promise.resolve();
    this.leaving ??= this.group.leave(this).then(() => this.onStopped(this));
    return this.leaving;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

import type {
  ConsumerHandler,
  ConsumerHealth,
  LogConsumer,
  OwnershipLostError,
  TopicPartition,
} from '#pipeline';
import type { GroupCoordinator, Member } from './group-coordinator.js';
import type { Life } from './life.js';
import { PartitionFeed } from './partition-feed.js';
import type { LogParts } from './simulated-log.js';

/** A member of a simulated group; it does what the consumer over Kafka does when handlers fail. */
export class SimulatedConsumer implements LogConsumer, Member {
  readonly #feeds = new Map<string, PartitionFeed>();
  /** Partitions whose handler is still being told that they are gone. */
  readonly #releasing = new Map<string, Promise<void>>();
  #handler: ConsumerHandler | null = null;
  #isLeaving = false;

  constructor(
    private readonly parts: LogParts,
    private readonly group: GroupCoordinator,
    private readonly batchRecordsMax: number,
  ) {}

  get life(): Life {
    return this.parts.life;
  }

  async start(handler: ConsumerHandler): Promise<void> {
    this.#handler = handler;
    await this.#join();
  }

  take(input: TopicPartition): void {
    const name = nameOf(input);
    if (this.#handler === null || this.#isLeaving || this.#feeds.has(name)) return;
    const feed = new PartitionFeed(input, {
      ...this.parts,
      group: this.group.name,
      handler: this.#handler,
      batchRecordsMax: this.batchRecordsMax,
      ownershipLost: (error) => void this.#rejoin(error),
    });
    this.#feeds.set(name, feed);
    void feed.run(this.#releasing.get(name) ?? Promise.resolve());
  }

  release(input: TopicPartition): Promise<void> {
    const name = nameOf(input);
    const feed = this.#feeds.get(name);
    if (feed === undefined) return this.#releasing.get(name) ?? Promise.resolve();
    this.#feeds.delete(name);
    const before = this.#releasing.get(name) ?? Promise.resolve();
    const released = Promise.all([before, feed.release()]).then(() => undefined);
    this.#releasing.set(name, released);
    return released;
  }

  pause(): void {
    throw new Error('nobody pauses in the simulation');
  }

  resume(): void {
    throw new Error('nobody pauses in the simulation');
  }

  health(): ConsumerHealth {
    return { joined: !this.#isLeaving, lastPollAt: 0, assigned: [], crashed: null };
  }

  async stop(): Promise<void> {
    this.#isLeaving = true;
    await this.#releaseAll();
    await this.#leave();
  }

  #join(): Promise<void> {
    const { scheduler, life } = this.parts;
    return scheduler.call(life, 'join', `join ${this.group.name}`, () => this.group.join(this));
  }

  #leave(): Promise<void> {
    const { scheduler, life } = this.parts;
    return scheduler.call(life, 'join', `leave ${this.group.name}`, () => this.group.leave(this));
  }

  /** A fencing error: somebody else has what this member takes for its own. All of it goes, then it asks anew. */
  async #rejoin(error: OwnershipLostError): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.parts.onFailure(error, this.group.name);
    await this.#releaseAll();
    await this.#leave();
    await new Promise((resolve) => setTimeout(resolve, this.parts.scheduler.random.below(500)));
    this.#isLeaving = false;
    await this.#join();
  }

  async #releaseAll(): Promise<void> {
    for (const feed of [...this.#feeds.values()]) void this.release(feed.input);
    await Promise.all(this.#releasing.values());
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

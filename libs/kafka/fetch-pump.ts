import type { Broker } from 'kafkajs/src/cluster/index.js';
import { Backoff } from './backoff.js';
import type { ClusterLink } from './cluster-link.js';
import { CODE, KafkaCodeError } from './errors.js';
import type { PartitionFeed } from './partition-feed.js';
import { decodeRecordSet } from './record-batch-decoder.js';
import { fetchRecords, type FetchAnswer } from './wire.js';

export interface PumpOwner {
  feeds(): Iterable<PartitionFeed>;
  /** Records have been asked for. */
  polled(): void;
  answered(): void;
  trouble(error: unknown): void;
  /** The position of a feed is not in the log (any more). */
  outOfRange(feed: PartitionFeed, position: number): Promise<void>;
}

const PARTITION_BYTES_MAX = 1024 * 1024;
const IDLE_WAIT_MS = 250;
/** While some partition is busy or keeps its pace: it will want to be asked for soon. */
const BUSY_WAIT_MS = 25;

/**
 * Keeps one fetch under way at each leader, for the partitions that want records. Unlike KafkaJS's fetcher it
 * waits for nobody: a partition whose handler is slow is left out until it has room again.
 */
export class FetchPump {
  private readonly underWay = new Set<number>();
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff(50, 2_000);
  private scheduled = false;
  private turn = 0;

  constructor(
    private readonly link: ClusterLink,
    private readonly owner: PumpOwner,
  ) {}

  /** Looks for partitions that want records; cheap when there are none. */
  poke(): void {
    if (this.scheduled || this.stopping.signal.aborted) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.start();
    });
  }

  stop(): void {
    this.stopping.abort();
  }

  private async start(): Promise<void> {
    const seen = this.link.seen;
    try {
      const leaders = new Map<Broker, PartitionFeed[]>();
      for (const feed of this.owner.feeds()) {
        if (feed.wanted() === null) continue;
        this.owner.polled();
        const leader = await this.link.leaderOf(feed.input.topic, feed.input.partition);
        leaders.set(leader, [...(leaders.get(leader) ?? []), feed]);
      }
      for (const [leader, feeds] of leaders) {
        if (!this.underWay.has(leader.nodeId)) void this.fetchFrom(leader, feeds);
      }
    } catch (error) {
      await this.wait(error, seen);
      this.poke();
    }
  }

  private async fetchFrom(leader: Broker, feeds: readonly PartitionFeed[]): Promise<void> {
    this.underWay.add(leader.nodeId);
    const seen = this.link.seen;
    try {
      await this.fetch(leader, this.rotated(feeds));
      this.backoff.reset();
    } catch (error) {
      await this.wait(error, seen);
    } finally {
      this.underWay.delete(leader.nodeId);
      this.poke();
    }
  }

  private async fetch(leader: Broker, feeds: readonly PartitionFeed[]): Promise<void> {
    const wishes = feeds.flatMap((feed) => {
      const offset = feed.wanted();
      return offset === null ? [] : [{ ...feed.input, offset, feed }];
    });
    if (wishes.length === 0) return;
    const anyBusy = [...this.owner.feeds()].some(({ isBusy, isPacing }) => isBusy || isPacing);
    const limits = { waitMs: anyBusy ? BUSY_WAIT_MS : IDLE_WAIT_MS, partitionBytesMax: PARTITION_BYTES_MAX };
    const answers = await fetchRecords(leader, wishes, limits);
    if (this.stopping.signal.aborted) return;
    this.owner.answered();
    for (const answer of answers) {
      const wish = wishes.find(
        ({ topic, partition }) => topic === answer.topic && partition === answer.partition,
      );
      if (wish !== undefined) await this.take(wish.feed, wish.offset, answer);
    }
  }

  private async take(feed: PartitionFeed, offset: number, answer: FetchAnswer): Promise<void> {
    if (answer.code === CODE.offsetOutOfRange) return this.owner.outOfRange(feed, offset);
    if (answer.code !== 0)
      throw new KafkaCodeError(answer.code, `Fetch of ${answer.topic}-${answer.partition}`);
    const { records, nextOffset } = await decodeRecordSet(answer.bytes, offset, answer.aborted);
    feed.deliver(offset, { records, nextOffset, endOffset: answer.lastStableOffset });
  }

  private async wait(error: unknown, seen: unknown): Promise<void> {
    if (this.stopping.signal.aborted) return;
    this.owner.trouble(error);
    await this.link.forget(error, seen ?? this.link.seen);
    await this.backoff.wait(this.stopping.signal);
  }

  /** Only the first partition of a fetch is certain to get a batch that is larger than the limit. */
  private rotated(feeds: readonly PartitionFeed[]): PartitionFeed[] {
    const from = this.turn++ % feeds.length;
    return [...feeds.slice(from), ...feeds.slice(0, from)];
  }
}

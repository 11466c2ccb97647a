import {
  messageOf,
  type ConsumerHandler,
  type ConsumerHealth,
  type ConsumerOptions,
  type LogConsumer,
  type OwnershipLostError,
  type TopicPartition,
} from '#pipeline';
import { Backoff } from './backoff.js';
import type { ClusterLink } from './cluster-link.js';
import { isTransient } from './errors.js';
import { FetchPump } from './fetch-pump.js';
import { GroupMember, isMembershipLost, isRebalance } from './group-member.js';
import { committedOffset, partitionEnds } from './offsets.js';
import { PartitionFeed, type FeedOwner } from './partition-feed.js';
import { persist } from './retry.js';
import type { Watch } from './status-board.js';

/** Something that an operator has to know: records that should have been read are not in the log any more. */
export interface LogAlarm {
  readonly kind: 'offset-out-of-range';
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  /** What the log has. */
  readonly start: number;
  readonly end: number;
}

export interface KafkaConsumerSettings extends ConsumerOptions {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly failuresMax: number;
  readonly watch: Watch;
  /** The handler has failed, or has lost a partition. */
  onFailure(error: Error): void;
  onAlarm(alarm: LogAlarm): void;
  onStopped(): void;
}

type Ending = 'stop' | 'crash' | 'rebalance' | 'membership-lost' | 'ownership-lost';

const NEW_PARTITIONS_CHECK_MS = 30_000;
const JOIN_PATIENCE_MS = 2_000;

/**
 * A member of a consumer group over KafkaJS's connections. KafkaJS's own consumer cannot await what a rebalance
 * asks for, reads all partitions of a broker in step and ends in states from which only a new process recovers;
 * this one calls `assigned` and `revoked` in order, keeps what it keeps through a rebalance, and goes on after
 * whatever passes by itself.
 */
export class KafkaConsumer implements LogConsumer {
  private readonly feeds = new Map<string, PartitionFeed>();
  /** Partitions whose handler is still being told that they are gone. */
  private readonly releasing = new Map<string, Promise<void>>();
  private readonly member: GroupMember;
  private readonly pump: FetchPump;
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff(100, 5_000);
  private wake: () => void = () => undefined;
  private ended: Promise<void> | null = null;
  private ending: Ending | null = null;
  private joined = false;
  private isJoining = true;
  private lastPollAt = 0;
  private crash: Error | null = null;

  constructor(
    private readonly link: ClusterLink,
    private readonly settings: KafkaConsumerSettings,
  ) {
    this.member = new GroupMember(link, settings);
    this.pump = new FetchPump(link, {
      feeds: () => this.feeds.values(),
      polled: () => (this.lastPollAt = Date.now()),
      answered: () => settings.watch.recovered(),
      trouble: (error) => settings.watch.trouble(error),
      outOfRange: (feed, position) => this.outOfRange(feed, position),
    });
  }

  async start(handler: ConsumerHandler): Promise<void> {
    if (this.ended !== null) throw new Error('a consumer starts once');
    await new Promise<void>((resolve) => {
      this.ended = this.live(this.ownerOf(handler), resolve)
        .catch((error: unknown) => this.giveUp(new Error(messageOf(error), { cause: error })))
        .finally(resolve);
    });
    if (this.crash !== null) throw this.crash;
  }

  pause(partition: TopicPartition): void {
    this.feeds.get(nameOf(partition))?.pause();
  }

  resume(partition: TopicPartition): void {
    this.feeds.get(nameOf(partition))?.resume();
  }

  health(): ConsumerHealth {
    return {
      joined: this.joined,
      lastPollAt: this.lastPollAt,
      assigned: [...this.feeds.values()].map(({ input }) => input),
      crashed: this.crash,
    };
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.end('stop');
    // A join that waits for other members must not hold up the end.
    const patience = this.isJoining ? setTimeout(() => this.link.close(), JOIN_PATIENCE_MS) : undefined;
    await this.ended;
    clearTimeout(patience);
    this.link.close();
    this.settings.watch.recovered();
    this.settings.onStopped();
  }

  private async live(owner: FeedOwner, onJoined: () => void): Promise<void> {
    while (this.ending !== 'stop' && this.ending !== 'crash') {
      try {
        this.isJoining = true;
        await this.join(owner);
        this.isJoining = false;
        onJoined();
        const ending = await this.beat();
        await this.whileBeating(this.freezeAll());
        await this.afterwards(ending);
      } catch (error) {
        await this.joinFailed(error);
      }
    }
    this.joined = false;
    this.pump.stop();
    await this.whileBeating(this.freezeAll());
    await this.whileBeating(this.releaseAll());
    await this.member.leave().catch(() => undefined);
    if (this.crash !== null) this.link.close();
  }

  private async join(owner: FeedOwner): Promise<void> {
    const held = [...this.feeds.values()].map(({ input }) => input);
    const { shares, keepsHeld } = await this.member.join(held, this.settings.storedStates?.() ?? []);
    const mine = new Set(shares.map(nameOf));
    for (const [name, feed] of this.feeds) {
      if (keepsHeld && mine.has(name)) feed.thaw();
      else this.release(name, feed);
    }
    for (const input of shares) {
      const name = nameOf(input);
      if (this.feeds.has(name)) continue;
      const feed = new PartitionFeed(input, owner);
      this.feeds.set(name, feed);
      feed.open(this.releasing.get(name));
    }
    if (this.ending === 'rebalance') this.ending = null;
    this.joined = true;
    this.lastPollAt = Date.now();
    this.settings.watch.recovered();
    this.pump.poke();
  }

  private async joinFailed(error: unknown): Promise<void> {
    if (this.stopping.signal.aborted) return;
    if (isMembershipLost(error)) {
      await this.afterwards('membership-lost');
    } else if (!isRebalance(error)) {
      this.settings.watch.trouble(error);
      if (!isTransient(error)) {
        this.giveUp(
          new Error(`cannot join group ${this.settings.group}: ${messageOf(error)}`, { cause: error }),
        );
        return;
      }
      this.joined = false;
      await this.link.forget(error, this.link.seen);
    }
    await this.backoff.wait(this.stopping.signal);
  }

  private async afterwards(ending: Ending): Promise<void> {
    if (ending !== 'membership-lost' && ending !== 'ownership-lost') return;
    this.joined = false;
    await this.whileBeating(this.releaseAll());
    if (ending === 'ownership-lost') await this.member.leave().catch(() => undefined);
    this.member.forgetMembership();
    if (this.ending === ending) this.ending = null;
    if (ending === 'ownership-lost') await this.backoff.wait(this.stopping.signal);
  }

  /** Stays in the group until something asks for more than a heartbeat. */
  private async beat(): Promise<Ending> {
    let checkedAt = Date.now();
    for (;;) {
      await this.nextBeat();
      if (this.ending !== null) return this.ending;
      const seen = this.link.seen;
      try {
        await this.member.heartbeat();
        this.backoff.reset();
        if (![...this.feeds.values()].some((feed) => feed.isBusy || feed.wanted() !== null))
          this.lastPollAt = Date.now();
        if (Date.now() - checkedAt > NEW_PARTITIONS_CHECK_MS) {
          checkedAt = Date.now();
          if (await this.member.hasNewPartitions()) return 'rebalance';
        }
      } catch (error) {
        if (isRebalance(error)) return 'rebalance';
        if (isMembershipLost(error)) return 'membership-lost';
        this.settings.watch.trouble(error);
        await this.link.forget(error, seen ?? this.link.seen);
      }
    }
  }

  private nextBeat(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.settings.sessionTimeoutMs / 5);
      this.wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (this.ending !== null) this.wake();
    });
  }

  /** Stays a member while handlers finish, but no longer than the group would wait. */
  private async whileBeating(work: Promise<unknown>): Promise<void> {
    const beat = setInterval(
      () => void this.member.heartbeat().catch(() => undefined),
      this.settings.sessionTimeoutMs / 5,
    );
    let patience: NodeJS.Timeout | undefined;
    const over = new Promise((resolve) => {
      patience = setTimeout(resolve, this.settings.rebalanceTimeoutMs * 0.8);
    });
    await Promise.race([work, over]);
    clearInterval(beat);
    clearTimeout(patience);
  }

  private async freezeAll(): Promise<void> {
    await Promise.all([...this.feeds.values()].map((feed) => feed.freeze()));
  }

  private async releaseAll(): Promise<void> {
    for (const [name, feed] of this.feeds) this.release(name, feed);
    await Promise.all(this.releasing.values());
  }

  private release(name: string, feed: PartitionFeed): void {
    this.feeds.delete(name);
    const released = feed.release().finally(() => this.releasing.delete(name));
    this.releasing.set(name, released);
  }

  private end(ending: Ending): void {
    if (this.ending !== 'stop' && this.ending !== 'crash') this.ending = ending;
    this.wake();
  }

  private giveUp(error: Error): void {
    this.crash ??= error;
    this.end('crash');
  }

  private async outOfRange(feed: PartitionFeed, position: number): Promise<void> {
    const ends = await partitionEnds(this.link, feed.input);
    if (position >= ends.start && position <= ends.end) return;
    this.settings.onAlarm({
      kind: 'offset-out-of-range',
      group: this.settings.group,
      ...feed.input,
      position,
      start: ends.start,
      end: ends.end,
    });
    const where = `${nameOf(feed.input)} at ${position}, where the log has ${ends.start} to ${ends.end}`;
    if (position > ends.end) this.giveUp(new Error(`another log, or a truncated one: reading ${where}`));
    else feed.moveTo(ends.start);
  }

  private ownerOf(handler: ConsumerHandler): FeedOwner {
    const { group, batchRecordsMax, paceMs = 0, failuresMax } = this.settings;
    return {
      handler,
      batchRecordsMax,
      paceMs,
      failuresMax,
      startOf: async (input) => {
        const attempts = { deadline: Infinity, signal: this.stopping.signal };
        const committed = await persist(this.link, attempts, () => committedOffset(this.link, group, input));
        return committed ?? (await persist(this.link, attempts, () => partitionEnds(this.link, input))).start;
      },
      alive: () => (this.lastPollAt = Date.now()),
      changed: () => this.pump.poke(),
      failed: (input, error) => this.settings.onFailure(new HandlerError(input, error)),
      ownershipLost: (error: OwnershipLostError) => {
        this.settings.onFailure(error);
        this.end('ownership-lost');
      },
      crashed: (error) => this.giveUp(error),
    };
  }
}

class HandlerError extends Error {
  override readonly name = 'HandlerError';
  constructor(input: TopicPartition, cause: unknown) {
    super(`the handler of ${nameOf(input)} failed: ${messageOf(cause)}`, { cause });
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

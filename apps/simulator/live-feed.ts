import { SOURCE_TOPICS, type SourceEncoder } from '#contracts';
import { personKey, type SourceTouchpoint } from '#domain';
import { partitionOf, type Log, type OutgoingRecord } from '#pipeline';
import type { PromotionNight, Scene } from './night/promotion-night.js';
import { SeededRandom } from './night/seeded-random.js';
import { spoil } from './spoil.js';

/** Where the night is produced to. */
export interface FeedTarget {
  readonly log: Log;
  readonly encoder: SourceEncoder;
}

export interface FeedSettings {
  readonly eventsPerSecond: number;
  readonly seed: number;
  /** Told when the log cannot be written; the events of that moment are lost, as with a real producer's buffer. */
  readonly onError: (error: unknown) => void;
}

const STEP_MS = 500;
/** Most sessions are shorter. */
const SESSION_MS = 90_000;
const LATE_RATE = 0.01;
const LATE_MEAN_MS = 120_000;
const BAD_RATE = 0.001;
/** Sent twice, as by a producer that has missed the acknowledgement. */
const REPEAT_RATE = 0.01;

/** The night itself: events produced to the source topics as they happen, some late, a few broken. */
export class LiveFeed {
  readonly #random: SeededRandom;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #isIdle = true;
  #to = 0;
  #produced = 0;
  #left: readonly SourceTouchpoint[] = [];

  constructor(
    private readonly target: FeedTarget,
    private readonly night: PromotionNight,
    private readonly settings: FeedSettings,
  ) {
    this.#random = new SeededRandom(settings.seed ^ 0x5bd1e995);
  }

  /** Records produced so far, repeated ones included. */
  get produced(): number {
    return this.#produced;
  }

  async start(): Promise<void> {
    const partitions = new Map<string, number>();
    for (const topic of Object.values(SOURCE_TOPICS)) {
      partitions.set(topic, (await this.target.log.ends(topic)).length);
    }
    this.#to = Date.now();
    const run = `l${this.#to.toString(36)}`;
    const begun = this.#to - SESSION_MS;
    // Without this every start would play the same night again, and nothing would be news.
    this.night.reseed((this.settings.seed ^ this.#to) >>> 0);
    // What the history has left over; then sessions that are under way when the night begins.
    this.#left = this.night.between(begun, begun, this.#scene(run));
    this.night.between(begun, this.#to, this.#scene(run));
    this.#timer = setInterval(() => {
      if (!this.#isIdle) return;
      this.#isIdle = false;
      this.#running = this.#step(run, partitions)
        .catch(this.settings.onError)
        .finally(() => {
          this.#isIdle = true;
        });
    }, STEP_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#running;
  }

  async #step(run: string, partitions: ReadonlyMap<string, number>): Promise<void> {
    const from = this.#to;
    this.#to = Date.now();
    const events = [...this.#left, ...this.night.between(from, this.#to, this.#scene(run))];
    this.#left = [];
    const records = events.flatMap((event) => {
      const record = this.#record(event, partitions);
      return this.#random.chance(REPEAT_RATE) ? [record, record] : [record];
    });
    if (records.length > 0) await this.target.log.append(records);
    this.#produced += records.length;
  }

  #scene(run: string): Scene {
    const { eventsPerSecond } = this.settings;
    return { run, origin: 'LIVE', isPromotion: true, eventsPerSecond };
  }

  #record(event: SourceTouchpoint, partitions: ReadonlyMap<string, number>): OutgoingRecord {
    const topic = SOURCE_TOPICS[event.type];
    const key = personKey(event.brand, event.person ?? '');
    const partition = partitionOf(key, partitions.get(topic) ?? 1);
    const late = this.#random.chance(LATE_RATE) ? Math.floor(this.#random.exponential(LATE_MEAN_MS)) : 0;
    // What the history left over for later, refunds above all, is sent live like all the rest.
    const sent = { ...event, origin: 'LIVE', occurredAt: event.occurredAt - late, sentAt: this.#to } as const;
    const encode = (one: SourceTouchpoint): Buffer => this.target.encoder.encode(one);
    const value = this.#random.chance(BAD_RATE) ? spoil(sent, encode, this.#random) : encode(sent);
    return { topic, partition, key, value };
  }
}

import { SOURCE_TOPICS } from '#contracts';
import { personKey, type SourceTouchpoint } from '#domain';
import { partitionOf, type OutgoingRecord } from '#pipeline';
import { type Platform } from '#platform';
import { type PromotionNight } from './night/promotion-night.js';
import { SeededRandom } from './night/seeded-random.js';
import { spoil } from './spoil.js';

export interface FeedSettings {
  readonly eventsPerSecond: number;
  readonly seed: number;
  /** Told when the log cannot be written; the events of that moment are lost, as with a real producer's buffer. */
  readonly onError: (error: unknown) => void;
}

const STEP_MS = 500;
const LATE_RATE = 0.01;
const LATE_MEAN_MS = 120_000;
const BAD_RATE = 0.001;

/** The night itself: events produced to the source topics as they happen, some late, a few broken. */
export class LiveFeed {
  readonly #random: SeededRandom;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #isIdle = true;
  #to = 0;
  #produced = 0;

  constructor(
    private readonly platform: Platform,
    private readonly night: PromotionNight,
    private readonly settings: FeedSettings,
  ) {
    this.#random = new SeededRandom(settings.seed ^ 0x5bd1e995);
  }

  /** Events produced so far. */
  get produced(): number {
    return this.#produced;
  }

  async start(): Promise<void> {
    const partitions = new Map<string, number>();
    for (const topic of Object.values(SOURCE_TOPICS)) {
      partitions.set(topic, await this.platform.partitionsOf(topic));
    }
    this.#to = Date.now();
    const run = `l${this.#to.toString(36)}`;
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
    const { eventsPerSecond } = this.settings;
    const scene = { run, origin: 'LIVE', isPromotion: true, eventsPerSecond } as const;
    const events = this.night.between(from, this.#to, scene);
    const records = events.map((event) => this.#record(event, partitions));
    if (records.length > 0) await this.platform.log.append(records);
    this.#produced += records.length;
  }

  #record(event: SourceTouchpoint, partitions: ReadonlyMap<string, number>): OutgoingRecord {
    const topic = SOURCE_TOPICS[event.type];
    const key = personKey(event.brand, event.person ?? '');
    const partition = partitionOf(key, partitions.get(topic) ?? 1);
    const late = this.#random.chance(LATE_RATE) ? Math.floor(this.#random.exponential(LATE_MEAN_MS)) : 0;
    const sent = { ...event, occurredAt: event.occurredAt - late, sentAt: this.#to };
    const encode = (one: SourceTouchpoint): Buffer => this.platform.codecs().sourceEncoder.encode(one);
    const value = this.#random.chance(BAD_RATE) ? spoil(sent, encode, this.#random) : encode(sent);
    return { topic, partition, key, value };
  }
}

/** The promotion as producers send it: one night by its seed, one in a hundred late, one in a hundred twice. */
import { SOURCE_TOPICS, type SourceEncoder } from '#contracts';
import { personKey, type SourceTouchpoint } from '#domain';
import { partitionOf, type Log, type OutgoingRecord } from '#pipeline';
import type { PromotionNight } from '../../apps/simulator/night/promotion-night.js';
import { SeededRandom } from '../../apps/simulator/night/seeded-random.js';
import type { PromotionOptions } from './promotion-options.js';

const STEP_MS = 250;
const LATE_RATE = 0.01;
const REPEAT_RATE = 0.01;
/** A repetition comes at once, or some steps later. */
const REPEAT_STEPS_MAX = 40;
const MINUTE = 60_000;
const DAY = 86_400_000;

export interface FeedCounts {
  /** Touchpoints, each counted once. */
  events: number;
  late: number;
  repeated: number;
  /** Latest event time, ms. */
  lastAt: number;
}

export class PromotionFeed {
  readonly counts: FeedCounts = { events: 0, late: 0, repeated: 0, lastAt: 0 };
  readonly #random: SeededRandom;
  readonly #again = new Map<number, OutgoingRecord[]>();
  #partitions: ReadonlyMap<string, number> = new Map();
  #step = 0;

  constructor(
    private readonly log: Log,
    private readonly encoder: SourceEncoder,
    private readonly night: PromotionNight,
    private readonly options: Pick<PromotionOptions, 'seed' | 'events' | 'eventsPerSecond'>,
  ) {
    this.#random = new SeededRandom(options.seed ^ 0x5bd1e995);
  }

  /** Sends all there is to send, no faster than it happens. */
  async run(onStep: (counts: FeedCounts) => void): Promise<void> {
    const { events, eventsPerSecond, seed } = this.options;
    const partitions = new Map<string, number>();
    for (const topic of Object.values(SOURCE_TOPICS)) {
      partitions.set(topic, (await this.log.ends(topic)).length);
    }
    this.#partitions = partitions;
    const scene = { run: 'p', origin: 'LIVE', isPromotion: true, eventsPerSecond } as const;
    let to = Date.now();
    // What the history has left over for later; its pace was another one.
    const left = this.night.between(to, to, scene);
    this.night.reseed(seed ^ 0x2545f491);
    await this.#send(left);
    while (this.counts.events < events) {
      const from = to;
      to += STEP_MS;
      await pause(to - Date.now());
      const happened = this.night.between(from, to, scene);
      await this.#send(happened.slice(0, events - this.counts.events));
      onStep(this.counts);
    }
    while (this.#again.size > 0) await this.#send([]);
  }

  async #send(events: readonly SourceTouchpoint[]): Promise<void> {
    const sentAt = Date.now();
    const records = events.map((event) => this.#record(event, sentAt));
    const again = this.#again.get(this.#step) ?? [];
    this.#again.delete(this.#step);
    this.#step += 1;
    this.counts.events += events.length;
    this.counts.repeated += again.length;
    if (records.length + again.length > 0) await this.log.append([...records, ...again]);
  }

  #record(event: SourceTouchpoint, sentAt: number): OutgoingRecord {
    const late = this.#random.chance(LATE_RATE) ? this.#lateMs() : 0;
    if (late > 0) this.counts.late += 1;
    const sent = { ...event, origin: 'LIVE', occurredAt: event.occurredAt - late, sentAt } as const;
    const topic = SOURCE_TOPICS[event.type];
    const key = personKey(event.brand, event.person ?? '');
    const partition = partitionOf(key, this.#partitions.get(topic) ?? 1);
    const record = { topic, partition, key, value: this.encoder.encode(sent) };
    this.counts.lastAt = Math.max(this.counts.lastAt, sent.occurredAt);
    if (this.#random.chance(REPEAT_RATE)) {
      const step = this.#step + this.#random.below(REPEAT_STEPS_MAX);
      const others = this.#again.get(step);
      if (others === undefined) this.#again.set(step, [record]);
      else others.push(record);
    }
    return record;
  }

  /** Mostly a bad connection; now and then a shop that sends its afternoon, or a phone that was off for days. */
  #lateMs(): number {
    const random = this.#random;
    const kind = random.next();
    if (kind < 0.98) return 1 + Math.floor(random.exponential(2 * MINUTE));
    if (kind < 0.998) return Math.floor(random.exponential(40 * MINUTE));
    return random.below(12 * DAY);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

import { SOURCE_TOPICS, type SourceEncoder } from '#contracts';
import type { SourceTouchpoint } from '#domain';
import { sourceJoin, sourceOrder, sourceVisit } from '../source-kit.js';
import type { Broker } from './broker.js';
import type { SeededRandom } from './seeded-random.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The topics that the traffic goes to, one partition each. */
export const TRAFFIC_TOPICS = [SOURCE_TOPICS.relation, SOURCE_TOPICS.order, SOURCE_TOPICS.visit] as const;

/** Producers: members, orders and visits of a few persons, late and repeated ones among them, and rubbish. */
export class Traffic {
  #events = 0;
  readonly #sent: SourceTouchpoint[] = [];

  constructor(
    private readonly broker: Broker,
    private readonly encoder: SourceEncoder,
    private readonly random: SeededRandom,
    private left: number,
  ) {}

  get isOver(): boolean {
    return this.left <= 0;
  }

  /** A few events arrive now. @param now   the broker's clock, ms */
  burst(now: number): void {
    for (let count = this.random.between(1, 6); count > 0 && !this.isOver; count -= 1) {
      this.left -= 1;
      if (this.random.chance(0.05)) this.#rubbish();
      else this.#send(this.random.chance(0.08) ? this.#again(now) : this.#event(now));
    }
  }

  /** How long until more comes, ms. */
  pause(): number {
    const { random } = this;
    // After weeks of silence persons are forgotten.
    if (this.isOver && random.chance(0.2)) return random.between(10, 30) * 24 * HOUR;
    if (random.chance(0.5)) return random.below(5_000);
    return random.chance(0.6) ? random.below(10 * HOUR) : random.below(120 * HOUR);
  }

  #send(event: SourceTouchpoint): void {
    this.#sent.push(event);
    this.#append(SOURCE_TOPICS[event.type], this.encoder.encode(event));
  }

  #append(topic: string, value: Buffer | null): void {
    this.broker.append([{ topic, partition: 0, key: null, value }]);
  }

  #rubbish(): void {
    const topic = this.random.pick(TRAFFIC_TOPICS);
    this.#append(topic, this.random.chance(0.3) ? null : Buffer.from(`rubbish ${this.random.below(1_000)}`));
  }

  /** The same event once more, or one of the same id that says something else. */
  #again(now: number): SourceTouchpoint {
    if (this.#sent.length === 0) return this.#event(now);
    const event = this.random.pick(this.#sent);
    const again = { ...event, sentAt: now };
    if (again.type !== 'order' || this.random.chance(0.6)) return again;
    return { ...again, amountMinor: (again.amountMinor ?? 0) + this.random.below(3) };
  }

  #event(now: number): SourceTouchpoint {
    const { random } = this;
    this.#events += 1;
    const occurredAt = now - this.#delay();
    const head = {
      eventId: `e${this.#events}`,
      ...{ occurredAt, sentAt: now },
      brand: random.pick(['b1', 'b1', 'b2']),
      person: random.chance(0.02) ? '' : `p${random.below(5)}`,
      channel: random.pick([null, 'live', 'group']),
    };
    const what = random.below(100);
    if (what < 30) return sourceJoin({ ...head, on: random.chance(0.75) });
    // Some come by and are never heard of again.
    if (what < 40) return sourceVisit({ ...head, person: `v${random.below(4)}` });
    if (what < 45) return sourceVisit(head);
    const order = {
      ...head,
      orderId: `${head.person}-o${random.below(6)}`,
      lineId: random.pick(['1', '1', '2']),
    };
    const amountMinor = random.pick([0, 50, 100, 100, -1]);
    if (what < 80) return sourceOrder({ ...order, amountMinor });
    if (what < 84) return sourceOrder({ ...order, orderId: `g${this.#events}`, person: null, amountMinor });
    return sourceOrder({
      ...{ ...order, amountMinor, kind: 'REFUNDED', full: random.chance(0.5) },
      refundId: `r${random.below(3)}`,
    });
  }

  #delay(): number {
    const { random } = this;
    if (random.chance(0.7)) return random.below(1_000);
    return random.chance(0.7) ? random.below(HOUR) : random.below(60 * HOUR);
  }
}

/** A plain kafkajs producer that goes on whatever happens: members, orders, refunds, visits, repetitions and rubbish. */
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { SOURCE_TOPICS, type SourceEncoder, type SourceKind } from '#contracts';
import type { SourceTouchpoint } from '#domain';
import type { ChaosOptions } from './chaos-options.js';
import type { SeededRandom } from '../../libs/testing/simulation/seeded-random.js';
import { sourceEngagement, sourceJoin, sourceOrder, sourceVisit } from '../../libs/testing/source-kit.js';

const ROUND_MS = 100;
const RETRY_MS = 200;
const MINUTE_MS = 60_000;
export const CHAOS_BRANDS = ['b1', 'b1', 'b2'] as const;

interface Message {
  readonly topic: string;
  readonly key: string | null;
  readonly value: Buffer | null;
}

export class ChaosTraffic {
  /** When each probe was sent first, ms: a new member, whose tier has to change at once. */
  readonly probes = new Map<string, number>();
  /** Records that a broker has acknowledged. */
  acknowledged = 0;
  /** Sends that failed, and were repeated whole. */
  failedSends = 0;
  readonly #producer: Producer;
  readonly #sent: SourceTouchpoint[] = [];
  #events = 0;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(
    brokers: readonly string[],
    private readonly encoder: SourceEncoder,
    private readonly random: SeededRandom,
    private readonly load: Pick<ChaosOptions, 'eventsPerSecond' | 'persons'>,
  ) {
    const kafka = new Kafka({
      ...{ brokers: [...brokers], clientId: 'plain', logLevel: logLevel.NOTHING },
      // What a dead broker was asked is asked again soon.
      ...{ requestTimeout: 3_000, connectionTimeout: 1_000 },
    });
    this.#producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: 1, initialRetryTime: 50 },
    });
  }

  async start(): Promise<void> {
    await this.#producer.connect();
    this.#running = this.#run();
  }

  /** The last round is sent, whatever it takes. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await this.#producer.disconnect();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now();
      await this.#send(this.#round());
      await pause(ROUND_MS - (performance.now() - began));
    }
  }

  async #send(messages: readonly Message[]): Promise<void> {
    const topicMessages = [...new Set(messages.map(({ topic }) => topic))].map((topic) => ({
      topic,
      messages: messages.filter((one) => one.topic === topic),
    }));
    for (;;) {
      try {
        await this.#producer.sendBatch({ topicMessages, acks: -1 });
        this.acknowledged += messages.length;
        return;
      } catch {
        // Parts of it may be there already: then they are there twice, which is what a producer does.
        this.failedSends += 1;
        await pause(RETRY_MS);
      }
    }
  }

  #round(): Message[] {
    const now = Date.now();
    const count = Math.max(1, Math.round((this.load.eventsPerSecond * ROUND_MS) / 1_000));
    const messages = Array.from({ length: count }, () => this.#next(now));
    this.#events += 1;
    const eventId = `probe-${this.#events}`;
    const probe = sourceJoin({ eventId, brand: 'b1', person: eventId, occurredAt: now, sentAt: now });
    this.probes.set(eventId, now);
    return [...messages, this.#message(probe)];
  }

  #next(now: number): Message {
    const { random } = this;
    if (random.chance(0.02)) return this.#rubbish();
    const event = random.chance(0.04) && this.#sent.length > 0 ? this.#again(now) : this.#event(now);
    this.#sent.push(event);
    if (this.#sent.length > 5_000) this.#sent.splice(0, 2_500);
    return this.#message(event);
  }

  #rubbish(): Message {
    const kind = this.random.pick<SourceKind>(['order', 'relation', 'visit']);
    const value = this.random.chance(0.3) ? null : Buffer.from(`rubbish ${this.random.below(1_000)}`);
    return { topic: SOURCE_TOPICS[kind], key: null, value };
  }

  #message(event: SourceTouchpoint): Message {
    return { topic: SOURCE_TOPICS[event.type], key: event.person, value: this.encoder.encode(event) };
  }

  #again(now: number): SourceTouchpoint {
    const again = { ...this.random.pick(this.#sent), sentAt: now };
    if (again.type !== 'order' || this.random.chance(0.6)) return again;
    return { ...again, amountMinor: (again.amountMinor ?? 0) + this.random.below(3) };
  }

  #event(now: number): SourceTouchpoint {
    const { random } = this;
    this.#events += 1;
    const head = {
      eventId: `e${this.#events}`,
      occurredAt: now - this.#delay(),
      sentAt: now,
      brand: random.pick(CHAOS_BRANDS),
      person: `p${random.below(this.load.persons)}`,
      channel: random.pick([null, 'live', 'group']),
    };
    const what = random.below(100);
    if (what < 25) return sourceJoin({ ...head, on: random.chance(0.75) });
    if (what < 45) return sourceVisit(head);
    if (what < 55) return sourceEngagement(head);
    const order = { ...head, orderId: `${head.person}-o${random.below(20)}` };
    if (what < 88) return sourceOrder({ ...order, amountMinor: random.pick([0, 50, 100, -1]) });
    if (what < 92) return sourceOrder({ ...order, orderId: `g${this.#events}`, person: null });
    return sourceOrder({
      ...order,
      ...{ amountMinor: 50, kind: 'REFUNDED', full: random.chance(0.5), refundId: `r${random.below(3)}` },
    });
  }

  #delay(): number {
    const { random } = this;
    if (random.chance(0.85)) return random.below(1_000);
    return random.chance(0.7) ? random.below(20 * MINUTE_MS) : random.below(60 * 60 * MINUTE_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

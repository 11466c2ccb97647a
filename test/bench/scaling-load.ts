/** A steady stream of people who join, as many in each partition of the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Kafka, type Producer } from 'kafkajs';
import type { SourceEncoder } from '#contracts';
import { personKey } from '#domain';
import { partitionOf } from '#pipeline';
import { sourceJoin } from '../../libs/testing/source-kit.js';
import type { BenchOptions } from './bench-options.js';
import { send } from './latency.js';

/** A touchpoint whose tier changes are waited for. */
export interface Probe {
  readonly id: string;
  /** Of the log. */
  readonly partition: number;
  /** When it was handed to the producer, ms. */
  readonly at: number;
}

const BRAND = 'b1';
const ROUND_MS = 50;

export class ScalingLoad {
  readonly #probes: Probe[] = [];
  #next = 0;
  #isStopped = false;
  readonly #running: Promise<void>;

  private constructor(
    private readonly producer: Producer,
    private readonly encoder: SourceEncoder,
    private readonly partitions: number,
    private readonly seed: number,
  ) {
    this.#running = this.#run();
  }

  static async start(
    kafka: Kafka,
    encoder: SourceEncoder,
    partitions: number,
    { seed }: BenchOptions,
  ): Promise<ScalingLoad> {
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    return new ScalingLoad(producer, encoder, partitions, seed);
  }

  get perSecond(): number {
    return (this.partitions * 1_000) / ROUND_MS;
  }

  /** @returns all that were sent */
  async stop(): Promise<readonly Probe[]> {
    this.#isStopped = true;
    await this.#running;
    await this.producer.disconnect();
    return this.#probes;
  }

  async #run(): Promise<void> {
    const began = performance.now();
    for (let round = 1; !this.#isStopped; round += 1) {
      const at = Date.now();
      const probes = Array.from({ length: this.partitions }, (_, partition) =>
        this.#inPartition(partition, at),
      );
      const events = probes.map(({ id }) =>
        sourceJoin({ eventId: id, brand: BRAND, person: id, occurredAt: at, sentAt: at }),
      );
      await send(this.producer, events, this.encoder);
      this.#probes.push(...probes);
      await sleep(Math.max(0, began + round * ROUND_MS - performance.now()));
    }
  }

  /** Somebody new whose records lie there. */
  #inPartition(partition: number, at: number): Probe {
    for (;;) {
      const id = `probe-${this.seed}-${(this.#next += 1)}`;
      if (partitionOf(personKey(BRAND, id), this.partitions) === partition) return { id, partition, at };
    }
  }
}

import type { Broker } from 'kafkajs/src/cluster/index.js';
import type { OutgoingRecord } from '#pipeline';
import { chunkRecords } from './chunks.js';
import type { ClusterLink } from './cluster-link.js';
import { CODE, isTransient, KafkaCodeError } from './errors.js';
import { encodeRecordBatch } from './record-batch-encoder.js';
import { persist, type Attempts } from './retry.js';
import type { TopicLimits } from './topic-limits.js';
import { produce, type ProduceBatch } from './wire.js';

export interface ProducerId {
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** The batches of one partition, to be sent in this order. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly chunks: OutgoingRecord[][];
  /** The batch that waits for its acknowledgement; resent byte by byte until it comes. */
  encoded: Buffer | null;
}

const SEQUENCE_LIMIT = 2 ** 31;

/**
 * Sends records under one producer id and epoch, each partition's batches numbered in order, so that the broker
 * drops what a retry repeats. After an error the numbering is not known any more: the id needs a new epoch.
 */
export class SequencedSender {
  private readonly sequences = new Map<string, number>();

  constructor(
    private readonly link: ClusterLink,
    private readonly limits: TopicLimits,
    private readonly id: ProducerId,
    private readonly transactionalId: string | null,
  ) {}

  /** The records by partition, cut to the topics' limits. @throws RangeError for a record that fits nowhere */
  async lanes(records: readonly OutgoingRecord[]): Promise<Lane[]> {
    const byPartition = new Map<string, OutgoingRecord[]>();
    for (const record of records) {
      const name = `${record.topic}/${record.partition}`;
      const same = byPartition.get(name);
      if (same === undefined) byPartition.set(name, [record]);
      else same.push(record);
    }
    const lanes: Lane[] = [];
    for (const same of byPartition.values()) {
      const { topic = '', partition = 0 } = same[0] ?? {};
      const chunks = chunkRecords(same, await this.limits.messageBytesMax(topic));
      lanes.push({ topic, partition, chunks, encoded: null });
    }
    return lanes;
  }

  /** Sends all of it; answers the largest append time. */
  async send(lanes: readonly Lane[], attempts: Attempts): Promise<number | null> {
    let appendedAt: number | null = null;
    let open = lanes.filter(({ chunks }) => chunks.length > 0);
    while (open.length > 0) {
      const waiting = open;
      // Each round settles what it can; what is left after an error is sent again as it was.
      await persist(this.link, attempts, async () => {
        const results = await Promise.allSettled(
          (await this.byLeader(waiting)).map((group) => this.sendRound(group)),
        );
        for (const result of results) {
          if (result.status === 'fulfilled' && result.value !== null)
            appendedAt = Math.max(appendedAt ?? 0, result.value);
        }
        const failed = results
          .filter((result) => result.status === 'rejected')
          .map(({ reason }): unknown => reason);
        // One that does not pass by itself must not hide behind one that does.
        if (failed.length > 0) throw failed.find((error) => !isTransient(error)) ?? failed[0];
      });
      open = open.filter(({ chunks }) => chunks.length > 0);
    }
    return appendedAt;
  }

  private async byLeader(lanes: readonly Lane[]): Promise<{ broker: Broker; lanes: Lane[] }[]> {
    const groups = new Map<Broker, Lane[]>();
    for (const lane of lanes) {
      if (lane.chunks.length === 0) continue;
      const broker = await this.link.leaderOf(lane.topic, lane.partition);
      groups.set(broker, [...(groups.get(broker) ?? []), lane]);
    }
    return [...groups].map(([broker, own]) => ({ broker, lanes: own }));
  }

  /** One batch of each lane, in one request. */
  private async sendRound({ broker, lanes }: { broker: Broker; lanes: Lane[] }): Promise<number | null> {
    const now = Date.now();
    const answers = await produce(
      broker,
      this.transactionalId,
      lanes.map((lane) => this.batchOf(lane, now)),
    );
    let appendedAt: number | null = null;
    let failure: KafkaCodeError | null = null;
    for (const { topic, partition, code, appendedAt: at } of answers) {
      const lane = lanes.find((one) => one.topic === topic && one.partition === partition);
      if (lane === undefined) continue;
      // A duplicate is what an attempt left behind whose answer was lost.
      if (code === 0 || code === CODE.duplicateSequence) {
        this.advance(lane);
        appendedAt = Math.max(appendedAt ?? 0, at < 0 ? now : at);
      } else {
        if (code === CODE.messageTooLarge) this.limits.forget(topic);
        const error = new KafkaCodeError(code, `Produce to ${topic}-${partition}`);
        if (failure === null || isTransient(failure)) failure = error;
      }
    }
    if (failure !== null) throw failure;
    return appendedAt;
  }

  private batchOf(lane: Lane, now: number): ProduceBatch {
    lane.encoded ??= encodeRecordBatch(lane.chunks[0] ?? [], {
      ...this.id,
      firstSequence: this.sequences.get(`${lane.topic}/${lane.partition}`) ?? 0,
      isTransactional: this.transactionalId !== null,
      timestamp: now,
    });
    return { topic: lane.topic, partition: lane.partition, bytes: lane.encoded };
  }

  private advance(lane: Lane): void {
    const name = `${lane.topic}/${lane.partition}`;
    const sent = lane.chunks.shift()?.length ?? 0;
    this.sequences.set(name, ((this.sequences.get(name) ?? 0) + sent) % SEQUENCE_LIMIT);
    lane.encoded = null;
  }
}

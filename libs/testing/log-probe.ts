import { randomBytes } from 'node:crypto';
import type {
  Assignment,
  BatchControl,
  ConsumerHandler,
  Log,
  OutgoingRecord,
  RecordBatch,
  TopicPartition,
  TopicSpec,
} from '#pipeline';

/** A record as plain values, which outlive its batch. */
export interface SeenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
}

export function seenRecords(batch: RecordBatch): SeenRecord[] {
  return batch.records.map(({ offset, timestamp, key, value }) => ({
    partition: batch.partition,
    offset,
    timestamp,
    key: key?.toString('utf8') ?? null,
    value: value?.toString('utf8') ?? null,
  }));
}

/**
 * Asks again until `check` no longer throws, and throws its last error when `withinMs` have gone by.
 * For what becomes true by itself; never for how fast.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 30_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 200)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A log under test, with topics and groups that no other test has. */
export class LogProbe {
  constructor(readonly log: Log) {}

  group(): string {
    return `contract-group-${randomBytes(6).toString('hex')}`;
  }

  async topic(partitions = 1, changes: Partial<TopicSpec> = {}): Promise<string> {
    const spec = LogProbe.spec(partitions, changes);
    await this.log.applyTopics([spec], false);
    await eventually(async () => {
      const ends = await this.log.ends(spec.topic);
      if (ends.length !== partitions) throw new Error(`${spec.topic} has ${ends.length} partitions`);
    });
    return spec.topic;
  }

  static spec(partitions: number, changes: Partial<TopicSpec> = {}): TopicSpec {
    return {
      topic: `contract-${randomBytes(6).toString('hex')}`,
      partitions,
      compacted: false,
      retentionMs: -1,
      maxMessageBytes: 1_000_000,
      ...changes,
    };
  }

  /** `count` records `v<first>` … keyed `k<n>`, in one append. */
  async appendNumbered(topic: string, partition: number, first: number, count: number): Promise<void> {
    await this.log.append(numbered(topic, partition, first, count));
  }

  async readAll(topic: string, partition: number, from = 0, to?: number): Promise<SeenRecord[]> {
    const seen: SeenRecord[] = [];
    for await (const batch of this.log.read({ topic, partition }, from, to)) seen.push(...seenRecords(batch));
    return seen;
  }

  /** The values of a whole topic once there are `count`. */
  async valuesOf(topic: string, partition: number, count: number): Promise<(string | null)[]> {
    return eventually(async () => {
      const values = (await this.readAll(topic, partition)).map(({ value }) => value);
      if (values.length < count)
        throw new Error(`${values.length} of ${count} records in ${topic}/${partition}`);
      return values;
    });
  }
}

export function numbered(topic: string, partition: number, first: number, count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    topic,
    partition,
    key: `k${first + i}`,
    value: Buffer.from(`v${first + i}`),
  }));
}

export function values(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `v${first + i}`);
}

/** A handler that writes down what happens to it, and does what the test tells it to. */
export class RecordingHandler implements ConsumerHandler {
  /** `assigned 0`, `batch 0`, `failed 0`, `revoked 0` … with the partition's number. */
  readonly calls: string[] = [];
  readonly records: SeenRecord[] = [];
  readonly batches: {
    partition: number;
    first: number;
    count: number;
    nextOffset: number;
    endOffset: number;
  }[] = [];
  /** Partitions in which two batches were in hand at once. */
  readonly overlaps: number[] = [];
  private readonly inHand = new Set<number>();

  constructor(
    private readonly hooks: {
      readonly startAt?: (
        partition: TopicPartition,
        assignment: Assignment,
      ) => number | null | Promise<number | null>;
      readonly onBatch?: (batch: RecordBatch, control: BatchControl) => void | Promise<void>;
    } = {},
  ) {}

  async assigned(partition: TopicPartition, assignment: Assignment): Promise<number | null> {
    this.calls.push(`assigned ${partition.partition}`);
    return (await this.hooks.startAt?.(partition, assignment)) ?? null;
  }

  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const { partition, nextOffset, endOffset, records } = batch;
    if (this.inHand.has(partition)) this.overlaps.push(partition);
    this.inHand.add(partition);
    const seen = seenRecords(batch);
    const first = records[0]?.offset ?? nextOffset;
    this.batches.push({ partition, first, count: records.length, nextOffset, endOffset });
    this.calls.push(`batch ${partition}`);
    try {
      await this.hooks.onBatch?.(batch, control);
      this.records.push(...seen);
    } catch (error) {
      this.calls.push(`failed ${partition}`);
      throw error;
    } finally {
      this.inHand.delete(partition);
    }
  }

  revoked(partition: TopicPartition): Promise<void> {
    this.calls.push(`revoked ${partition.partition}`);
    return Promise.resolve();
  }

  valuesOf(partition: number): (string | null)[] {
    return this.records.filter((record) => record.partition === partition).map(({ value }) => value);
  }

  /** The calls that concern one partition, without repeats in a row. */
  callsOf(partition: number): string[] {
    const mine = this.calls
      .filter((call) => call.endsWith(` ${partition}`))
      .map((call) => call.split(' ')[0] ?? '');
    return mine.filter((call, i) => call !== mine[i - 1]);
  }
}

import { describe, expect, it } from '@jest/globals';
import {
  OwnershipLostError,
  type ConsumerHandler,
  type Log,
  type LogConsumer,
  type RecordBatch,
  type TopicPartition,
  type TransactionalWriter,
} from '#pipeline';
import { eventually, RecordingHandler, values, type LogProbe } from './log-probe.js';

/** Copies its input to the partition of the same number, each record in one transaction with its position. */
class CopyHandler implements ConsumerHandler {
  private readonly writers = new Map<number, TransactionalWriter>();

  constructor(
    private readonly log: Log,
    private readonly group: string,
    private readonly output: string,
  ) {}

  async assigned(input: TopicPartition): Promise<number | null> {
    this.writers.set(input.partition, await this.log.writer(this.group, input));
    // Read after the writer was opened: nobody older can move it any more.
    return this.log.committed(this.group, input);
  }

  async batch({ topic, partition, records, nextOffset }: RecordBatch): Promise<void> {
    const writer = this.writers.get(partition);
    if (writer === undefined) throw new OwnershipLostError(`${topic}/${partition} is not assigned here`);
    await writer.commit({
      records: records.map(({ key, value }) => ({ topic: this.output, partition, key, value })),
      positions: [{ topic, partition, offset: nextOffset }],
    });
  }

  async revoked({ partition }: TopicPartition): Promise<void> {
    await this.writers.get(partition)?.close();
    this.writers.delete(partition);
  }
}

/** Several members of one group. */
export function groupContract(probe: () => LogProbe, timeoutMs: number): void {
  const partitionsOf = (consumer: LogConsumer): number[] =>
    consumer
      .health()
      .assigned.map(({ partition }) => partition)
      .sort();

  describe('a group', () => {
    it(
      'splits the partitions over its members and gives them back when one leaves',
      async () => {
        const topic = await probe().topic(4);
        const options = { group: probe().group(), topics: [topic], batchRecordsMax: 100 };
        const first = probe().log.consumer(options);
        const second = probe().log.consumer(options);
        const handlers = [new RecordingHandler(), new RecordingHandler()] as const;
        await first.start(handlers[0]);
        await eventually(() => expect(partitionsOf(first)).toEqual([0, 1, 2, 3]));
        await second.start(handlers[1]);
        await eventually(() => {
          expect(partitionsOf(first)).toHaveLength(2);
          expect(partitionsOf(second)).toHaveLength(2);
          expect([...partitionsOf(first), ...partitionsOf(second)].sort()).toEqual([0, 1, 2, 3]);
        });
        for (let partition = 0; partition < 4; partition += 1) {
          await probe().appendNumbered(topic, partition, partition * 10, 3);
        }
        await eventually(() => {
          const all = [0, 1, 2, 3].flatMap((partition) => handlers.flatMap((h) => h.valuesOf(partition)));
          expect(new Set(all).size).toBe(12);
        });
        await first.stop();
        await eventually(() => expect(partitionsOf(second)).toEqual([0, 1, 2, 3]));
        await probe().appendNumbered(topic, 0, 100, 1);
        await probe().appendNumbered(topic, 3, 103, 1);
        await eventually(() => {
          expect(handlers[1].valuesOf(0)).toContain('v100');
          expect(handlers[1].valuesOf(3)).toContain('v103');
        });
        await second.stop();
        expect(handlers.flatMap(({ overlaps }) => overlaps)).toEqual([]);
      },
      timeoutMs,
    );

    it(
      'processes each record exactly once while members come and go',
      async () => {
        const { log } = probe();
        const partitions = 3;
        const perPartition = 400;
        const input = await probe().topic(partitions);
        const output = await probe().topic(partitions);
        const group = probe().group();
        const member = async (): Promise<LogConsumer> => {
          const consumer = log.consumer({ group, topics: [input], batchRecordsMax: 20 });
          await consumer.start(new CopyHandler(log, group, output));
          return consumer;
        };
        const copied = async (): Promise<number> => {
          const all = await Promise.all([0, 1, 2].map((partition) => probe().readAll(output, partition)));
          return all.flat().length;
        };
        const feed = async (from: number, count: number): Promise<void> => {
          for (let p = 0; p < partitions; p += 1) {
            await probe().appendNumbered(input, p, p * 10_000 + from, count);
          }
        };
        await feed(0, 100);
        const a = await member();
        await eventually(async () => expect(await copied()).toBeGreaterThan(50));
        const b = await member();
        await feed(100, 100);
        await eventually(async () => expect(await copied()).toBeGreaterThan(350));
        await a.stop();
        await feed(200, 100);
        const c = await member();
        await eventually(async () => expect(await copied()).toBeGreaterThan(700));
        await b.stop();
        await feed(300, 100);
        await eventually(async () =>
          expect(await copied()).toBeGreaterThanOrEqual(partitions * perPartition),
        );
        await c.stop();
        for (let p = 0; p < partitions; p += 1) {
          const found = (await probe().readAll(output, p)).map(({ value }) => value);
          expect(found).toEqual(values(p * 10_000, perPartition));
        }
      },
      timeoutMs,
    );

    it(
      'lets two groups read the same topic, each at its own pace',
      async () => {
        const topic = await probe().topic();
        await probe().appendNumbered(topic, 0, 0, 40);
        const handlers = [new RecordingHandler(), new RecordingHandler()];
        const consumers: LogConsumer[] = [];
        for (const handler of handlers) {
          const consumer = probe().log.consumer({
            group: probe().group(),
            topics: [topic],
            batchRecordsMax: 7,
          });
          await consumer.start(handler);
          consumers.push(consumer);
        }
        for (const handler of handlers) {
          await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 40)));
        }
        for (const consumer of consumers) await consumer.stop();
      },
      timeoutMs,
    );
  });
}

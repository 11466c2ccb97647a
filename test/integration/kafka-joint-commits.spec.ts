import { afterAll, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { KafkaLog } from '#kafka';
import {
  commitTransaction,
  OwnershipLostError,
  type TopicPartition,
  type TransactionalWriter,
} from '#pipeline';
import { LogProbe, numbered } from '../../libs/testing/log-probe.js';
import { describeWithServers } from '../servers/servers.js';

const INPUTS = [0, 1, 2, 3] as const;

await describeWithServers('joint transactions on real Kafka', ({ brokers }) => {
  /** Two members of a group, each with connections of its own. */
  const here = new KafkaLog({ brokers, clientId: 'here' });
  const there = new KafkaLog({ brokers, clientId: 'there' });
  const probe = new LogProbe(here);
  const producers: Producer[] = [];
  afterAll(async () => {
    for (const producer of producers) await producer.disconnect();
    await Promise.all([here.close(), there.close()]);
  });

  /** Each has committed once, by a transaction of its own. */
  async function makeWriters() {
    const group = probe.group();
    const topic = await probe.topic(INPUTS.length);
    const output = await probe.topic();
    const inputs: TopicPartition[] = INPUTS.map((partition) => ({ topic, partition }));
    const commitOf = (partition: number, offset: number) => ({
      records: numbered(output, 0, partition * 1_000 + offset, 1),
      positions: [{ topic, partition, offset }],
    });
    const writers = await Promise.all(inputs.map((input) => here.writer(group, input)));
    for (const [partition, writer] of writers.entries()) await writer.commit(commitOf(partition, 1));
    return { group, inputs, output, writers, commitOf };
  }

  it('what several inputs commit at once is one transaction', async () => {
    const { group, inputs, output, writers, commitOf } = await makeWriters();
    await here.settled(output);
    const [before] = await here.ends(output);
    for (const offset of [2, 3]) {
      await Promise.all(writers.map((writer, partition) => writer.commit(commitOf(partition, offset))));
    }
    expect(await probe.valuesOf(output, 0, 12)).toHaveLength(12);
    await here.settled(output);
    const [after] = await here.ends(output);
    // A record of each, and one marker that ends the transaction, twice.
    expect((after?.end ?? 0) - (before?.end ?? 0)).toBe(2 * (INPUTS.length + 1));
    for (const input of inputs) expect(await here.committed(group, input)).toBe(3);
    for (const writer of writers) await writer.close();
  });

  it('an input that was taken over takes nothing along, and keeps nobody from committing', async () => {
    const { group, inputs, output, writers, commitOf } = await makeWriters();
    const taken = 2;
    const input = inputs[taken];
    if (input === undefined) throw new Error('no such input');
    const successor = await there.writer(group, input);
    expect(await there.committed(group, input)).toBe(1);
    const outcomes = await Promise.allSettled(
      writers.map((writer, partition) => {
        const { records } = commitOf(partition, 2);
        return commitTransaction(here, writer, group, records, { ...input, partition, offset: 2 });
      }),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[taken]).toMatchObject({ reason: expect.any(OwnershipLostError) });
    await successor.commit(commitOf(taken, 5));
    expect(await there.committed(group, input)).toBe(5);
    const values = (await probe.valuesOf(output, 0, 8)).map(String).sort();
    expect(values).toEqual(['v1', 'v1001', 'v1002', 'v2', 'v2001', 'v2005', 'v3001', 'v3002']);
    for (const writer of [...writers, successor]) await writer.close();
  });

  it('says where a group stands only when no transaction can move it any more', async () => {
    const group = probe.group();
    const input = { topic: await probe.topic(), partition: 0 };
    expect(await here.committed(group, input)).toBeNull();
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({
      transactionalId: `${group}-other`,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    producers.push(producer);
    await producer.connect();
    const transaction = await producer.transaction();
    const partitions = [{ partition: 0, offset: '99' }];
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: input.topic, partitions }] });
    let answer: number | null | undefined;
    const asked = there.committed(group, input).then((offset) => (answer = offset));
    await here.ends(input.topic);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answer).toBeUndefined();
    await transaction.commit();
    await asked;
    expect(answer).toBe(99);
  });

  it('rivals for the inputs lose nothing and double nothing, and what a taker reads is final', async () => {
    const TAKEOVERS = 40;
    const { group, inputs, output, writers, commitOf } = await makeWriters();
    let isOver = false;
    let taken = 0;
    const reached = new Map<number, number>();

    /** Commits on and on, takes back what it has lost, and rests where told. */
    const own = async (log: KafkaLog, input: TopicPartition, first: TransactionalWriter): Promise<void> => {
      let writer = first;
      let position = 1;
      while (!isOver) {
        try {
          const { records } = commitOf(input.partition, position + 1);
          await commitTransaction(log, writer, group, records, { ...input, offset: position + 1 });
          position += 1;
        } catch (error) {
          if (!(error instanceof OwnershipLostError)) throw error;
          await writer.close();
          await new Promise((resolve) => setTimeout(resolve, 30));
          writer = await log.writer(group, input);
          position = (await log.committed(group, input)) ?? 0;
        }
      }
      await writer.close();
    };
    const rival = async (): Promise<void> => {
      for (let nth = 0; nth < TAKEOVERS; nth++) {
        const input = inputs[nth % inputs.length];
        if (input === undefined) continue;
        const writer = await there.writer(group, input);
        const found = (await there.committed(group, input)) ?? 0;
        await new Promise((resolve) => setTimeout(resolve, nth % 3 === 0 ? 15 : 0));
        const offset = found + 1;
        try {
          const { records } = commitOf(input.partition, offset);
          await commitTransaction(there, writer, group, records, { ...input, offset });
          taken += 1;
        } catch (error) {
          // The owner was faster in taking it back.
          if (!(error instanceof OwnershipLostError)) throw error;
        }
        await writer.close();
      }
    };
    await Promise.all([
      rival().finally(() => (isOver = true)),
      ...inputs.map((input, i) => {
        const writer = writers[i];
        return writer === undefined ? Promise.resolve() : own(here, input, writer);
      }),
    ]);

    expect(taken).toBeGreaterThan(TAKEOVERS / 4);
    for (const input of inputs) reached.set(input.partition, (await here.committed(group, input)) ?? 0);
    const count = [...reached.values()].reduce((sum, offset) => sum + offset, 0);
    const found = (await probe.valuesOf(output, 0, count)).map((value) => Number(String(value).slice(1)));
    for (const [partition, offset] of reached) {
      const own = found.filter((value) => Math.floor(value / 1_000) === partition);
      expect(own).toEqual(Array.from({ length: offset }, (_, i) => partition * 1_000 + i + 1));
    }
  }, 120_000);
});

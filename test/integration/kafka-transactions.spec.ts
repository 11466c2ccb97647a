import { afterAll, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { KafkaLog } from '#kafka';
import { OwnershipLostError, type TopicPartition } from '#pipeline';
import { LogProbe, numbered, values } from '../../libs/testing/log-probe.js';
import { describeWithServers } from '../servers/servers.js';

await describeWithServers('transactions on real Kafka', ({ brokers }) => {
  const log = new KafkaLog({ brokers, clientId: 'spec' });
  const probe = new LogProbe(log);
  const producers: Producer[] = [];
  afterAll(async () => {
    for (const producer of producers) await producer.disconnect();
    await log.close();
  });

  /** A stock KafkaJS producer that stops in the middle of a transaction of the same id as our writer's. */
  async function openTransaction(group: string, input: TopicPartition, output: string) {
    // On a fresh broker the group's coordinator has to come up first; KafkaJS does not wait for that here.
    await log.committed(group, input);
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({
      transactionalId: `${group}/${input.topic}/${input.partition}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    producers.push(producer);
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: output, messages: [{ partition: 0, value: 'of the zombie' }] });
    const partitions = [{ partition: input.partition, offset: '99' }];
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: input.topic, partitions }] });
    return transaction;
  }

  it('a zombie with an open transaction is fenced, and what it has written is never seen', async () => {
    const group = probe.group();
    const input = { topic: await probe.topic(), partition: 0 };
    const output = await probe.topic();
    const zombie = await openTransaction(group, input, output);

    const writer = await log.writer(group, input);
    expect(await log.committed(group, input)).toBeNull();
    await writer.commit({ records: numbered(output, 0, 1, 1), positions: [{ ...input, offset: 1 }] });
    await expect(zombie.commit()).rejects.toThrow();
    await writer.commit({ records: numbered(output, 0, 2, 1), positions: [{ ...input, offset: 2 }] });

    expect(await probe.valuesOf(output, 0, 2)).toEqual(values(1, 2));
    expect(await log.committed(group, input)).toBe(2);
    await writer.close();
  });

  it('settles only when the transactions that were open are over, whoever had them', async () => {
    const input = { topic: await probe.topic(), partition: 0 };
    const output = await probe.topic();
    const open = await openTransaction(probe.group(), input, output);
    const writer = await log.writer(probe.group(), input);
    await writer.commit({ records: numbered(output, 0, 1, 1), positions: [] });
    // Committed, and yet behind what is not decided.
    expect(await log.ends(output)).toEqual([{ partition: 0, start: 0, end: 0 }]);
    let isSettled = false;
    const settled = log.settled(output).then(() => (isSettled = true));
    await log.ends(output);
    expect(isSettled).toBe(false);
    await open.abort();
    await settled;
    expect(await probe.valuesOf(output, 0, 1)).toEqual(['v1']);
    await writer.close();
  });

  it('a writer whose id was taken by another client says that ownership is lost, with or without records', async () => {
    const output = await probe.topic();
    for (const records of [numbered(output, 0, 1, 1), []]) {
      const group = probe.group();
      const input = { topic: await probe.topic(), partition: 0 };
      const writer = await log.writer(group, input);
      await writer.commit({ records, positions: [{ ...input, offset: 1 }] });
      const other = await openTransaction(group, input, output);
      const late = { records, positions: [{ ...input, offset: 2 }] };
      await expect(writer.commit(late)).rejects.toThrow(OwnershipLostError);
      await expect(writer.commit(late)).rejects.toThrow(OwnershipLostError);
      await other.commit();
      await writer.close();
    }
  });

  it('commits many transactions of positions alone, one right after the other', async () => {
    const group = probe.group();
    const input = { topic: await probe.topic(), partition: 0 };
    const writer = await log.writer(group, input);
    for (let offset = 1; offset <= 30; offset++) {
      await writer.commit({ records: [], positions: [{ ...input, offset }] });
    }
    // The coordinator answers before the last marker is written. Who takes over waits for it, as an owner does.
    const successor = await log.writer(group, input);
    expect(await log.committed(group, input)).toBe(30);
    await successor.close();
    await writer.close();
  });

  it('refuses a record that its topic cannot take, and goes on with others', async () => {
    const output = await probe.topic(1, { maxMessageBytes: 10_000 });
    const input = { topic: await probe.topic(), partition: 0 };
    const writer = await log.writer(probe.group(), input);
    const tooLarge = { topic: output, partition: 0, key: null, value: Buffer.alloc(20_000) };
    await expect(writer.commit({ records: [tooLarge], positions: [] })).rejects.toThrow(RangeError);
    await expect(log.append([tooLarge])).rejects.toThrow(RangeError);
    await writer.commit({ records: numbered(output, 0, 1, 1), positions: [] });
    expect(await probe.valuesOf(output, 0, 1)).toEqual(['v1']);
    await writer.close();
  });

  it('transactions of several writers to one partition overlap without disturbing each other', async () => {
    const output = await probe.topic();
    const topic = await probe.topic(4);
    const writers = await Promise.all(
      [0, 1, 2, 3].map((partition) => log.writer(probe.group(), { topic, partition })),
    );
    await Promise.all(
      writers.map(async (writer, i) => {
        for (let round = 0; round < 10; round++) {
          await writer.commit({ records: numbered(output, 0, i * 1_000 + round * 10, 10), positions: [] });
        }
      }),
    );
    const found = (await probe.valuesOf(output, 0, 400)).map(String);
    for (let i = 0; i < 4; i++) {
      const own = found.filter((value) => Math.floor(Number(value.slice(1)) / 1_000) === i);
      expect(own).toEqual(values(i * 1_000, 100));
    }
    for (const writer of writers) await writer.close();
  });
});

import { afterAll, expect, it } from '@jest/globals';
import { type RecordBatch, type TopicPartition } from '#pipeline';
import { describeWithServers } from '../../test/servers/servers.js';
import { uniqueName } from '../../test/servers/topic-names.js';
import { KafkaLog } from './index.js';

await describeWithServers('KafkaLog', ({ brokers }) => {
  const log = new KafkaLog({ brokers, clientId: 'spec' });
  afterAll(() => log.close());

  async function makeTopic(partitions = 1): Promise<string> {
    const topic = uniqueName('t');
    const spec = { topic, partitions, compacted: false, retentionMs: -1, maxMessageBytes: 1_048_588 };
    await log.applyTopics([spec], false);
    return topic;
  }

  it('appends, reads, commits', async () => {
    const topic = await makeTopic();
    const input = { topic, partition: 0 };
    const t0 = Date.now();
    const { appendedAt } = await log.append([
      { ...input, key: 'a', value: Buffer.from('1') },
      { ...input, key: 'b', value: null },
    ]);
    expect(appendedAt).toBeGreaterThanOrEqual(t0 - 1000);
    const seen: unknown[] = [];
    for await (const batch of log.read(input, 0)) {
      for (const r of batch.records) seen.push([r.offset, r.key?.toString(), r.value?.toString(), r.timestamp === appendedAt]);
    }
    expect(seen).toEqual([[0, 'a', '1', true], [1, 'b', undefined, true]]);
    expect(await log.ends(topic)).toEqual([{ partition: 0, start: 0, end: 2 }]);
    expect(await log.ends('nope')).toEqual([]);
    const writer = await log.writer('g', input);
    expect(await log.committed('g', input)).toBeNull();
    console.time('txn');
    for (let i = 0; i < 50; i++) {
      await writer.commit({ records: [{ ...input, key: 'k', value: Buffer.from(String(i)) }], positions: [{ ...input, offset: i + 1 }] });
    }
    console.timeEnd('txn');
    console.time('offsets only');
    for (let i = 50; i < 100; i++) await writer.commit({ records: [], positions: [{ ...input, offset: i + 1 }] });
    console.timeEnd('offsets only');
    expect(await log.committed('g', input)).toBe(100);
    expect(await log.ends(topic)).toEqual([{ partition: 0, start: 0, end: 102 }]);
  });

  it('consumes', async () => {
    const topic = await makeTopic(4);
    const consumer = log.consumer({ group: uniqueName('g'), topics: [topic], batchRecordsMax: 10 });
    const calls: string[] = [];
    let got = 0;
    let done: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (done = resolve));
    await consumer.start({
      assigned: (p: TopicPartition) => { calls.push(`assigned ${p.partition}`); return Promise.resolve(null); },
      batch: (b: RecordBatch) => { got += b.records.length; expect(b.records.length).toBeLessThanOrEqual(10); if (got === 400) done(); return Promise.resolve(); },
      revoked: (p: TopicPartition) => { calls.push(`revoked ${p.partition}`); return Promise.resolve(); },
    });
    await log.append(Array.from({ length: 400 }, (_, i) => ({ topic, partition: i % 4, key: null, value: Buffer.from(String(i)) })));
    await all;
    await consumer.stop();
    console.log(calls, consumer.health());
  });
});

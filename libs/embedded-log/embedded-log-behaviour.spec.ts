import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { open as openLmdb } from 'lmdb';
import { eventually, LogProbe, RecordingHandler, TempDir } from '#testing';
import type { LogConsumer, TopicPartition } from '#pipeline';
import { EmbeddedLog, type EmbeddedLogOptions, type HandlerFailure } from './index.js';

/** What the contract cannot ask of a server. */
describe('EmbeddedLog', () => {
  let dir: TempDir;
  let log: EmbeddedLog;
  const reopen = (options: Partial<EmbeddedLogOptions> = {}): EmbeddedLog => {
    log = EmbeddedLog.open({ path: dir.join('log'), backoffMs: { first: 1, most: 8 }, ...options });
    return log;
  };

  beforeEach(() => {
    dir = new TempDir('log');
    reopen();
  });
  afterEach(async () => {
    await log.close();
    dir.remove();
  });

  it('keeps records, positions and fences over a restart', async () => {
    const topic = await new LogProbe(log).topic(2);
    const input = { topic, partition: 0 };
    const writer = await log.writer('g', input);
    const records = [{ topic, partition: 1, key: 'k', value: Buffer.from('v') }];
    await writer.commit({ records, positions: [{ ...input, offset: 5 }] });
    await log.close();
    await expect(writer.commit({ records, positions: [] })).rejects.toThrow(/closed/);
    reopen();
    expect((await new LogProbe(log).readAll(topic, 1)).map(({ value }) => value)).toEqual(['v']);
    expect(await log.committed('g', input)).toBe(5);
    expect(await log.ends(topic)).toMatchObject([{ end: 0 }, { end: 1 }]);
  });

  it('drops all of a topic, so that one that gets its place begins empty', async () => {
    const probe = new LogProbe(log);
    const kept = await probe.topic(1);
    await probe.appendNumbered(kept, 0, 0, 3);
    const topic = await probe.topic(2);
    for (let append = 0; append < 150; append += 1) await probe.appendNumbered(topic, 1, append, 1);
    await log.dropTopic(topic);
    await log.close();
    reopen();
    expect(await log.ends(topic)).toEqual([]);
    const next = await new LogProbe(log).topic(2);
    expect(await new LogProbe(log).readAll(next, 1)).toEqual([]);
    await new LogProbe(log).appendNumbered(next, 1, 7, 1);
    expect((await new LogProbe(log).readAll(next, 1)).map(({ value }) => value)).toEqual(['v7']);
    expect(await new LogProbe(log).readAll(kept, 0)).toHaveLength(3);
    await expect(log.dropTopic(topic)).rejects.toThrow('no topic');
  });

  it('never lets append times go back, not even over a restart', async () => {
    const topic = await new LogProbe(log).topic();
    const times: (number | null)[] = [];
    let clock = 2e12;
    const append = async (): Promise<void> => {
      times.push((await log.append([{ topic, partition: 0, key: null, value: null }])).appendedAt);
    };
    await log.close();
    reopen({ now: () => clock });
    await append();
    clock -= 60_000;
    await append();
    await log.close();
    reopen({ now: () => clock });
    await append();
    clock += 60_001.5;
    await append();
    expect(times).toEqual([2e12, 2e12, 2e12, 2e12 + 1]);
    expect((await new LogProbe(log).readAll(topic, 0)).map(({ timestamp }) => timestamp)).toEqual(times);
  });

  it('refuses records that their topic does not take, and writes nothing of that commit', async () => {
    const topic = await new LogProbe(log).topic(2, { maxMessageBytes: 100 });
    const compacted = await new LogProbe(log).topic(1, { compacted: true });
    const fine = { topic, partition: 0, key: 'k', value: Buffer.from('v') };
    const writer = await log.writer('g', { topic, partition: 0 });
    const refused = [
      [{ ...fine, topic: 'nowhere' }, /no topic "nowhere"/],
      [{ ...fine, partition: 2 }, /partitions 0 to 1, not 2/],
      [{ ...fine, partition: 0.5 }, /not 0.5/],
      [{ ...fine, value: Buffer.alloc(101) }, /102 bytes is over the 100/],
      [{ ...fine, topic: compacted, key: null }, /compacted: its records need keys/],
    ] as const;
    for (const [record, message] of refused) {
      await expect(log.append([fine, record])).rejects.toThrow(message);
      await expect(writer.commit({ records: [fine, record], positions: [] })).rejects.toThrow(message);
    }
    const position = { topic, partition: 0, offset: -1 };
    await expect(writer.commit({ records: [fine], positions: [position] })).rejects.toThrow(/no offset/);
    await expect(log.writer('g', { topic, partition: 7 })).rejects.toThrow(/not 7/);
    await expect(log.read({ topic: 'nowhere', partition: 0 }, 0).next()).rejects.toThrow(/no topic/);
    const consumer = log.consumer({ group: 'g', topics: ['nowhere'], batchRecordsMax: 1 });
    await expect(consumer.start(new RecordingHandler())).rejects.toThrow(/no topic/);
    expect(await log.ends(topic)).toMatchObject([{ end: 0 }, { end: 0 }]);
  });

  it('refuses foreign directories and a second opening', async () => {
    expect(() => EmbeddedLog.open({ path: dir.join('log') })).toThrow(/open already/);
    mkdirSync(dir.join('file'));
    writeFileSync(dir.join('file', 'data.mdb'), 'not a database '.repeat(1_000));
    expect(() => EmbeddedLog.open({ path: dir.join('file') })).toThrow(/not an LMDB data file/);
    const other = openLmdb({ path: dir.join('other') });
    await other.openDB({ name: 'theirs' }).put('a', 1);
    await other.close();
    expect(() => EmbeddedLog.open({ path: dir.join('other') })).toThrow(/something else \(theirs\)/);
  });

  it('notices a damaged batch loudly', async () => {
    const topic = await new LogProbe(log).topic();
    await new LogProbe(log).appendNumbered(topic, 0, 0, 50);
    await log.close();
    const raw = openLmdb<Buffer, Buffer>({
      path: dir.join('log'),
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
    });
    const batches = raw.openDB<Buffer, Buffer>({
      name: 'batches',
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    for (const { key, value } of batches.getRange()) {
      const damaged = Buffer.from(value);
      damaged[40] = (damaged[40] ?? 0) ^ 1;
      batches.putSync(key, damaged);
    }
    await raw.close();
    const failures: HandlerFailure[] = [];
    reopen({ onHandlerFailure: (failure) => failures.push(failure), failuresMax: 2 });
    await expect(new LogProbe(log).readAll(topic, 0)).rejects.toThrow(/corrupt: its checksum does not match/);
    const consumer = log.consumer({ group: 'g', topics: [topic], batchRecordsMax: 10 });
    await consumer.start(new RecordingHandler());
    await eventually(() => expect(consumer.health().crashed?.message).toMatch(/corrupt/));
    expect(failures).toHaveLength(2);
  });

  it('never has a partition with two members at once', async () => {
    const topic = await new LogProbe(log).topic(6);
    const holders = new Map<number, number>();
    const violations: string[] = [];
    const members: LogConsumer[] = [];
    const join = async (id: number): Promise<void> => {
      const consumer = log.consumer({ group: 'g', topics: [topic], batchRecordsMax: 5 });
      const handler = {
        async assigned({ partition }: TopicPartition): Promise<null> {
          if (holders.has(partition))
            violations.push(`${partition} of ${holders.get(partition)} given to ${id}`);
          holders.set(partition, id);
          await new Promise((resolve) => setTimeout(resolve, 1));
          return null;
        },
        async batch(): Promise<void> {
          await new Promise((resolve) => setTimeout(resolve, 2));
        },
        async revoked({ partition }: TopicPartition): Promise<void> {
          await new Promise((resolve) => setTimeout(resolve, 3));
          if (holders.get(partition) !== id) violations.push(`${partition} was not with ${id}`);
          holders.delete(partition);
        },
      };
      await consumer.start(handler);
      members.push(consumer);
    };
    for (let partition = 0; partition < 6; partition += 1) {
      await new LogProbe(log).appendNumbered(topic, partition, 0, 300);
    }
    for (let id = 0; id < 4; id += 1) await join(id);
    const stopping = members[1]?.stop();
    await join(4);
    await members[0]?.stop();
    await stopping;
    await eventually(() => {
      const shares = members.map((member) => member.health().assigned.length);
      expect(shares).toEqual([0, 0, 2, 2, 2]);
      expect(holders.size).toBe(6);
    });
    await log.close();
    expect(violations).toEqual([]);
    expect(holders.size).toBe(0);
  });

  it('works on several partitions at once', async () => {
    const topic = await new LogProbe(log).topic(3);
    const inHand = new Set<number>();
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const handler = new RecordingHandler({
      onBatch: async ({ partition }) => {
        inHand.add(partition);
        await gate;
      },
    });
    const consumer = log.consumer({ group: 'g', topics: [topic], batchRecordsMax: 5 });
    await consumer.start(handler);
    for (const partition of [0, 1, 2]) await new LogProbe(log).appendNumbered(topic, partition, 0, 1);
    await eventually(() => expect(inHand.size).toBe(3));
    const { lastPollAt } = consumer.health();
    letGo();
    await eventually(() => expect(handler.records).toHaveLength(3));
    expect(consumer.health().lastPollAt).toBeGreaterThanOrEqual(lastPollAt);
  });

  it('gives up after so many failures of one batch, also when those before it succeed', async () => {
    await log.close();
    const failures: HandlerFailure[] = [];
    reopen({ failuresMax: 4, onHandlerFailure: (failure) => failures.push(failure) });
    const topic = await new LogProbe(log).topic(2);
    await new LogProbe(log).appendNumbered(topic, 0, 0, 30);
    const poisoned = new RecordingHandler({
      onBatch: ({ partition, records }) => {
        if (partition === 0 && records.some(({ offset }) => offset === 25)) throw new Error('poison');
      },
    });
    const healthy = new RecordingHandler();
    const options = { group: 'g', topics: [topic], batchRecordsMax: 10 };
    const consumer = log.consumer(options);
    await consumer.start(poisoned);
    await eventually(() => expect(consumer.health().crashed?.message).toBe('poison'));
    expect(failures.map(({ failures: n, retryInMs }) => [n, retryInMs])).toEqual([
      [1, 1],
      [2, 2],
      [3, 4],
      [4, null],
    ]);
    await eventually(() => expect(consumer.health()).toMatchObject({ joined: false, assigned: [] }));
    expect(poisoned.calls.filter((call) => call === 'revoked 1')).toHaveLength(1);
    expect(poisoned.callsOf(0).at(-1)).toBe('revoked');
    const successor = log.consumer(options);
    await successor.start(healthy);
    await eventually(() => expect(healthy.valuesOf(0)).toHaveLength(30));
  });

  it('counts a refused start position and a failing `assigned` as failures', async () => {
    await log.close();
    reopen({ failuresMax: 3 });
    const topic = await new LogProbe(log).topic();
    for (const startAt of [
      () => 99,
      () => -1,
      () => {
        throw new Error('no store');
      },
    ]) {
      const handler = new RecordingHandler({ startAt });
      const consumer = log.consumer({ group: 'g', topics: [topic], batchRecordsMax: 1 });
      await consumer.start(handler);
      await eventually(() => expect(consumer.health().crashed?.message).toMatch(/cannot start|no store/));
      expect(handler.batches).toEqual([]);
      await consumer.stop();
    }
  });

  it('spreads partitions that are added while a group is running', async () => {
    const spec = LogProbe.spec(1);
    await log.applyTopics([spec], false);
    const handler = new RecordingHandler();
    await log.consumer({ group: 'g', topics: [spec.topic], batchRecordsMax: 5 }).start(handler);
    await log.applyTopics([{ ...spec, partitions: 3 }], false);
    await new LogProbe(log).appendNumbered(spec.topic, 2, 0, 1);
    await eventually(() => expect(handler.valuesOf(2)).toEqual(['v0']));
  });

  it('reads stored batches in any slices, from any offset', async () => {
    const probe = new LogProbe(log);
    const topic = await probe.topic();
    for (let i = 0; i < 30; i += 1) await probe.appendNumbered(topic, 0, i * 10, 10);
    await probe.appendNumbered(topic, 0, 300, 20_000);
    for (const from of [0, 5, 299, 300, 8_491, 8_492, 8_493, 20_299]) {
      const found = await probe.readAll(topic, 0, from, 20_300);
      expect(found.map(({ offset }) => offset)).toEqual(
        Array.from({ length: 20_300 - from }, (_, i) => from + i),
      );
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { logTopicSpec } from '#contracts';
import { EmbeddedLog } from '#embedded-log';
import { eventually, logContract, TempDir } from '#testing';
import { FaultPlan, faultyLog } from '../testing/faulty-ports.js';
import { CurrentLog } from './current-log.js';
import { appointLogTopic, generationTopic } from './log-topic.js';
import type { ConsumerHandler, RecordBatch, TopicPartition } from './log.js';
import { TOPICS } from './topics.js';

const backoffMs = { first: 5, most: 50 };
const LOGICAL = TOPICS.relationshipLog;
const PHYSICAL = generationTopic(3, 1);

/** Topics of other names are none of its business. */
logContract('current', async () => {
  const dir = new TempDir('current');
  const inner = EmbeddedLog.open({ path: dir.path, backoffMs });
  await appointLogTopic(inner, PHYSICAL);
  const log = new CurrentLog(inner);
  return {
    log,
    async cleanup() {
      await log.close();
      dir.remove();
    },
  };
});

class Seeing implements ConsumerHandler {
  readonly seen: string[] = [];
  readonly values: (string | undefined)[] = [];

  assigned({ topic, partition }: TopicPartition): Promise<number | null> {
    this.seen.push(`assigned ${topic} ${partition}`);
    return Promise.resolve(null);
  }

  batch({ topic, partition, records }: RecordBatch): Promise<void> {
    this.seen.push(`batch ${topic} ${partition}`);
    this.values.push(...records.map(({ value }) => value?.toString()));
    return Promise.resolve();
  }

  revoked({ topic, partition }: TopicPartition): Promise<void> {
    this.seen.push(`revoked ${topic} ${partition}`);
    return Promise.resolve();
  }
}

describe('the log that has moved to another topic', () => {
  let dir: TempDir;
  let inner: EmbeddedLog;
  let log: CurrentLog;
  const input = { topic: LOGICAL, partition: 1 };
  const moved = { topic: PHYSICAL, partition: 1 };
  beforeEach(async () => {
    dir = new TempDir('moved');
    inner = EmbeddedLog.open({ path: dir.path, backoffMs });
    await inner.applyTopics([logTopicSpec(LOGICAL, 4), logTopicSpec(PHYSICAL, 2)], false);
    await appointLogTopic(inner, generationTopic(2, 1));
    await appointLogTopic(inner, PHYSICAL);
    log = new CurrentLog(inner);
  });
  afterEach(async () => {
    await log.close();
    dir.remove();
  });

  async function readAll(from: Pick<CurrentLog, 'read'>, where: TopicPartition): Promise<string[]> {
    const found: string[] = [];
    for await (const { topic, records } of from.read(where, 0)) {
      for (const { value } of records) found.push(`${topic} ${value?.toString() ?? ''}`);
    }
    return found;
  }

  it('is read, written and asked for under its own name', async () => {
    await log.append([{ ...input, key: null, value: Buffer.from('a') }]);
    const writer = await log.writer('group', input);
    const record = { ...input, key: null, value: Buffer.from('b') };
    await writer.commit({ records: [record], positions: [{ ...input, offset: 1 }] });
    await writer.close();
    expect(await readAll(log, input)).toEqual([`${LOGICAL} a`, `${LOGICAL} b`]);
    expect(await readAll(inner, moved)).toEqual([`${PHYSICAL} a`, `${PHYSICAL} b`]);
    expect(await readAll(inner, input)).toEqual([]);
    expect(await log.committed('group', input)).toBe(1);
    expect(await inner.committed('group', moved)).toBe(1);
    expect(await inner.committed('group', input)).toBeNull();
    expect(await log.ends(LOGICAL)).toEqual([
      { partition: 0, start: 0, end: 0 },
      { partition: 1, start: 0, end: 2 },
    ]);
    await log.settled(LOGICAL);
    const ended = new AbortController();
    for await (const { topic, records } of log.tail(input, 0, ended.signal)) {
      expect([topic, records.length]).toEqual([LOGICAL, 2]);
      ended.abort();
    }
  });

  it('fences by what it is, whatever it is called', async () => {
    const writer = await log.writer('group', input);
    await (await inner.writer('group', moved)).close();
    await expect(writer.commit({ records: [], positions: [{ ...input, offset: 1 }] })).rejects.toMatchObject({
      name: 'OwnershipLostError',
    });
  });

  it('is consumed under its own name', async () => {
    await inner.append([{ ...moved, key: null, value: Buffer.from('a') }]);
    const handler = new Seeing();
    const storedStates = () => [{ ...input, offset: 7 }];
    const consumer = log.consumer({ group: 'g', topics: [LOGICAL], batchRecordsMax: 10, storedStates });
    expect(consumer.health()).toMatchObject({ joined: false, assigned: [] });
    await consumer.start(handler);
    await eventually(() => expect(handler.values).toEqual(['a']));
    const byPartition = [...consumer.health().assigned].sort((a, b) => a.partition - b.partition);
    expect(byPartition).toEqual([{ topic: LOGICAL, partition: 0 }, input]);
    consumer.pause(input);
    await inner.append([{ ...moved, key: null, value: Buffer.from('b') }]);
    consumer.resume(input);
    await eventually(() => expect(handler.values).toEqual(['a', 'b']));
    await consumer.stop();
    expect(new Set(handler.seen)).toEqual(
      new Set([
        ...[0, 1].flatMap((partition) => [
          `assigned ${LOGICAL} ${partition}`,
          `revoked ${LOGICAL} ${partition}`,
        ]),
        `batch ${LOGICAL} 1`,
      ]),
    );
  });

  it('keeps its partitions, whatever the settings of a new one would be', async () => {
    expect(await log.applyTopics([logTopicSpec(LOGICAL, 8)], false)).toMatchObject([
      { topic: PHYSICAL, action: 'none' },
    ]);
    expect(await log.ends(LOGICAL)).toHaveLength(2);
  });

  it('is asked for again where nobody has answered', async () => {
    let isAway = true;
    const away = new CurrentLog({
      ...faultyLog(inner, new FaultPlan()),
      ends: (topic) => (isAway ? Promise.reject(new Error('away')) : inner.ends(topic)),
    });
    await expect(away.ends(LOGICAL)).rejects.toThrow('away');
    isAway = false;
    expect(await away.ends(LOGICAL)).toHaveLength(2);
  });
});

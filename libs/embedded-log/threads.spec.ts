import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { builtFile, eventually, TempDir } from '#testing';
import { EmbeddedLog } from './embedded-log.js';

const PARTITIONS = 3;

describe('a log that several threads have open', () => {
  let directory: TempDir;
  let log: EmbeddedLog;
  const guests: Worker[] = [];

  beforeEach(async () => {
    directory = new TempDir('threads');
    log = EmbeddedLog.open({ path: directory.path });
    const common = { partitions: PARTITIONS, retentionMs: -1, maxMessageBytes: 1 << 20 };
    await log.applyTopics(
      [
        { topic: 'in', compacted: false, ...common },
        { topic: 'out', compacted: true, ...common },
      ],
      false,
    );
  });

  afterEach(async () => {
    for (const guest of guests.splice(0)) {
      guest.postMessage('stop');
      await once(guest, 'exit');
    }
    await log.close();
    directory.remove();
  });

  async function guest(index: number, of: number): Promise<unknown> {
    const workerData = { path: directory.path, share: { index, of } };
    const worker = new Worker(builtFile('libs/testing/log-guest.ts'), { workerData });
    guests.push(worker);
    const [assigned] = (await once(worker, 'message')) as [unknown];
    return assigned;
  }

  const append = (values: readonly string[]) =>
    log.append(
      values.map((value, i) => ({
        ...{ topic: 'in', partition: i % PARTITIONS, key: value, value: Buffer.from(value) },
      })),
    );

  /** What stands in `out`, by partition. */
  async function copied(): Promise<string[][]> {
    const found: string[][] = [];
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const values: string[] = [];
      for await (const batch of log.read({ topic: 'out', partition }, 0)) {
        for (const { value } of batch.records) values.push(String(value));
      }
      found.push(values);
    }
    return found;
  }

  it('gives each its share, and wakes each for what another has appended, however quietly', async () => {
    await append(['a0', 'a1', 'a2']);
    expect([await guest(0, 2), await guest(1, 2)]).toEqual([[0, 2], [1]]);
    await eventually(async () => expect(await copied()).toEqual([['a0'], ['a1'], ['a2']]));

    // One by one, each after silence: a wake-up that is lost would be noticed.
    const expected: string[][] = [['a0'], ['a1'], ['a2']];
    for (let i = 0; i < 30; i += 1) {
      await append([`b${i}`]);
      expected[0]?.push(`b${i}`);
      await eventually(async () => expect(await copied()).toEqual(expected));
    }
  });

  it('tells the readers of the first thread what a guest has appended', async () => {
    await guest(0, 1);
    const read: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const batch of log.tail({ topic: 'out', partition: 0 }, 0, stop.signal)) {
        for (const { value } of batch.records) read.push(String(value));
      }
    })();
    // In bursts: the announcement of one append then comes while the snapshot of the one before is still open.
    const expected: string[] = [];
    for (let burst = 0; burst < 20; burst += 1) {
      for (let i = 0; i < 15; i += 1) {
        expected.push(`c${burst}-${i}`);
        await append([`c${burst}-${i}`]);
      }
      await eventually(() => expect(read).toHaveLength(expected.length));
    }
    stop.abort();
    await reading;
    expect(read).toEqual(expected);
  });
});

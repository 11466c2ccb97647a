import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually, LogProbe, RecordingHandler, TempDir } from '#testing';
import { EmbeddedLog } from './index.js';

const DAY_MS = 24 * 3_600_000;

describe('compaction', () => {
  let dir: TempDir;
  let clock = 2e12;
  let log: EmbeddedLog;
  let probe: LogProbe;
  const reopen = (): void => {
    log = EmbeddedLog.open({ path: dir.path, now: () => clock });
    probe = new LogProbe(log);
  };
  const put = (topic: string, pairs: readonly (readonly [string, string | null])[], partition = 0) =>
    log.append(
      pairs.map(([key, value]) => ({
        topic,
        partition,
        key,
        value: value === null ? null : Buffer.from(value),
      })),
    );
  const contents = async (topic: string): Promise<(string | number | null)[][]> =>
    (await probe.readAll(topic, 0)).map(({ offset, key, value }) => [offset, key, value]);

  beforeEach(() => {
    dir = new TempDir('compaction');
    reopen();
  });
  afterEach(async () => {
    await log.close();
    dir.remove();
  });

  it('leaves the newest record of each key where it is', async () => {
    const topic = await probe.topic(1, { compacted: true });
    await put(topic, [['a', '1'], ['b', '1'], ['a', '2']]); // prettier-ignore
    await put(topic, [['c', '1'], ['b', null]]); // prettier-ignore
    await put(topic, [['c', '2']]);
    await log.compact(topic);
    expect(await contents(topic)).toEqual([[2, 'a', '2'], [4, 'b', null], [5, 'c', '2']]); // prettier-ignore
    expect(await log.ends(topic)).toEqual([{ partition: 0, start: 0, end: 6 }]);
    await put(topic, [['a', '3']]);
    await log.compact(topic);
    expect(await contents(topic)).toEqual([[4, 'b', null], [5, 'c', '2'], [6, 'a', '3']]); // prettier-ignore
    await log.close();
    reopen();
    expect(await contents(topic)).toEqual([[4, 'b', null], [5, 'c', '2'], [6, 'a', '3']]); // prettier-ignore
  });

  it('keeps a tombstone for a day', async () => {
    const topic = await probe.topic(1, { compacted: true });
    await put(topic, [['a', '1'], ['a', null], ['b', '1']]); // prettier-ignore
    await log.compact(topic);
    clock += DAY_MS + 1;
    await put(topic, [['b', '2'], ['c', null]]); // prettier-ignore
    await log.compact(topic);
    expect(await contents(topic)).toEqual([[3, 'b', '2'], [4, 'c', null]]); // prettier-ignore
  });

  it('does not disturb those who read along, wherever they are', async () => {
    const topic = await probe.topic(1, { compacted: true });
    for (let i = 0; i < 50; i += 1) await put(topic, [[`k${i % 5}`, `${i}`]]);
    const handler = new RecordingHandler({ startAt: () => 20 });
    const consumer = log.consumer({ group: 'g', topics: [topic], batchRecordsMax: 3 });
    await log.compact(topic);
    await consumer.start(handler);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(['45', '46', '47', '48', '49']));
    for (let i = 50; i < 60; i += 1) await put(topic, [[`k${i % 5}`, `${i}`]]);
    await eventually(() => expect(handler.valuesOf(0)).toContain('59'));
    await log.compact(topic);
    await put(topic, [['last', 'one']]);
    await eventually(() => expect(handler.valuesOf(0)).toContain('one'));
    expect(handler.batches.at(-1)?.nextOffset).toBe(61);
  });

  it('begins by itself when enough has gathered', async () => {
    const topic = await probe.topic(2, { compacted: true });
    const rounds = 105;
    for (let i = 0; i < rounds; i += 1) {
      await put(topic, Array.from({ length: 5_000 }, (_, n) => [`k${n % 500}`, `${i}`]), 1); // prettier-ignore
    }
    await eventually(async () => expect((await probe.readAll(topic, 1)).length).toBeLessThan(30_000));
    const last = new Map((await probe.readAll(topic, 1)).map(({ key, value }) => [key, value]));
    expect([...last.values()].every((value) => value === `${rounds - 1}`)).toBe(true);
    expect(last.size).toBe(500);
  });

  it('gives the same map of keys as the whole log, whatever was written', async () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.string()), { maxLength: 8 }),
      },
      { weight: 1, arbitrary: fc.constant('compact' as const) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const topic = await probe.topic(1, { compacted: true });
        const expected = new Map<string | null, string | null>();
        let written = 0;
        for (const what of steps) {
          if (what === 'compact') await log.compact(topic);
          else if (what === 'reopen') {
            await log.close();
            reopen();
          } else {
            await put(topic, what);
            for (const [key, value] of what) expected.set(key, value);
            written += what.length;
          }
        }
        await log.compact(topic);
        const found = await probe.readAll(topic, 0);
        expect(new Map(found.map(({ key, value }) => [key, value]))).toEqual(expected);
        expect(found).toHaveLength(expected.size);
        expect((await log.ends(topic))[0]?.end).toBe(written);
      }),
      { numRuns: 40 },
    );
  });
});

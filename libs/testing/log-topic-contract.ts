import { describe, expect, it } from '@jest/globals';
import type { LogProbe } from './log-probe.js';
import { eventually, LogProbe as Probe, numbered, seenRecords, values } from './log-probe.js';

/** Topics, plain appends, `read`, `tail` and `ends`. */
export function topicContract(probe: () => LogProbe, timeoutMs: number): void {
  describe('topics', () => {
    it(
      'plans without doing, creates once, then finds nothing to do',
      async () => {
        const { log } = probe();
        const spec = Probe.spec(2);
        expect(await log.applyTopics([spec], true)).toMatchObject([{ topic: spec.topic, action: 'create' }]);
        expect(await log.ends(spec.topic)).toEqual([]);
        expect(await log.applyTopics([spec], false)).toMatchObject([{ action: 'create' }]);
        await eventually(async () => expect(await log.ends(spec.topic)).toHaveLength(2));
        for (const dryRun of [true, false]) {
          const again = await eventually(async () => {
            const steps = await log.applyTopics([spec], dryRun);
            expect(steps).toMatchObject([{ topic: spec.topic, action: 'none' }]);
            return steps;
          });
          expect(again).toHaveLength(1);
        }
      },
      timeoutMs,
    );

    it(
      'widens what may be widened and calls the rest a conflict',
      async () => {
        const { log } = probe();
        const spec = Probe.spec(3);
        await probe().topic(3, spec);
        const larger = { ...spec, maxMessageBytes: 2_000_000 };
        expect(await log.applyTopics([larger], true)).toMatchObject([{ action: 'alter' }]);
        expect(await log.applyTopics([larger], false)).toMatchObject([{ action: 'alter' }]);
        await eventually(async () =>
          expect(await log.applyTopics([larger], false)).toMatchObject([{ action: 'none' }]),
        );
        const fewer = { ...larger, partitions: 2 };
        expect(await log.applyTopics([fewer], false)).toMatchObject([{ action: 'conflict' }]);
        expect(await log.ends(spec.topic)).toHaveLength(3);
      },
      timeoutMs,
    );

    it(
      'drops one with its records and positions, and leaves the others alone',
      async () => {
        const { log } = probe();
        const group = probe().group();
        const kept = await probe().topic(2);
        const topic = await probe().topic(2);
        for (const one of [kept, topic]) {
          const input = { topic: one, partition: 1 };
          await probe().appendNumbered(one, 1, 0, 10);
          const writer = await log.writer(group, input);
          await writer.commit({ records: [], positions: [{ ...input, offset: 7 }] });
          await writer.close();
        }
        await log.dropTopic(topic);
        await eventually(async () => expect(await log.ends(topic)).toEqual([]));
        // The name can be used anew, once the log has done with the old one.
        await eventually(async () => {
          await log.applyTopics([Probe.spec(2, { topic })], false);
          expect(await log.ends(topic)).toEqual([
            { partition: 0, start: 0, end: 0 },
            { partition: 1, start: 0, end: 0 },
          ]);
        });
        expect(await log.committed(group, { topic, partition: 1 })).toBeNull();
        expect(await log.committed(group, { topic: kept, partition: 1 })).toBe(7);
        expect(await probe().readAll(kept, 1)).toHaveLength(10);
      },
      timeoutMs,
    );
  });

  describe('append and read', () => {
    it(
      'keeps order, nulls and bytes, and stamps append times that never go back',
      async () => {
        const topic = await probe().topic(2);
        const bytes = Buffer.from([0, 255, 1, 254, 0]);
        const first = await probe().log.append([
          { topic, partition: 0, key: 'text', value: Buffer.from('人') },
          { topic, partition: 0, key: bytes, value: bytes },
          { topic, partition: 1, key: 'other', value: Buffer.from('1') },
          { topic, partition: 0, key: null, value: Buffer.alloc(0) },
          { topic, partition: 0, key: 'gone', value: null },
        ]);
        const second = await probe().log.append([
          { topic, partition: 0, key: Buffer.alloc(0), value: Buffer.alloc(300_000, 7) },
        ]);
        const keys: (Buffer | null)[] = [];
        const found: (Buffer | null)[] = [];
        const times: number[] = [];
        const offsets: number[] = [];
        for await (const { records } of probe().log.read({ topic, partition: 0 }, 0)) {
          for (const { offset, timestamp, key, value } of records) {
            keys.push(key === null ? null : Buffer.from(key));
            found.push(value === null ? null : Buffer.from(value));
            times.push(timestamp);
            offsets.push(offset);
          }
        }
        expect(keys).toEqual([Buffer.from('text'), bytes, null, Buffer.from('gone'), Buffer.alloc(0)]);
        expect(found.slice(0, 4)).toEqual([Buffer.from('人'), bytes, Buffer.alloc(0), null]);
        expect(found[4]?.equals(Buffer.alloc(300_000, 7))).toBe(true);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
        expect(new Set(offsets).size).toBe(5);
        expect(times[3]).toBeLessThanOrEqual(first.appendedAt ?? 0);
        expect(second.appendedAt).toBe(times[4]);
        expect(await probe().valuesOf(topic, 1, 1)).toEqual(['1']);
      },
      timeoutMs,
    );

    it(
      'reads a part, up to the end as of the call',
      async () => {
        const topic = await probe().topic();
        await probe().appendNumbered(topic, 0, 0, 100);
        const all = await probe().readAll(topic, 0);
        expect(all.map(({ value }) => value)).toEqual(values(0, 100));
        const from = all[40]?.offset ?? -1;
        const to = all[60]?.offset ?? -1;
        expect((await probe().readAll(topic, 0, from, to)).map(({ value }) => value)).toEqual(values(40, 20));
        const [ends] = await probe().log.ends(topic);
        expect(await probe().readAll(topic, 0, ends?.end)).toEqual([]);

        const reading = probe().log.read({ topic, partition: 0 }, 0)[Symbol.asyncIterator]();
        const begun = await reading.next();
        await probe().appendNumbered(topic, 0, 100, 5);
        const seen = begun.done === true ? [] : seenRecords(begun.value);
        for (let step = await reading.next(); step.done !== true; step = await reading.next()) {
          seen.push(...seenRecords(step.value));
        }
        expect(seen.map(({ value }) => value)).toEqual(values(0, 100));
      },
      timeoutMs,
    );

    it(
      'says where partitions begin and end',
      async () => {
        const { log } = probe();
        expect(await log.ends(Probe.spec(1).topic)).toEqual([]);
        const topic = await probe().topic(2);
        expect(await log.ends(topic)).toEqual([
          { partition: 0, start: 0, end: 0 },
          { partition: 1, start: 0, end: 0 },
        ]);
        await probe().appendNumbered(topic, 1, 0, 7);
        expect(await log.ends(topic)).toEqual([
          { partition: 0, start: 0, end: 0 },
          { partition: 1, start: 0, end: 7 },
        ]);
        let next = 0;
        for await (const batch of log.read({ topic, partition: 1 }, 0)) next = batch.nextOffset;
        expect(next).toBe(7);
      },
      timeoutMs,
    );

    it(
      'takes appends from several callers at once',
      async () => {
        const topic = await probe().topic();
        await Promise.all(
          Array.from({ length: 10 }, (_, i) => probe().log.append(numbered(topic, 0, i * 100, 100))),
        );
        const found = await probe().valuesOf(topic, 0, 1_000);
        expect([...found].sort()).toEqual(values(0, 1_000).sort());
      },
      timeoutMs,
    );

    it(
      'tails: what is there, then what comes, until it is told to stop',
      async () => {
        const topic = await probe().topic();
        await probe().appendNumbered(topic, 0, 0, 10);
        const stop = new AbortController();
        const seen: (string | null)[] = [];
        const tailing = (async () => {
          for await (const batch of probe().log.tail({ topic, partition: 0 }, 4, stop.signal)) {
            seen.push(...seenRecords(batch).map(({ value }) => value));
          }
        })();
        await eventually(() => expect(seen).toEqual(values(4, 6)));
        for (let i = 0; i < 3; i += 1) {
          await probe().appendNumbered(topic, 0, 10 + i, 1);
          await eventually(() => expect(seen).toEqual(values(4, 7 + i)));
        }
        stop.abort();
        await tailing;
        expect(seen).toEqual(values(4, 9));
      },
      timeoutMs,
    );
  });
}

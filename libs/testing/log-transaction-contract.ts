import { describe, expect, it } from '@jest/globals';
import { OwnershipLostError } from '#pipeline';
import { eventually, numbered, values, type LogProbe } from './log-probe.js';

/** The transactional writer: atomicity, fencing, positions, size. */
export function transactionContract(probe: () => LogProbe, timeoutMs: number): void {
  describe('transactions', () => {
    it(
      'makes records and positions visible together',
      async () => {
        const { log } = probe();
        const group = probe().group();
        const input = { topic: await probe().topic(), partition: 0 };
        const output = await probe().topic(2);
        const writer = await log.writer(group, input);
        expect(await log.committed(group, input)).toBeNull();
        const receipt = await writer.commit({
          records: [...numbered(output, 0, 0, 3), ...numbered(output, 1, 3, 2)],
          positions: [{ ...input, offset: 42 }],
        });
        expect(await probe().valuesOf(output, 0, 3)).toEqual(values(0, 3));
        expect(await probe().valuesOf(output, 1, 2)).toEqual(values(3, 2));
        await eventually(async () => expect(await log.committed(group, input)).toBe(42));
        expect(await log.committed(probe().group(), input)).toBeNull();
        const times = (await probe().readAll(output, 1)).map(({ timestamp }) => timestamp);
        expect(receipt.appendedAt).toBeGreaterThanOrEqual(Math.max(...times));
        await writer.close();
      },
      timeoutMs,
    );

    it(
      'commits records without positions, positions without records, and nothing',
      async () => {
        const { log } = probe();
        const group = probe().group();
        const input = { topic: await probe().topic(), partition: 0 };
        const output = await probe().topic();
        const writer = await log.writer(group, input);
        const sent = await writer.commit({ records: numbered(output, 0, 0, 1), positions: [] });
        expect(sent.appendedAt).not.toBeNull();
        const moved = await writer.commit({ records: [], positions: [{ ...input, offset: 7 }] });
        expect(moved.appendedAt).toBeNull();
        expect(await writer.commit({ records: [], positions: [] })).toEqual({ appendedAt: null });
        await eventually(async () => expect(await log.committed(group, input)).toBe(7));
        expect(await probe().valuesOf(output, 0, 1)).toEqual(values(0, 1));
        await writer.close();
      },
      timeoutMs,
    );

    it(
      'is settled when what was committed can be seen',
      async () => {
        const { log } = probe();
        const input = { topic: await probe().topic(), partition: 0 };
        const output = await probe().topic(2);
        const writer = await log.writer(probe().group(), input);
        await writer.commit({ records: numbered(output, 1, 0, 3), positions: [] });
        await log.settled(output);
        const found: string[] = [];
        for await (const { records } of log.read({ topic: output, partition: 1 }, 0)) {
          found.push(...records.map(({ value }) => String(value)));
        }
        expect(found).toEqual(values(0, 3));
        await writer.close();
      },
      timeoutMs,
    );

    it(
      'keeps the order of commits that follow at once',
      async () => {
        const { log } = probe();
        const group = probe().group();
        const input = { topic: await probe().topic(), partition: 0 };
        const output = await probe().topic();
        const writer = await log.writer(group, input);
        for (let i = 0; i < 25; i += 1) {
          const positions = [{ ...input, offset: i + 1 }];
          await writer.commit({ records: numbered(output, 0, i * 4, i % 5 === 4 ? 0 : 4), positions });
        }
        const expected = Array.from({ length: 25 }, (_, i) => (i % 5 === 4 ? [] : values(i * 4, 4))).flat();
        expect(await probe().valuesOf(output, 0, expected.length)).toEqual(expected);
        await eventually(async () => expect(await log.committed(group, input)).toBe(25));
        await writer.close();
      },
      timeoutMs,
    );

    it(
      'fences the older writer of a pair, for good, and no other',
      async () => {
        const { log } = probe();
        const group = probe().group();
        const topic = await probe().topic(2);
        const input = { topic, partition: 0 };
        const output = await probe().topic();
        const commitOf = (first: number, partition = 0) => ({
          records: numbered(output, 0, first, 1),
          positions: [{ topic, partition, offset: first }],
        });
        const old = await log.writer(group, input);
        const neighbour = await log.writer(group, { topic, partition: 1 });
        const stranger = await log.writer(probe().group(), input);
        await old.commit(commitOf(1));
        const successor = await log.writer(group, input);
        await expect(old.commit(commitOf(100))).rejects.toThrow(OwnershipLostError);
        await successor.commit(commitOf(2));
        await expect(old.commit(commitOf(101))).rejects.toThrow();
        await neighbour.commit(commitOf(3, 1));
        await stranger.commit(commitOf(4));
        await successor.commit(commitOf(5));
        expect(await probe().valuesOf(output, 0, 5)).toEqual(values(1, 5));
        await eventually(async () => expect(await log.committed(group, input)).toBe(5));
        for (const writer of [old, successor, neighbour, stranger]) await writer.close();
      },
      timeoutMs,
    );

    it(
      'takes 3 MB at once and shows each partition all of it or nothing',
      async () => {
        const { log } = probe();
        const group = probe().group();
        const input = { topic: await probe().topic(), partition: 0 };
        const output = await probe().topic(2, { maxMessageBytes: 1_000_000 });
        const writer = await log.writer(group, input);
        const big = (partition: number, count: number) =>
          Array.from({ length: count }, (_, i) => ({
            topic: output,
            partition,
            key: `k${i}`,
            value: Buffer.alloc(i % 100 === 0 ? 20_000 : 1_000, i),
          }));
        const records = [...big(0, 1_500), ...big(1, 900)];
        expect(records.reduce((sum, { value }) => sum + value.length, 0)).toBeGreaterThan(2_800_000);

        let committing = true;
        const commit = writer
          .commit({ records, positions: [{ ...input, offset: 9 }] })
          .finally(() => (committing = false));
        const glimpses = new Set<number>();
        while (committing) {
          glimpses.add((await probe().readAll(output, 0)).length);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await commit;
        glimpses.delete(0);
        glimpses.delete(1_500);
        expect([...glimpses]).toEqual([]);
        await probe().valuesOf(output, 0, 1_500);
        await probe().valuesOf(output, 1, 900);
        let at = 0;
        for await (const batch of log.read({ topic: output, partition: 0 }, 0)) {
          for (const { key, value } of batch.records) {
            if (key?.toString() !== `k${at}` || value?.[0] !== at % 256)
              throw new Error(`record ${at} differs`);
            at += 1;
          }
        }
        expect(at).toBe(1_500);
        await writer.close();
      },
      timeoutMs,
    );

    it(
      'writes tombstones to a compacted topic and keeps the newest of each key',
      async () => {
        const topic = await probe().topic(1, { compacted: true });
        const input = { topic: await probe().topic(), partition: 0 };
        const writer = await probe().log.writer(probe().group(), input);
        const record = (key: string, value: Buffer | null) => ({ topic, partition: 0, key, value });
        await writer.commit({
          records: [record('a', Buffer.from('1')), record('b', Buffer.from('2'))],
          positions: [],
        });
        await writer.commit({ records: [record('a', null), record('b', Buffer.from('3'))], positions: [] });
        await eventually(async () => {
          const last = new Map((await probe().readAll(topic, 0)).map(({ key, value }) => [key, value]));
          expect([...last]).toEqual([
            ['a', null],
            ['b', '3'],
          ]);
        });
        await writer.close();
      },
      timeoutMs,
    );
  });
}

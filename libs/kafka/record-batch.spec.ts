import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeRecordSet, type AbortedTransaction } from './record-batch-decoder.js';
import { encodeRecordBatch, type RecordData } from './record-batch-encoder.js';

interface StockRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
/** KafkaJS's own codecs, as the other opinion. */
const require = createRequire(import.meta.url);
const StockDecoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => object;
const stockDecode = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: object,
) => Promise<{ records: StockRecord[] }>;
const stockRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  record: object,
) => object;
const { RecordBatch: stockBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
};

const identity = {
  producerId: '1',
  producerEpoch: 0,
  firstSequence: 0,
  isTransactional: false,
  timestamp: 5,
};
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((data) => Buffer.from(data));
const anyRecord = fc.record({ key: fc.option(bytes(300)), value: fc.option(bytes(300)) });

/** Places a batch in the log. */
function at(baseOffset: number, batch: Buffer): Buffer {
  const placed = Buffer.from(batch);
  placed.writeBigInt64BE(BigInt(baseOffset), 0);
  return placed;
}

/** What the coordinator writes at the end of a transaction. */
function marker(baseOffset: number, producerId: number, commit: boolean): Buffer {
  const key = Buffer.from([0, 0, 0, commit ? 1 : 0]);
  const value = Buffer.alloc(6);
  const batch = encodeRecordBatch([{ key, value }], { ...identity, producerId: String(producerId) });
  batch.writeInt16BE(0x30, 21);
  return at(baseOffset, batch);
}

function plain(records: readonly { key: Buffer | null; value: Buffer | null; offset: number }[]) {
  return records.map(({ offset, key, value }) => ({ offset, key, value }));
}

describe('record batches', () => {
  it('are written so that KafkaJS reads them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 200 }), async (records) => {
        const { records: read } = await stockDecode(new StockDecoder(encodeRecordBatch(records, identity)));
        expect(read.map(({ key, value }) => ({ key, value }))).toEqual(records);
        expect(read.map(({ offset }) => Number(offset))).toEqual(records.map((_, i) => i));
        expect(read.every(({ timestamp }) => timestamp === '5')).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('are read as KafkaJS writes them, from any offset on, with headers and times', async () => {
    const record = fc.record({
      key: fc.option(bytes(100)),
      value: fc.option(bytes(100)),
      headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ maxLength: 8 }), {
        maxKeys: 3,
      }),
      timestampDelta: fc.integer({ min: -100_000, max: 10_000_000_000 }),
    });
    const base = fc.integer({ min: 0, max: 2 ** 47 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 50 }),
        base,
        fc.nat(60),
        async (given, start, skip) => {
          const { buffer } = await stockBatch({
            records: given.map((one, offsetDelta) => stockRecord({ ...one, offsetDelta })),
            firstTimestamp: 1_700_000_000_000,
            maxTimestamp: 1_700_000_000_000,
            producerId: '-1',
            producerEpoch: 0,
            firstSequence: 0,
            lastOffsetDelta: given.length - 1,
            transactional: false,
          });
          const { records, nextOffset } = await decodeRecordSet(at(start, buffer), start + skip, []);
          const expected = given
            .map(({ key, value, timestampDelta }, i) => ({
              offset: start + i,
              timestamp: 1_700_000_000_000 + timestampDelta,
              key,
              value,
            }))
            .slice(skip);
          expect(
            records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value })),
          ).toEqual(expected);
          expect(nextOffset).toBe(Math.max(start + skip, start + given.length));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('take the append time of the broker, and may be cut off or compressed', async () => {
    const records = [{ key: null, value: Buffer.from('a') }];
    const stamped = encodeRecordBatch(records, identity);
    stamped.writeInt16BE(0x8, 21);
    stamped.writeBigInt64BE(99n, 35);
    const packedBody = gzipSync(stamped.subarray(61));
    const packed = Buffer.concat([stamped.subarray(0, 61), packedBody]);
    packed.writeInt32BE(packed.length - 12, 8);
    packed.writeInt16BE(0x9, 21);
    const set = Buffer.concat([at(7, stamped), at(8, packed), at(9, stamped).subarray(0, -2)]);
    const decoded = await decodeRecordSet(set, 7, []);
    expect(
      decoded.records.map(({ offset, timestamp, value }) => [offset, timestamp, value?.toString()]),
    ).toEqual([
      [7, 99, 'a'],
      [8, 99, 'a'],
    ]);
    expect(decoded.nextOffset).toBe(9);
  });

  it('show a reader the committed transactions only, however they overlap', async () => {
    const step = fc.record({
      producer: fc.integer({ min: 1, max: 4 }),
      what: fc.constantFrom(
        'send' as const,
        'send' as const,
        'plain' as const,
        'commit' as const,
        'abort' as const,
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(80), async (steps, from) => {
        const { set, visible, aborted, end } = simulate(steps);
        const relevant = aborted.filter(({ endOffset }) => endOffset >= from);
        // As the broker answers a fetch: from the batch that holds the offset, here one record each, to the end.
        const bytesFrom = Buffer.concat(set.filter(({ offset }) => offset >= from).map(({ batch }) => batch));
        const decoded = await decodeRecordSet(bytesFrom, from, relevant);
        expect(plain(decoded.records).map(({ offset }) => offset)).toEqual(
          visible.filter((offset) => offset >= from),
        );
        expect(decoded.nextOffset).toBe(Math.max(from, end));
      }),
      { numRuns: 300 },
    );
  });
});

type Step = { readonly producer: number; readonly what: 'send' | 'plain' | 'commit' | 'abort' };

/** A log as the broker would write it for these steps; whatever is open at the end is committed. */
function simulate(steps: readonly Step[]) {
  const set: { offset: number; batch: Buffer }[] = [];
  const open = new Map<number, number[]>();
  const visible: number[] = [];
  const aborted: (AbortedTransaction & { endOffset: number })[] = [];
  const ends = [1, 2, 3, 4].map((producer): Step => ({ producer, what: 'commit' }));
  for (const { producer, what } of [...steps, ...ends]) {
    const offset = set.length;
    // A key that looks like an abort marker, but is not one.
    const record: RecordData = { key: Buffer.from([0, 0, 0, 0]), value: Buffer.from(String(offset)) };
    const own = open.get(producer);
    if (what === 'send' || what === 'plain') {
      const isTransactional = what === 'send';
      set.push({
        offset,
        batch: at(
          offset,
          encodeRecordBatch([record], { ...identity, producerId: String(producer), isTransactional }),
        ),
      });
      if (isTransactional) open.set(producer, [...(own ?? []), offset]);
      else visible.push(offset);
    } else if (own !== undefined) {
      set.push({ offset, batch: marker(offset, producer, what === 'commit') });
      open.delete(producer);
      if (what === 'commit') visible.push(...own);
      else aborted.push({ producerId: BigInt(producer), firstOffset: own[0] ?? 0, endOffset: offset });
    }
  }
  return { set, visible: visible.sort((a, b) => a - b), aborted, end: set.length };
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogRecord } from '#pipeline';
import { BatchReader, CorruptBatchError, encodeDenseBatch, encodeSparseBatch } from './batch-codec.js';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const entry = fc.record({
  key: fc.oneof(fc.constant(null), bytes, fc.string({ unit: 'binary', maxLength: 40 })),
  value: fc.option(bytes, { nil: null }),
});
const base = fc.integer({ min: 0, max: 2 ** 48 });

function readAll(stored: Buffer, baseOffset: number, slice = 1_000): LogRecord[] {
  const reader = new BatchReader(stored, baseOffset, 'test/0');
  const records: LogRecord[] = [];
  while (!reader.done) reader.take(records, records.length + slice, 0, Number.POSITIVE_INFINITY);
  return records;
}

function bytesOf(text: Buffer | string | null): Buffer | null {
  return typeof text === 'string' ? Buffer.from(text) : text;
}

describe('the stored batch', () => {
  it('gives back what was put in, however it is sliced', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 30 }),
        base,
        fc.integer({ min: 1, max: 9 }),
        (entries, offset, slice) => {
          const found = readAll(encodeDenseBatch(offset, 1_762_876_800_000, entries), offset, slice);
          expect(found.map(({ key, value }) => ({ key, value }))).toEqual(
            entries.map(({ key, value }) => ({ key: bytesOf(key), value })),
          );
          expect(found.map((record) => record.offset)).toEqual(entries.map((_, i) => offset + i));
          expect(found.every(({ timestamp }) => timestamp === 1_762_876_800_000)).toBe(true);
        },
      ),
    );
  });

  it('keeps the offsets of what compaction has left', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 400 }),
        base,
        fc.nat(),
        (entries, offset, seed) => {
          const dense = readAll(encodeDenseBatch(offset, 5, entries), offset);
          const kept = dense.filter((_, i) => (i * 2_654_435_761 + seed) % 3 === 0);
          const stored = encodeSparseBatch(offset, dense.length, 5, kept);
          const seen = readAll(stored, offset, 7);
          expect(seen.map((r) => [r.offset, r.key, r.value])).toEqual(
            kept.map((r) => [r.offset, r.key, r.value]),
          );
          expect(new BatchReader(stored, offset, 'test/0').endOffset).toBe(offset + dense.length);
        },
      ),
    );
  });

  it('notices every changed byte and every cut', () => {
    const entries = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: Buffer.alloc(i, i) }));
    const stored = encodeDenseBatch(7, 5, entries);
    for (let at = 0; at < stored.length; at += 1) {
      const changed = Buffer.from(stored);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(() => readAll(changed, 7)).toThrow(CorruptBatchError);
      expect(() => readAll(stored.subarray(0, at), 7)).toThrow(CorruptBatchError);
    }
    expect(() => readAll(stored, 8)).toThrow(/says it begins at 7/);
    expect(() => readAll(Buffer.concat([stored, Buffer.alloc(1)]), 7)).toThrow(/checksum/);
  });

  it('bounds a read by its offsets', () => {
    const entries = Array.from({ length: 10 }, (_, i) => ({ key: null, value: Buffer.from([i]) }));
    const reader = new BatchReader(encodeDenseBatch(100, 5, entries), 100, 'test/0');
    const records: LogRecord[] = [];
    reader.take(records, 50, 103, 106);
    expect(records.map(({ offset }) => offset)).toEqual([103, 104, 105]);
    reader.take(records, 4, 0, 200);
    expect(records.map(({ offset }) => offset)).toEqual([103, 104, 105, 106]);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chunkRecords } from './chunks.js';
import { encodeRecordBatch } from './record-batch-encoder.js';

const identity = { producerId: '1', producerEpoch: 0, firstSequence: 0, isTransactional: true, timestamp: 0 };

describe('chunkRecords', () => {
  it('loses nothing, keeps the order and never exceeds the limit by a byte', () => {
    const record = fc.record({
      key: fc.option(fc.string({ maxLength: 40 })),
      value: fc.option(fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))),
    });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 300 }),
        fc.integer({ min: 700, max: 3_000 }),
        (records, bytesMax) => {
          const chunks = chunkRecords(records, bytesMax);
          expect(chunks.flat()).toEqual(records);
          for (const [index, chunk] of chunks.entries()) {
            expect(encodeRecordBatch(chunk, identity).length).toBeLessThanOrEqual(bytesMax);
            const next = chunks[index + 1]?.[0];
            // As few as possible: the next record would not have fitted.
            if (next !== undefined) {
              expect(encodeRecordBatch([...chunk, next], identity).length).toBeGreaterThan(bytesMax);
            }
          }
        },
      ),
    );
  });

  it('refuses a record that is too large alone', () => {
    const records = [{ key: null, value: Buffer.alloc(2_000) }];
    expect(() => chunkRecords(records, 1_000)).toThrow(RangeError);
  });
});

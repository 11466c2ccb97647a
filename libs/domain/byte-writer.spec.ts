import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

const SKIPPED = 3;
const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double());
const text = fc.oneof(
  fc.string({ maxLength: 100 }),
  fc.string({ unit: 'binary' }),
  fc.constant('引'.repeat(5_000)),
);

describe('bytes', () => {
  it('give back what was written, whatever it is', () => {
    const writer = new ByteWriter();
    fc.assert(
      fc.property(
        fc.array(number),
        fc.array(fc.option(number)),
        fc.array(fc.option(text)),
        (all, some, texts) => {
          writer.start(SKIPPED);
          writer.list(all, (one) => writer.number(one));
          writer.list(some, (one) => writer.nullable(one));
          writer.list(texts, (one) => writer.nullableText(one));
          for (const one of texts) writer.text(one ?? '');
          writer.byte(7);
          const reader = new ByteReader(writer.end(), SKIPPED);
          expect(reader.list(() => reader.number())).toEqual(all);
          // Null is what no number is.
          expect(reader.list(() => reader.nullable())).toEqual(
            some.map((one) => (Number.isNaN(one) ? null : one)),
          );
          expect(reader.list(() => reader.nullableText())).toEqual(texts);
          for (const one of texts) expect(reader.commonText()).toBe(one ?? '');
          expect(reader.byte()).toBe(7);
          reader.end();
        },
      ),
    );
  });

  it('that are cut short or go on are refused', () => {
    const writer = new ByteWriter();
    writer.start(0);
    writer.list(['a', 'bc'], (one) => writer.text(one));
    writer.number(0.5);
    const whole = writer.end();
    const read = (bytes: Buffer): void => {
      const reader = new ByteReader(bytes, 0);
      reader.list(() => reader.text());
      reader.number();
      reader.end();
    };
    read(whole);
    for (let length = 0; length < whole.length; length++) {
      expect(() => read(whole.subarray(0, length))).toThrow(RangeError);
    }
    expect(() => read(Buffer.concat([whole, Buffer.of(0)]))).toThrow(RangeError);
  });
});

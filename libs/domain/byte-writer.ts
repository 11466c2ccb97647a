/** Numbers and texts as few bytes, one behind the other. What it writes, `byte-reader.ts` reads. */
import { writeAscii } from './ascii.js';

const FIRST_BYTES = 4 * 1024;
/** Of a number, at most. */
const NUMBER_BYTES = 9;
/** A UTF-16 unit takes this many bytes at most. */
const UNIT_BYTES_MAX = 3;

/** Integers beyond are written as doubles: doubled and with 1 added they would not be exact any more. */
const INTEGER_MAX = 2 ** 51;
/** Four times 7 bits. */
const LOW_MAX = 2 ** 28 - 1;

export class ByteWriter {
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private at = 0;

  /** Begins anew, behind `skip` bytes that the caller fills. */
  start(skip: number): void {
    this.at = skip;
  }

  /** Bytes that have been written. */
  get size(): number {
    return this.at;
  }

  /** A copy of what has been written; the first bytes are whatever they were. */
  end(): Buffer {
    const copy = Buffer.allocUnsafe(this.at);
    this.bytes.copy(copy, 0, 0, this.at);
    return copy;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  /** Any number: 1 + zigzag in steps of 7 bits; 0 and a double for what is no integer or too large. */
  number(value: number): void {
    this.reserve(NUMBER_BYTES);
    const { bytes } = this;
    if (!Number.isInteger(value) || value > INTEGER_MAX || value < -INTEGER_MAX || Object.is(value, -0)) {
      bytes[this.at] = 0;
      bytes.writeDoubleLE(value, this.at + 1);
      this.at += NUMBER_BYTES;
      return;
    }
    let at = this.at;
    let left = value < 0 ? -2 * value : 2 * value + 1;
    // An instant is beyond what is shifted as an integer: its lower four bytes go first.
    if (left > LOW_MAX) {
      const low = left % (LOW_MAX + 1);
      bytes[at] = low | 0x80;
      bytes[at + 1] = (low >>> 7) | 0x80;
      bytes[at + 2] = (low >>> 14) | 0x80;
      bytes[at + 3] = (low >>> 21) | 0x80;
      at += 4;
      left = (left - low) / (LOW_MAX + 1);
    }
    for (; left > 0x7f; left >>>= 7) bytes[at++] = left | 0x80;
    bytes[at++] = left;
    this.at = at;
  }

  /** NaN stands for null. */
  nullable(value: number | null): void {
    this.number(value ?? Number.NaN);
  }

  text(value: string): void {
    const { length } = value;
    this.reserve(NUMBER_BYTES + UNIT_BYTES_MAX * length);
    const before = this.at;
    this.number(length);
    if (writeAscii(this.bytes, this.at, value)) {
      this.at += length;
      return;
    }
    this.at = before;
    const size = Buffer.byteLength(value, 'utf8');
    this.number(size);
    this.bytes.write(value, this.at, size, 'utf8');
    this.at += size;
  }

  /** A length of −1 stands for null. */
  nullableText(value: string | null): void {
    if (value === null) this.number(-1);
    else this.text(value);
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.number(items.length);
    for (const item of items) write(item);
  }

  private reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.at + size));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}

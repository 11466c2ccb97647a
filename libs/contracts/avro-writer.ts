/** Writes Avro's primitive forms, one framed record after the other, without an object per value. */
import { writeAscii } from '#domain';
import { FRAME_BYTES, MAGIC } from './framing.js';

const SLAB_BYTES = 64 * 1024;
/** The most bytes an int or a long takes. */
const LONG_BYTES_MAX = 10;
/** A UTF-16 unit takes this many bytes at most. */
const UNIT_BYTES_MAX = 3;
const SECOND_BRANCH = 2;
const LONG_MIN = -(2 ** 52);

export class AvroWriter {
  /** Records stand in it one behind the other; a full one is left to those who hold records in it. */
  private bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  private from = 0;
  private at = 0;

  constructor(private readonly schemaId: number) {}

  /** Begins a record; one that was not ended is dropped. */
  start(): void {
    this.at = this.from;
    this.reserve(FRAME_BYTES);
    this.bytes[this.at] = MAGIC;
    this.bytes.writeInt32BE(this.schemaId, this.at + 1);
    this.at += FRAME_BYTES;
  }

  /** The record, framed. Its bytes are written once and never again. */
  end(): Buffer {
    const record = this.bytes.subarray(this.from, this.at);
    this.from = this.at;
    return record;
  }

  /** int and long: zigzag, 7 bits a byte. @throws RangeError for what is no integer, or below −2^52 */
  long(value: number): void {
    // Doubled it has to be an exact number still, and the odd ones end at 2^53.
    if (!Number.isSafeInteger(value) || value < LONG_MIN)
      throw new RangeError(`${value} is no integer that can be written`);
    this.reserve(LONG_BYTES_MAX);
    const { bytes } = this;
    let at = this.at;
    let left = value < 0 ? -2 * value - 1 : 2 * value;
    while (left > 0x7f) {
      // The lowest bits are the same, whatever lies beyond 32 of them.
      bytes[at++] = (left & 0x7f) | 0x80;
      left = Math.floor(left / 128);
    }
    bytes[at++] = left;
    this.at = at;
  }

  boolean(value: boolean): void {
    this.reserve(1);
    this.bytes[this.at++] = value ? 1 : 0;
  }

  text(value: string): void {
    const { length } = value;
    this.reserve(LONG_BYTES_MAX + UNIT_BYTES_MAX * length);
    const before = this.at;
    this.long(length);
    if (writeAscii(this.bytes, this.at, value)) {
      this.at += length;
      return;
    }
    this.at = before;
    const size = Buffer.byteLength(value, 'utf8');
    this.long(size);
    this.bytes.write(value, this.at, size, 'utf8');
    this.at += size;
  }

  optionalText(value: string | null): void {
    this.present(value !== null);
    if (value !== null) this.text(value);
  }

  optionalLong(value: number | null): void {
    this.present(value !== null);
    if (value !== null) this.long(value);
  }

  /** @throws RangeError when `value` is none of them */
  symbol<T>(symbols: readonly T[], value: T): void {
    const index = symbols.indexOf(value);
    if (index < 0) throw new RangeError(`${String(value)} is none of ${symbols.join(', ')}`);
    this.long(index);
  }

  optionalBoolean(value: boolean | null): void {
    this.present(value !== null);
    if (value !== null) this.boolean(value);
  }

  /** @throws RangeError when `value` is none of them */
  optionalSymbol<T>(symbols: readonly T[], value: T | null): void {
    this.present(value !== null);
    if (value !== null) this.symbol(symbols, value);
  }

  /** The branch of a union of null and something. */
  present(isPresent: boolean): void {
    this.reserve(1);
    this.bytes[this.at++] = isPresent ? SECOND_BRANCH : 0;
  }

  private reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const written = this.bytes.subarray(this.from, this.at);
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (written.length + size)));
    written.copy(slab);
    this.bytes = slab;
    this.from = 0;
    this.at = written.length;
  }
}

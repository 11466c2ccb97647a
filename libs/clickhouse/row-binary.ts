/**
 * Rows in ClickHouse's format `RowBinaryWithDefaults`: before each value a byte that says whether the column's
 * default stands for it, then the value as the column's type has it in memory. It takes the engine half of the time
 * that the same rows take as JSON.
 */
import { writeAscii } from '#domain';

const FIRST_BYTES = 1 << 20;
/** Of a number with the bytes that stand before it, at most. */
const NUMBER_BYTES = 12;
/** A UTF-16 unit takes this many bytes at most. */
const UNIT_BYTES_MAX = 3;
const HIGH = 2 ** 32;

export const ROW_FORMAT = 'RowBinaryWithDefaults';

export class RowBinary {
  private buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private view = viewOf(this.buffer);
  private at = 0;

  /** What has been written, to be used before anything else is written. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  /** Bytes of memory that it holds. */
  get capacity(): number {
    return this.buffer.length;
  }

  clear(): void {
    this.at = 0;
  }

  /** The defaults of so many columns. */
  defaults(columns: number): void {
    this.reserve(columns);
    for (let left = columns; left > 0; left -= 1) this.buffer[this.at++] = 1;
  }

  /** What stands before a value. @param nullable   the column's type is `Nullable` */
  value(nullable: boolean): void {
    this.reserve(NUMBER_BYTES);
    this.buffer[this.at++] = 0;
    if (nullable) this.buffer[this.at++] = 0;
  }

  null(): void {
    this.reserve(NUMBER_BYTES);
    this.buffer[this.at++] = 0;
    this.buffer[this.at++] = 1;
  }

  text(value: string): void {
    const { length } = value;
    this.reserve(NUMBER_BYTES + UNIT_BYTES_MAX * length);
    const before = this.at;
    this.length(length);
    if (writeAscii(this.buffer, this.at, value)) {
      this.at += length;
      return;
    }
    this.at = before;
    const size = Buffer.byteLength(value, 'utf8');
    this.length(size);
    this.buffer.write(value, this.at, size, 'utf8');
    this.at += size;
  }

  /** Of a text or an array. */
  length(value: number): void {
    this.reserve(NUMBER_BYTES);
    let left = value;
    while (left > 0x7f) {
      this.buffer[this.at++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.buffer[this.at++] = left;
  }

  /** @param value   fits into so many bytes, with or without sign */
  small(value: number, bytes: 1 | 2 | 4): void {
    this.reserve(NUMBER_BYTES);
    if (bytes === 1) this.view.setInt8(this.at, value);
    else if (bytes === 2) this.view.setInt16(this.at, value, true);
    else this.view.setInt32(this.at, value, true);
    this.at += bytes;
  }

  /** Eight bytes. @param value   a safe integer */
  long(value: number): void {
    this.reserve(NUMBER_BYTES);
    const high = Math.floor(value / HIGH);
    this.view.setInt32(this.at, value - high * HIGH, true);
    this.view.setInt32(this.at + 4, high, true);
    this.at += 8;
  }

  /** Eight bytes. @param value   of 64 bits, with or without sign: its bits are the same */
  bigLong(value: bigint): void {
    this.reserve(NUMBER_BYTES);
    this.view.setBigInt64(this.at, value, true);
    this.at += 8;
  }

  double(value: number): void {
    this.reserve(NUMBER_BYTES);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  private reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.at + size));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
    this.view = viewOf(larger);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

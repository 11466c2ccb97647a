/**
 * Rows in ClickHouse's format `RowBinaryWithDefaults`: before each value a byte that says whether the column's
 * default stands for it, then the value as the column's type has it in memory. It takes the engine half of the time
 * that the same rows take as JSON.
 */
import { writeAscii } from '#domain';
import type { CompactValue } from './clickhouse.js';
import type { ColumnWriter } from './column-writers.js';

const FIRST_BYTES = 1 << 20;
/** Of a number with the bytes that stand before it, at most. */
const NUMBER_BYTES = 12;
/** A UTF-16 unit takes this many bytes at most. */
const UNIT_BYTES_MAX = 3;
const HIGH = 2 ** 32;

export const ROW_FORMAT = 'RowBinaryWithDefaults';

export class RowBinary {
  private buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private at = 0;

  /** What has been written, to be used before anything else is written. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  clear(): void {
    this.at = 0;
  }

  /**
   * @param cells   in the order of `columns`; a shorter row takes the defaults of the columns it leaves out, and null
   *                is the default where it cannot be stored
   * @throws ClickHouseFailure (`INVALID`) for what is no value of its column; the row may be written in part then
   */
  row(columns: readonly ColumnWriter[], cells: readonly CompactValue[]): void {
    this.reserve(columns.length);
    const given = Math.min(cells.length, columns.length);
    for (let place = 0; place < given; place += 1) {
      const cell = cells[place];
      const column = columns[place];
      if (cell === undefined || column === undefined) this.buffer[this.at++] = 1;
      else column.write(this, cell);
    }
    const left = columns.length - given;
    this.reserve(left);
    this.buffer.fill(1, this.at, this.at + left);
    this.at += left;
  }

  default(): void {
    this.reserve(NUMBER_BYTES);
    this.buffer[this.at++] = 1;
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
    let left = value;
    for (let i = 0; i < bytes; i += 1) {
      this.buffer[this.at++] = left & 0xff;
      left >>= 8;
    }
  }

  /** Eight bytes. @param value   a safe integer */
  long(value: number): void {
    const high = Math.floor(value / HIGH);
    this.small(value - high * HIGH, 4);
    this.small(high, 4);
  }

  /** Eight bytes. @param value   of 64 bits, with or without sign */
  bigLong(value: bigint): void {
    this.reserve(NUMBER_BYTES);
    this.at = this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.at);
  }

  double(value: number): void {
    this.reserve(NUMBER_BYTES);
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  private reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.at + size));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

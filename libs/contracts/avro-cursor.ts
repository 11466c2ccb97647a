/** Reads Avro's primitive forms from one buffer after the other, without an object per value. */
import { LogCorruptError } from '#pipeline';
import { TextInterner, utf8 } from './text-interner.js';

const SECOND_BRANCH = 2;

export class AvroCursor {
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private readonly interner = new TextInterner();

  start(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
  }

  /** @throws LogCorruptError unless exactly all bytes have been read */
  end(): void {
    if (this.at !== this.bytes.length) {
      throw new LogCorruptError(`a record of ${this.bytes.length} bytes ends at byte ${this.at}`);
    }
  }

  /** int and long: zigzag, 7 bits a byte. Integer arithmetic up to 28 bits, then floating point. */
  long(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++] ?? 0;
    let bits = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
      byte = bytes[at++] ?? 0;
      bits |= (byte & 0x7f) << shift;
    }
    if (byte <= 0x7f) {
      this.at = at;
      return (bits >>> 1) ^ -(bits & 1);
    }
    let value = bits;
    for (let scale = 0x1000_0000; byte > 0x7f; scale *= 128) {
      byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
    }
    this.at = at;
    const magnitude = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    if (!Number.isSafeInteger(magnitude)) throw new LogCorruptError('an integer beyond 2^53');
    return magnitude;
  }

  boolean(): boolean {
    return this.bytes[this.at++] === 1;
  }

  text(): string {
    const length = this.long();
    const start = this.at;
    this.at = this.checked(start + length, length);
    return utf8(this.bytes, start, this.at);
  }

  /** A text that other records have too. */
  commonText(): string {
    const length = this.long();
    const start = this.at;
    this.at = this.checked(start + length, length);
    return this.interner.read(this.bytes, start, this.at);
  }

  skipText(): void {
    const length = this.long();
    this.at = this.checked(this.at + length, length);
  }

  /** The branch of a union of null and something: true for the something. */
  present(): boolean {
    const branch = this.bytes[this.at++];
    if (branch === 0) return false;
    if (branch === SECOND_BRANCH) return true;
    throw new LogCorruptError(`byte ${this.at - 1} chooses neither null nor a value`);
  }

  optionalText(): string | null {
    return this.present() ? this.text() : null;
  }

  optionalCommonText(): string | null {
    return this.present() ? this.commonText() : null;
  }

  skipOptionalText(): void {
    if (this.present()) this.skipText();
  }

  optionalLong(): number | null {
    return this.present() ? this.long() : null;
  }

  optionalBoolean(): boolean | null {
    return this.present() ? this.boolean() : null;
  }

  symbol<T>(symbols: readonly T[]): T {
    const index = this.long();
    const symbol = symbols[index];
    if (symbol === undefined) throw new LogCorruptError(`no enum symbol ${index}`);
    return symbol;
  }

  optionalSymbol<T>(symbols: readonly T[]): T | null {
    return this.present() ? this.symbol(symbols) : null;
  }

  /**
   * Items of the next block of an array; 0 ends it. Each item takes a byte at least, so a broken count is found here
   * instead of being counted out.
   */
  blockCount(): number {
    let count = this.long();
    if (count < 0) {
      count = -count;
      this.long();
    }
    if (count > this.bytes.length - this.at)
      throw new LogCorruptError(`a block of ${count} items runs past the record`);
    return count;
  }

  private checked(end: number, length: number): number {
    if (length < 0 || end > this.bytes.length) throw new LogCorruptError('a text runs past the record');
    return end;
  }
}

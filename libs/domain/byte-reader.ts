/** Reads what `byte-writer.ts` has written. */

/** Texts kept, so that a channel or a scheme is not made anew for every person. */
const COMMON_MAX = 4_096;

export class ByteReader {
  private at: number;

  constructor(
    private readonly bytes: Buffer,
    from: number,
  ) {
    this.at = from;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** @throws RangeError unless exactly all bytes have been read */
  end(): void {
    if (this.at !== this.bytes.length) {
      throw new RangeError(`${this.bytes.length} bytes, of which ${this.at} were read`);
    }
  }

  /** @throws RangeError behind the last byte */
  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new RangeError(`nothing at byte ${this.at - 1}`);
    return byte;
  }

  number(): number {
    let byte = this.byte();
    if (byte === 0) {
      if (this.at + 8 > this.bytes.length) throw new RangeError(`no number at byte ${this.at}`);
      const value = this.bytes.readDoubleLE(this.at);
      this.at += 8;
      return value;
    }
    let value = byte & 0x7f;
    for (let scale = 128; byte > 0x7f; scale *= 128) {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? -value / 2 : (value - 1) / 2;
  }

  /** @throws RangeError for any other number */
  integer(): number {
    const value = this.number();
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} where an integer should be`);
    return value;
  }

  nullable(): number | null {
    const value = this.number();
    return Number.isNaN(value) ? null : value;
  }

  text(): string {
    return this.textOf(this.integer());
  }

  /** One that many others have too. */
  commonText(): string {
    return kept(this.text());
  }

  nullableText(): string | null {
    const length = this.integer();
    return length < 0 ? null : this.textOf(length);
  }

  /** How many items a list has. @throws RangeError for more than there are bytes, of which each takes one at least */
  count(): number {
    const length = this.integer();
    if (length < 0 || length > this.bytes.length - this.at) throw new RangeError(`a list of ${length} items`);
    return length;
  }

  /** @throws RangeError for more items than there are bytes */
  list<T>(read: () => T): T[] {
    const length = this.count();
    const items = new Array<T>(length);
    for (let i = 0; i < length; i++) items[i] = read();
    return items;
  }

  private textOf(length: number): string {
    const end = this.at + length;
    if (length < 0 || end > this.bytes.length)
      throw new RangeError(`a text of ${length} bytes at ${this.at}`);
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }
}

const common = new Map<string, string>();

function kept(text: string): string {
  const known = common.get(text);
  if (known !== undefined) return known;
  if (common.size < COMMON_MAX) common.set(text, text);
  return text;
}

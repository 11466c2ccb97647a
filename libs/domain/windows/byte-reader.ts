/** Reads what `ByteWriter` wrote. Every method throws RangeError at the end of the bytes. */
export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  integer(): number {
    const head = this.byte();
    let size = head & 0x3f;
    let scale = 64;
    for (let byte = head; (byte & 0x80) !== 0; scale *= 128) {
      byte = this.byte();
      size += (byte & 0x7f) * scale;
    }
    if (!Number.isSafeInteger(size)) throw new RangeError('an integer of the snapshot is too large');
    return (head & 0x40) !== 0 ? -size : size;
  }

  /** An integer ≥ 0. */
  count(): number {
    const value = this.integer();
    if (value < 0) throw new RangeError('a count of the snapshot is negative');
    return value;
  }

  bound(): number {
    const kind = this.byte();
    if (kind > 2) throw new RangeError('a bound of the snapshot is of no known kind');
    return kind === 1 ? Infinity : kind === 2 ? -Infinity : this.integer();
  }

  text(): string {
    const length = this.count();
    if (this.at + length > this.bytes.length) throw new RangeError('the snapshot ends within a text');
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }

  /** @throws RangeError unless everything has been read. */
  end(): void {
    if (this.at !== this.bytes.length) throw new RangeError('bytes are left after the end of the snapshot');
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new RangeError('the snapshot ends too early');
    this.at++;
    return byte;
  }
}

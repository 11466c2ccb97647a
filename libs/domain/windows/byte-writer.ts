/** Appends integers and strings to a growing buffer. */
export class ByteWriter {
  private bytes = new Uint8Array(4096);
  private length = 0;

  /** A safe integer: sign and 6 bits in the first byte, then 7 bits a byte, low bits first; the top bit goes on. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
    const size = Math.abs(value);
    let rest = Math.floor(size / 64);
    this.byte((rest > 0 ? 0x80 : 0) | (value < 0 ? 0x40 : 0) | (size % 64));
    while (rest > 0) {
      const low = rest % 128;
      rest = Math.floor(rest / 128);
      this.byte((rest > 0 ? 0x80 : 0) | low);
    }
  }

  /** An integer or ±Infinity. */
  bound(value: number): void {
    const infinite = value === Infinity || value === -Infinity;
    this.byte(infinite ? (value > 0 ? 1 : 2) : 0);
    if (!infinite) this.integer(value);
  }

  /** UTF-8 after its length in bytes. */
  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.integer(encoded.length);
    this.reserve(encoded.length);
    this.bytes.set(encoded, this.length);
    this.length += encoded.length;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const wider = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    wider.set(this.bytes);
    this.bytes = wider;
  }
}

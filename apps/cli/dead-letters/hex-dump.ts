const BYTES_PER_LINE = 16;

/** As `hexdump -C` has it: position, bytes, and what of them is printable ASCII. */
export function* hexDump(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const line = bytes.subarray(at, at + BYTES_PER_LINE);
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = [...line].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    yield `${at.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3 - 1)}  |${ascii.join('')}|\n`;
  }
}

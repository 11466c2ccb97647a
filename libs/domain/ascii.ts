/** Up to here a loop is faster than the call into C++. */
const LOOP_CHARS_MAX = 64;

/** Writes a short text of ASCII. @returns false, whatever has been written, for any other text: use UTF-8 then */
export function writeAscii(bytes: Buffer, at: number, text: string): boolean {
  if (text.length > LOOP_CHARS_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    bytes[at + i] = code;
  }
  return true;
}

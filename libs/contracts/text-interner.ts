/**
 * Texts that come again and again (brands, channels, campaigns) read from bytes without making a new string
 * each time. A direct-mapped cache: a collision only costs the making of the string.
 */
const SLOTS = 4096;

/** Node's own fast path; Buffer.toString spends as long on its arguments as on a short text. */
interface Utf8Bytes extends Uint8Array {
  utf8Slice(start: number, end: number): string;
}

interface Slot {
  readonly bytes: Uint8Array;
  readonly text: string;
}

export class TextInterner {
  private readonly slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined);

  read(bytes: Uint8Array, start: number, end: number): string {
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    const index = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const slot = this.slots[index];
    if (slot !== undefined && isSame(slot.bytes, bytes, start, end)) return slot.text;
    const text = utf8(bytes, start, end);
    this.slots[index] = { bytes: new Uint8Array(bytes.subarray(start, end)), text };
    return text;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (known.length !== length) return false;
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}

export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return (bytes as Utf8Bytes).utf8Slice(start, end);
}

/** How the keys of a partition's database are made. */
import type { StoreEntryKind } from '#pipeline';

/** A key that LMDB cannot hold. */
export class KeyTooLongError extends Error {
  override readonly name = 'KeyTooLongError';
}

/** The first byte of a key says what it is. */
export const CHECKPOINT = 0x63;
export const STATE = 0x73;
export const BLOB = 0x62;
export const OUTBOX = 0x6f;
export const KIND_OF: Readonly<Record<StoreEntryKind, number>> = { blob: BLOB, outbox: OUTBOX, state: STATE };

/** LMDB's limit with 4 KiB pages is 1,978 bytes, of which the first is ours. In UTF-8 bytes. */
const KEY_BYTES_MAX = 1_977;

/** @throws KeyTooLongError */
export function storedKey(kind: number, key: string): Buffer {
  const length = Buffer.byteLength(key, 'utf8');
  if (length > KEY_BYTES_MAX) {
    const start = JSON.stringify(key.slice(0, 40));
    throw new KeyTooLongError(
      `a key of ${length} bytes is over the ${KEY_BYTES_MAX} of the store: ${start}…`,
    );
  }
  const stored = Buffer.allocUnsafe(length + 1);
  stored[0] = kind;
  stored.write(key, 1, 'utf8');
  return stored;
}

/** The package's large values are buffers whose `length` is less than what lies behind them. */
export function exactly(value: Buffer): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

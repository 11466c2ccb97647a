/**
 * The form of a snapshot: a head, and then blocks of whole entries, each with its length and CRC, so that nothing
 * is taken for an entry that was not written as one.
 */
import { crc32 } from 'node:zlib';
import { SnapshotTornError } from './snapshot-store.js';
import type { FrozenPartition, StoreEntry, StoreEntryKind } from './state-store.js';

const HEAD = Buffer.from('channel-gravity snapshot 1\n');
const KINDS: readonly StoreEntryKind[] = ['blob', 'outbox', 'state'];
/** Length and CRC-32 of what follows. */
const BLOCK_HEAD_BYTES = 8;
/** Kind, length of the key, length of the value. */
const ENTRY_HEAD_BYTES = 9;
/** A block is about so long: a millisecond or two of reading, between two of which other work has its turn. */
const BLOCK_BYTES = 256 * 1_024;

/** Reads the partition as the blocks are asked for. */
export function* snapshotBlocks(frozen: FrozenPartition): Generator<Buffer> {
  yield HEAD;
  for (let entries = frozen.read(BLOCK_BYTES); entries.length > 0; entries = frozen.read(BLOCK_BYTES)) {
    yield blockOf(entries);
  }
}

function blockOf(entries: readonly StoreEntry[]): Buffer {
  const keys = entries.map(([, key]) => Buffer.from(key, 'utf8'));
  let length = BLOCK_HEAD_BYTES;
  entries.forEach(
    ([, , value], nth) => (length += ENTRY_HEAD_BYTES + (keys[nth]?.length ?? 0) + value.length),
  );
  const block = Buffer.allocUnsafe(length);
  let at = BLOCK_HEAD_BYTES;
  entries.forEach(([kind, , value], nth) => {
    const key = keys[nth] ?? Buffer.alloc(0);
    at = block.writeUInt8(KINDS.indexOf(kind), at);
    at = block.writeUInt32BE(key.length, at);
    at = block.writeUInt32BE(value.length, at);
    at += key.copy(block, at);
    at += value.copy(block, at);
  });
  block.writeUInt32BE(length - BLOCK_HEAD_BYTES, 0);
  block.writeUInt32BE(crc32(block.subarray(BLOCK_HEAD_BYTES)), 4);
  return block;
}

/** Takes the pieces of a snapshot in their order and gives out the entries that are whole. */
export class SnapshotReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasHead = false;

  /** @throws SnapshotTornError */
  *entries(piece: Buffer): Generator<StoreEntry> {
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    if (!this.#hasHead && bytes.length >= HEAD.length) {
      if (!bytes.subarray(0, HEAD.length).equals(HEAD))
        throw new SnapshotTornError('it does not begin as a snapshot of this format does');
      this.#hasHead = true;
      bytes = bytes.subarray(HEAD.length);
    }
    while (this.#hasHead && bytes.length >= BLOCK_HEAD_BYTES) {
      const end = BLOCK_HEAD_BYTES + bytes.readUInt32BE(0);
      if (bytes.length < end) break;
      const block = bytes.subarray(BLOCK_HEAD_BYTES, end);
      if (crc32(block) !== bytes.readUInt32BE(4)) throw new SnapshotTornError('the CRC of a block is wrong');
      yield* entriesOf(block);
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }

  /** @throws SnapshotTornError   there should be more */
  end(): void {
    if (!this.#hasHead || this.#rest.length > 0) throw new SnapshotTornError('its end is missing');
  }
}

function* entriesOf(block: Buffer): Generator<StoreEntry> {
  for (let at = 0; at < block.length;) {
    const kind = KINDS[block.readUInt8(at)];
    if (kind === undefined) throw new SnapshotTornError('it has an entry of an unknown kind');
    const keyAt = at + ENTRY_HEAD_BYTES;
    const valueAt = keyAt + block.readUInt32BE(at + 1);
    at = valueAt + block.readUInt32BE(at + 5);
    yield [kind, block.toString('utf8', keyAt, valueAt), block.subarray(valueAt, at)];
  }
}

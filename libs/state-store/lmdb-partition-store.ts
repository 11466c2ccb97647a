import type { Checkpoint, CheckpointWrite, PartitionStore } from '#pipeline';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.js';
import type { StoreDatabase, StoreEnvironment } from './store-environment.js';

/** A key that LMDB cannot hold. */
export class KeyTooLongError extends Error {
  override readonly name = 'KeyTooLongError';
}

/** The first byte of a key says what it is. */
const CHECKPOINT = 0x63;
const STATE = 0x73;
const BLOB = 0x62;
const OUTBOX = 0x6f;

/** LMDB's limit with 4 KiB pages is 1,978 bytes, of which the first is ours. In UTF-8 bytes. */
const KEY_BYTES_MAX = 1_977;

/** One partition's database. What it hands out are copies that belong to the caller and stay valid. */
export class LmdbPartitionStore implements PartitionStore {
  private closed = false;

  constructor(
    private readonly environment: StoreEnvironment,
    private readonly database: StoreDatabase,
    private readonly onClosed: () => void,
  ) {}

  checkpoint(): Checkpoint | null {
    this.assertOpen();
    const stored = this.database.getBinary(Buffer.of(CHECKPOINT));
    return stored === undefined ? null : decodeCheckpoint(stored);
  }

  get(key: string): Buffer | undefined {
    this.assertOpen();
    return this.read(STATE, key);
  }

  blob(name: string): Buffer | undefined {
    this.assertOpen();
    return this.read(BLOB, name);
  }

  /** In the order of the keys' UTF-8 bytes, as of the first step, whatever is written meanwhile. */
  states(): Iterable<readonly [key: string, value: Buffer]> {
    return this.entries(STATE);
  }

  outbox(): Iterable<readonly [key: string, value: Buffer]> {
    return this.entries(OUTBOX);
  }

  write({ checkpoint, states, blobs, outbox }: CheckpointWrite): void {
    this.assertOpen();
    this.environment.transact(() => {
      for (const [key, value] of states) this.put(STATE, key, value);
      for (const [name, value] of blobs) this.put(BLOB, name, value);
      for (const { key, value } of outbox) this.put(OUTBOX, key, value);
      void this.database.put(Buffer.of(CHECKPOINT), encodeCheckpoint(checkpoint));
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onClosed();
  }

  private read(kind: number, key: string): Buffer | undefined {
    const found = this.database.getBinary(storedKey(kind, key));
    return found === undefined ? undefined : exactly(found);
  }

  private put(kind: number, key: string, value: Buffer | null): void {
    const stored = storedKey(kind, key);
    if (value === null) void this.database.remove(stored);
    else void this.database.put(stored, value);
  }

  private *entries(kind: number): Generator<readonly [key: string, value: Buffer]> {
    this.assertOpen();
    const range = { start: Buffer.of(kind), end: Buffer.of(kind + 1) };
    for (const { key, value } of this.database.getRange(range)) {
      yield [key.toString('utf8', 1), exactly(value)];
      this.assertOpen();
    }
  }

  /** A closed environment takes the process down when it is used, so nothing may reach it. */
  private assertOpen(): void {
    if (this.closed) throw new Error('this partition store is closed');
  }
}

function storedKey(kind: number, key: string): Buffer {
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
function exactly(value: Buffer): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

import {
  StoreWriteError,
  messageOf,
  type Checkpoint,
  type CheckpointWrite,
  type FrozenPartition,
  type PartitionStore,
  type StoreEntry,
} from '#pipeline';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.js';
import { LmdbFrozenPartition } from './lmdb-frozen-partition.js';
import { BLOB, CHECKPOINT, exactly, KIND_OF, OUTBOX, STATE, storedKey } from './stored-key.js';
import type { ReadView, StoreDatabase, StoreEnvironment } from './store-environment.js';

/** One partition's database. What it hands out are copies that belong to the caller and stay valid. */
export class LmdbPartitionStore implements PartitionStore {
  private closed = false;
  private readonly frozen = new Set<FrozenPartition>();

  constructor(
    private readonly environment: StoreEnvironment,
    private readonly database: StoreDatabase,
    private readonly onClosed: () => void,
  ) {}

  checkpoint(): Checkpoint | null {
    this.assertOpen();
    return this.checkpointIn();
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
    this.transact(() => {
      for (const [key, value] of states) this.put(STATE, key, value);
      for (const [name, value] of blobs) this.put(BLOB, name, value);
      for (const { key, value } of outbox) this.put(OUTBOX, key, value);
      void this.database.put(Buffer.of(CHECKPOINT), encodeCheckpoint(checkpoint));
    });
  }

  load(entries: readonly StoreEntry[]): void {
    this.assertOpen();
    if (this.checkpoint() !== null) throw new Error('this partition store has a checkpoint already');
    this.transact(() => {
      for (const [kind, key, value] of entries) this.put(KIND_OF[kind], key, value);
    });
  }

  freeze(): FrozenPartition | null {
    this.assertOpen();
    const view = this.environment.view();
    const checkpoint = this.checkpointIn(view);
    if (checkpoint === null) {
      view.done();
      return null;
    }
    const frozen = new LmdbFrozenPartition(this.database, view, checkpoint, () => this.frozen.delete(frozen));
    this.frozen.add(frozen);
    return frozen;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const frozen of this.frozen) frozen.close();
    this.onClosed();
  }

  private transact(write: () => void): void {
    try {
      this.environment.transact(write);
    } catch (error) {
      const reason = messageOf(error);
      throw new StoreWriteError(
        `the local store in ${this.environment.path} could not be written (is the disk full?): ${reason}`,
        { cause: error },
      );
    }
  }

  private checkpointIn(view?: ReadView): Checkpoint | null {
    const stored = this.database.get(Buffer.of(CHECKPOINT), view === undefined ? {} : { transaction: view });
    return stored === undefined ? null : decodeCheckpoint(stored);
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

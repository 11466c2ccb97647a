import type { PartitionStore, StateStore } from '#pipeline';
import { LmdbPartitionStore } from './lmdb-partition-store.js';
import { decodeCheckpoint } from './checkpoint-codec.js';
import { CHECKPOINT } from './stored-key.js';
import { openStoreEnvironment, type StoreDatabase, type StoreEnvironment } from './store-environment.js';

/**
 * The state port over LMDB: one environment with one database per partition. One environment, because closing and
 * deleting a database is synchronous, which those of the files of an environment are not; the pages that a dropped
 * partition leaves are reused by the others. Writes of all partitions are synchronous in one process anyway, so
 * sharing LMDB's single writer costs nothing.
 *
 * For one process: whoever opens it holds the lock of the data directory.
 */
export class LmdbStateStore implements StateStore {
  /** Kept open: opening a database is a transaction, and a closed handle must never be used again. */
  private readonly databases = new Map<number, StoreDatabase>();
  private readonly partitions = new Map<number, LmdbPartitionStore>();
  private closed = false;

  private constructor(private readonly environment: StoreEnvironment) {}

  /** @throws ForeignStoreDirectoryError when the directory holds something else */
  static open(options: { readonly path: string }): LmdbStateStore {
    return new LmdbStateStore(openStoreEnvironment(options.path));
  }

  open(partition: number): PartitionStore {
    this.assertOpen();
    if (this.partitions.has(partition)) throw new Error(`partition ${partition} is open already`);
    const store = new LmdbPartitionStore(this.environment, this.database(partition), () => {
      this.partitions.delete(partition);
    });
    this.partitions.set(partition, store);
    return store;
  }

  stored(): readonly { readonly partition: number; readonly offset: number }[] {
    this.assertOpen();
    return this.environment.partitions().flatMap((partition) => {
      const bytes = this.database(partition).get(Buffer.of(CHECKPOINT));
      const offset = bytes === undefined ? undefined : offsetIn(bytes);
      return offset === undefined ? [] : [{ partition, offset }];
    });
  }

  /** @throws when the partition is open */
  drop(partition: number): void {
    this.assertOpen();
    if (this.partitions.has(partition))
      throw new Error(`partition ${partition} is open and cannot be dropped`);
    // Emptied, not removed: a handle of a removed database takes the process down when it is used.
    this.database(partition).clearSync();
  }

  setAside(partition: number): string {
    this.assertOpen();
    if (this.partitions.has(partition))
      throw new Error(`partition ${partition} is open and cannot be set aside`);
    this.databases.delete(partition);
    return `${this.environment.path} as ${this.environment.setAside(partition)}`;
  }

  close(): void {
    if (this.closed) return;
    for (const store of [...this.partitions.values()]) store.close();
    this.closed = true;
    this.environment.close();
  }

  private database(partition: number): StoreDatabase {
    const database = this.databases.get(partition) ?? this.environment.partition(partition);
    this.databases.set(partition, database);
    return database;
  }

  /** A closed environment takes the process down when it is used, so nothing may reach it. */
  private assertOpen(): void {
    if (this.closed) throw new Error('the state store is closed');
  }
}

/** Undefined for what cannot be read: whoever opens the partition says so. */
function offsetIn(checkpoint: Buffer): number | undefined {
  try {
    return decodeCheckpoint(checkpoint).offset;
  } catch {
    return undefined;
  }
}

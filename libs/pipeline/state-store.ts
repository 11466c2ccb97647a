/** The state port: one durable store per partition, written in atomic checkpoints. */

export interface Checkpoint {
  /** UUID of the log this store was folded from. */
  readonly logId: string;
  readonly epoch: number;
  readonly generation: number;
  readonly foldVersion: number;
  /** Next log offset to fold. */
  readonly offset: number;
  /** Offset and content hash of the last applied record, null before the first. */
  readonly lastApplied: { readonly offset: number; readonly hash: string } | null;
  readonly watermark: number;
}

export interface OutboxEntry {
  /** Row identity: a newer row of one key replaces the older. */
  readonly key: string;
  /** Encoded row; null removes the entry (it was acknowledged). */
  readonly value: Buffer | null;
}

export interface CheckpointWrite {
  readonly checkpoint: Checkpoint;
  /** Null deletes. */
  readonly states: Iterable<readonly [key: string, value: Buffer | null]>;
  /** Named blobs: running aggregates, rules. Null deletes. */
  readonly blobs: Iterable<readonly [name: string, value: Buffer | null]>;
  readonly outbox: Iterable<OutboxEntry>;
}

/** What was to be written is not there, none of it: a full disk, or a broken one. May be tried again. */
export class StoreWriteError extends Error {
  override readonly name = 'StoreWriteError';
}

export type StoreEntryKind = 'blob' | 'outbox' | 'state';
export type StoreEntry = readonly [kind: StoreEntryKind, key: string, value: Buffer];

/** What a partition held at one instant. It ends with the store that it was taken of. */
export interface FrozenPartition {
  readonly checkpoint: Checkpoint;
  /**
   * The next entries, of about so many bytes: blobs first, then the outbox, then the states, each in the order of
   * the keys' bytes. None: that was all.
   */
  read(bytesMax: number): readonly StoreEntry[];
  close(): void;
}

export interface PartitionStore {
  checkpoint(): Checkpoint | null;
  get(key: string): Buffer | undefined;
  blob(name: string): Buffer | undefined;
  states(): Iterable<readonly [key: string, value: Buffer]>;
  outbox(): Iterable<readonly [key: string, value: Buffer]>;
  /** All of it or nothing, durable when it returns. @throws StoreWriteError */
  write(write: CheckpointWrite): void;
  /**
   * Entries of a store that has no checkpoint yet. They count for nothing until `write` gives it one.
   * @throws StoreWriteError
   */
  load(entries: readonly StoreEntry[]): void;
  /** What it holds now, to be read bit by bit whatever is written meanwhile; null before the first checkpoint. */
  freeze(): FrozenPartition | null;
  close(): void;
}

export interface StateStore {
  /** @throws if this partition is open already in this process */
  open(partition: number): PartitionStore;
  /** The partitions that have a checkpoint, and where it stands, open or not. */
  stored(): readonly { readonly partition: number; readonly offset: number }[];
  /** Deletes a partition's store, for a rebuild. @throws if it is open */
  drop(partition: number): void;
  /**
   * Keeps what the partition holds under another name, out of the way, and begins it anew.
   * @returns where it is kept, for messages
   * @throws if it is open
   */
  setAside(partition: number): string;
  close(): void;
}

/** The snapshot port: copies of a partition's store, in a place that outlives the machine. */
import type { Checkpoint } from './state-store.js';

export interface SnapshotFile {
  readonly name: string;
  readonly bytes: number;
  /** Of the whole file, in hex. */
  readonly sha256: string;
}

/** What a snapshot says of itself. The checkpoint names log, epoch, generation, fold version and offset. */
export interface SnapshotManifest {
  /** Its name in the store. */
  readonly id: string;
  readonly partition: number;
  readonly checkpoint: Checkpoint;
  /** By the clock of the machine that took it, ms. */
  readonly takenAt: number;
  readonly files: readonly SnapshotFile[];
}

export type SnapshotDraft = Pick<SnapshotManifest, 'partition' | 'checkpoint' | 'takenAt'>;

/** A snapshot that is there, or what is wrong with its manifest. */
export type ListedSnapshot =
  | { readonly id: string; readonly manifest: SnapshotManifest }
  | { readonly id: string; readonly manifest: null; readonly fault: string };

/** A snapshot is not what its manifest says: a part of it is missing, or was changed. */
export class SnapshotTornError extends Error {
  override readonly name = 'SnapshotTornError';
}

export interface SnapshotStore {
  /** For messages: where it is. */
  readonly place: string;
  /** In no order. Half a snapshot is never among them. @param partition   null for all */
  list(partition: number | null): Promise<readonly ListedSnapshot[]>;
  /** Whole and durable when it resolves; nothing of it is seen before, nor after a failure. */
  put(draft: SnapshotDraft, blocks: Iterable<Buffer>): Promise<SnapshotManifest>;
  /**
   * What was put, in pieces of any size. What came before a failure must be thrown away.
   * @throws SnapshotTornError   it is not what was put; behind the last piece at the latest
   */
  get(manifest: SnapshotManifest): AsyncIterable<Buffer>;
  /** One that is not there is no failure. */
  remove(snapshot: ListedSnapshot): Promise<void>;
}

/** Sizes of all files, bytes. */
export function snapshotBytes({ files }: SnapshotManifest): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

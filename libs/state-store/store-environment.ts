import { closeSync, existsSync, mkdirSync, openSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';

/** What the directory holds is not a state store, or one that this version cannot read. */
export class ForeignStoreDirectoryError extends Error {
  override readonly name = 'ForeignStoreDirectoryError';
}

export type StoreDatabase = Database<Buffer, Buffer>;

export interface StoreEnvironment {
  readonly path: string;
  /** The database of one partition, made when it is asked for the first time. */
  partition(partition: number): StoreDatabase;
  /** One write transaction; a throw aborts it. Flushed to disk when it returns. */
  transact<T>(work: () => T): T;
  close(): void;
}

/** Partitions that one store can hold: LMDB keeps a table of this size per transaction. */
const PARTITIONS_MAX = 256;
const FORMAT_KEY = Buffer.from('format');
const FORMAT = 'channel-gravity state store 1';
/** Where LMDB (as built into the `lmdb` package) keeps the magic number of a data file. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;

/** One process may open a directory once, else a partition could be open twice. */
const openDirectories = new Set<string>();

export function openStoreEnvironment(directory: string): StoreEnvironment {
  mkdirSync(directory, { recursive: true });
  const path = realpathSync(directory);
  if (openDirectories.has(path))
    throw new Error(`the state store in ${path} is open already in this process`);
  if (existsSync(join(path, 'data.mdb'))) assertIsLmdb(join(path, 'data.mdb'));
  const root: RootDatabase<Buffer, Buffer> = open<Buffer, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: PARTITIONS_MAX + 1,
    // The plain LMDB commit: pages, fdatasync, then the meta page through an O_DSYNC handle.
    overlappingSync: false,
  });
  try {
    claimFormat(root, path);
  } catch (error) {
    void root.close();
    throw error;
  }
  openDirectories.add(path);
  return {
    path,
    partition(partition) {
      if (!Number.isInteger(partition) || partition < 0 || partition >= PARTITIONS_MAX) {
        throw new RangeError(`a state store holds partitions 0 to ${PARTITIONS_MAX - 1}, not ${partition}`);
      }
      return root.openDB<Buffer, Buffer>({
        name: `partition-${partition}`,
        encoding: 'binary',
        keyEncoding: 'binary',
      });
    },
    transact: (work) => root.transactionSync(work),
    close() {
      openDirectories.delete(path);
      // Every write was synchronous, so nothing is left to wait for and this closes at once.
      void root.close();
    },
  };
}

/** LMDB reads a foreign file as if it were its own and takes the process down, so look before opening. */
function assertIsLmdb(file: string): void {
  const head = Buffer.alloc(MAGIC_AT + 4);
  const descriptor = openSync(file, 'r');
  try {
    const length = readSync(descriptor, head, 0, head.length, 0);
    if (length === 0) return; // killed between creating the file and its first write: LMDB starts anew
    if (length === head.length && head.readUInt32LE(MAGIC_AT) === MAGIC) return;
  } finally {
    closeSync(descriptor);
  }
  throw new ForeignStoreDirectoryError(
    `${file} is not an LMDB data file; the state store needs a directory of its own`,
  );
}

/** The names of a store's databases lie in the root; anything else there belongs to somebody. */
function claimFormat(root: RootDatabase<Buffer, Buffer>, path: string): void {
  const names = [...root.getKeys()].map((key) => key.toString('utf8').replace(/\0$/, ''));
  if (names.length > 0 && !names.includes('meta')) {
    throw new ForeignStoreDirectoryError(
      `${path} is an LMDB directory of something else (${names.join(', ')})`,
    );
  }
  const meta = root.openDB<Buffer, Buffer>({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' });
  const found = meta.get(FORMAT_KEY)?.toString('utf8');
  if (found === FORMAT) return;
  if (found !== undefined || meta.getKeysCount() > 0) {
    throw new ForeignStoreDirectoryError(
      `${path} holds "${found ?? 'other data'}"; this version reads "${FORMAT}"`,
    );
  }
  root.transactionSync(() => void meta.put(FORMAT_KEY, Buffer.from(FORMAT)));
}

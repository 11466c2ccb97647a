import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase, type Transaction } from 'lmdb';
import { assertIsWhole } from './data-file.js';

/** What the directory holds is not a state store, or one that this version cannot read. */
export class ForeignStoreDirectoryError extends Error {
  override readonly name = 'ForeignStoreDirectoryError';
}

export type StoreDatabase = Database<Buffer, Buffer>;
/** All databases as of one instant, until it is `done`. */
export type ReadView = Transaction;

export interface StoreEnvironment {
  readonly path: string;
  /** The database of one partition, made when it is asked for the first time. */
  partition(partition: number): StoreDatabase;
  /** Those that have a database, ascending. */
  partitions(): readonly number[];
  /** From now on the partition has another database, an empty one. @returns the name of the one before */
  setAside(partition: number): string;
  /** One write transaction; a throw aborts it. Flushed to disk when it returns. */
  transact<T>(work: () => T): T;
  view(): ReadView;
  close(): void;
}

/** Partitions that one store can hold: LMDB keeps a table of this size per transaction. */
const PARTITIONS_MAX = 256;
const FORMAT_KEY = Buffer.from('format');
const FORMAT = 'channel-gravity state store 1';

/** One process may open a directory once, else a partition could be open twice. */
const openDirectories = new Set<string>();

export function openStoreEnvironment(directory: string): StoreEnvironment {
  mkdirSync(directory, { recursive: true });
  const path = realpathSync(directory);
  if (openDirectories.has(path))
    throw new Error(`the state store in ${path} is open already in this process`);
  if (existsSync(join(path, 'data.mdb'))) assertIsWhole(join(path, 'data.mdb'));
  const root: RootDatabase<Buffer, Buffer> = open<Buffer, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: PARTITIONS_MAX + 1,
    // The plain LMDB commit: pages, fdatasync, then the meta page through an O_DSYNC handle.
    overlappingSync: false,
  });
  let meta: StoreDatabase;
  try {
    meta = claimFormat(root, path);
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
      return openDatabase(root, databaseOf(meta, partition));
    },
    partitions() {
      const found = namesIn(root).map((name) => /^partition-(\d+)/.exec(name)?.[1]);
      const numbers = found.flatMap((digits) => (digits === undefined ? [] : [Number(digits)]));
      return [...new Set(numbers)].sort((a, b) => a - b);
    },
    setAside(partition) {
      const before = databaseOf(meta, partition);
      const [, nth = '1'] = before.split('.');
      const after = `partition-${partition}.${Number(nth) + 1}`;
      root.transactionSync(() => void meta.put(databaseKey(partition), Buffer.from(after)));
      return before;
    },
    transact: (work) => root.transactionSync(work),
    view: () => root.useReadTransaction(),
    close() {
      openDirectories.delete(path);
      // Every write was synchronous, so nothing is left to wait for and this closes at once.
      void root.close();
    },
  };
}

/** The names of a store's databases lie in the root; anything else there belongs to somebody. */
function claimFormat(root: RootDatabase<Buffer, Buffer>, path: string): StoreDatabase {
  const names = namesIn(root);
  if (names.length > 0 && !names.includes('meta')) {
    throw new ForeignStoreDirectoryError(
      `${path} is an LMDB directory of something else (${names.join(', ')})`,
    );
  }
  const meta = openDatabase(root, 'meta');
  const found = meta.get(FORMAT_KEY)?.toString('utf8');
  if (found === FORMAT) return meta;
  if (found !== undefined || meta.getKeysCount() > 0) {
    throw new ForeignStoreDirectoryError(
      `${path} holds "${found ?? 'other data'}"; this version reads "${FORMAT}"`,
    );
  }
  root.transactionSync(() => void meta.put(FORMAT_KEY, Buffer.from(FORMAT)));
  return meta;
}

function namesIn(root: RootDatabase<Buffer, Buffer>): readonly string[] {
  return [...root.getKeys()].map((key) => key.toString('utf8').replace(/\0$/, ''));
}

function openDatabase(root: RootDatabase<Buffer, Buffer>, name: string): StoreDatabase {
  return root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
}

/** The name of a partition's database: its own, or that of the one that took its place. */
function databaseOf(meta: StoreDatabase, partition: number): string {
  return meta.get(databaseKey(partition))?.toString('utf8') ?? `partition-${partition}`;
}

function databaseKey(partition: number): Buffer {
  return Buffer.from(`database of partition ${partition}`);
}

import { closeSync, existsSync, mkdirSync, openSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';

/** What the directory holds is not an embedded log, or one that this version cannot read. */
export class ForeignLogDirectoryError extends Error {
  override readonly name = 'ForeignLogDirectoryError';
}

export type LogDatabase = Database<Buffer, Buffer>;

/** The one LMDB environment of a log: a transaction over it spans every topic, offset and epoch. */
export interface LogEnvironment {
  /** Topic specs, group offsets, writer epochs, the clock. */
  readonly meta: LogDatabase;
  /** Record batches, keyed by (topic id, partition, base offset). */
  readonly batches: LogDatabase;
  /**
   * Runs `work` in one write transaction; a throw aborts it. Durable when it returns: LMDB writes the pages,
   * fdatasyncs, then writes the meta page through an O_DSYNC handle.
   */
  transact<T>(work: () => T): T;
  /** The next read sees what other threads have committed up to now. */
  refresh(): void;
  /** Its directory, with links resolved. */
  readonly path: string;
  close(): Promise<void>;
}

const FORMAT_KEY = Buffer.from('format');
const FORMAT = 'channel-gravity embedded log 1';
/** Where LMDB (as built into the `lmdb` package) keeps the magic number and the version of a data file. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;

/** One thread may open a directory once. */
const openDirectories = new Set<string>();

export function openLogEnvironment(directory: string): LogEnvironment {
  mkdirSync(directory, { recursive: true });
  const path = realpathSync(directory);
  if (openDirectories.has(path)) throw new Error(`the log in ${path} is open already in this thread`);
  const isNew = !existsSync(join(path, 'data.mdb'));
  if (!isNew) assertIsLmdb(join(path, 'data.mdb'));
  const root: RootDatabase<Buffer, Buffer> = open<Buffer, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: 4,
    // The plain LMDB commit: synchronous and durable. The overlapping one buys nothing for sync transactions.
    overlappingSync: false,
  });
  try {
    assertNotOccupied(root, path);
    const meta = root.openDB<Buffer, Buffer>({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' });
    const batches = root.openDB<Buffer, Buffer>({
      name: 'batches',
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    claimFormat(root, meta, path);
    openDirectories.add(path);
    return environmentOf(root, meta, batches, path);
  } catch (error) {
    void root.close();
    throw error;
  }
}

function environmentOf(
  root: RootDatabase<Buffer, Buffer>,
  meta: LogDatabase,
  batches: LogDatabase,
  path: string,
): LogEnvironment {
  return {
    meta,
    batches,
    path,
    transact: (work) => root.transactionSync(work),
    refresh: () => root.resetReadTxn(),
    close: async () => {
      openDirectories.delete(path);
      await root.close();
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
  throw new ForeignLogDirectoryError(
    `${file} is not an LMDB data file; the log needs a directory of its own`,
  );
}

/** A log has these two databases; an LMDB directory with others only is somebody's, and is not written to. */
function assertNotOccupied(root: RootDatabase<Buffer, Buffer>, path: string): void {
  const names = [...root.getKeys()].map((key) => key.toString('utf8').replace(/\0$/, ''));
  if (names.length === 0 || names.includes('meta')) return;
  throw new ForeignLogDirectoryError(`${path} is an LMDB directory of something else (${names.join(', ')})`);
}

function claimFormat(root: RootDatabase<Buffer, Buffer>, meta: LogDatabase, path: string): void {
  const found = meta.get(FORMAT_KEY)?.toString('utf8');
  if (found === FORMAT) return;
  if (found !== undefined || meta.getKeysCount() > 0) {
    throw new ForeignLogDirectoryError(
      `${path} holds "${found ?? 'other data'}"; this version reads "${FORMAT}"`,
    );
  }
  root.transactionSync(() => void meta.put(FORMAT_KEY, Buffer.from(FORMAT)));
}

/** A look at LMDB's data file before LMDB maps it: what it then finds missing or foreign takes the process down. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';

/** What the directory holds was a state store once; a part of it is missing or written over. */
export class TornStoreError extends Error {
  override readonly name = 'TornStoreError';
}

/** Where the two meta pages have what is asked for here, as the `lmdb` package builds LMDB (64 bits). */
const META = { magic: 24, pageSize: 48, lastPage: 144, transaction: 152, end: 160 };
const MAGIC = 0xbeefc0de;
/**
 * Pages that a commit has given up again are not written, so a whole file may end a little early. How many are missing
 * for other reasons cannot be told; of a small file, which is soon folded again, few are believed.
 */
const UNWRITTEN_PAGES_MAX = 64;
const UNWRITTEN_SHARE_MAX = 1 / 8;

/** @throws TornStoreError */
export function assertIsWhole(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return; // killed between creating the file and its first write: LMDB starts anew
    const first = metaAt(descriptor, 0);
    if (first === null)
      throw new TornStoreError(`${file} is not an LMDB data file, or its first page is gone`);
    const second = metaAt(descriptor, first.pageSize);
    const newest = second !== null && second.transaction > first.transaction ? second : first;
    const pages = newest.lastPage + 1;
    const expected = pages * newest.pageSize;
    if (size >= expected) return;
    const unwrittenMax = Math.min(UNWRITTEN_PAGES_MAX, Math.floor(pages * UNWRITTEN_SHARE_MAX));
    if (size < expected - unwrittenMax * newest.pageSize) {
      throw new TornStoreError(`${file} has ${size} bytes of ${expected}: its end is missing`);
    }
    // Reading a mapped page behind the end of the file would be the end of the process.
    ftruncateSync(descriptor, expected);
  } finally {
    closeSync(descriptor);
  }
}

interface MetaPage {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: number;
}

function metaAt(descriptor: number, position: number): MetaPage | null {
  const page = Buffer.alloc(META.end);
  if (readSync(descriptor, page, 0, page.length, position) < page.length) return null;
  if (page.readUInt32LE(META.magic) !== MAGIC) return null;
  return {
    pageSize: page.readUInt32LE(META.pageSize),
    lastPage: Number(page.readBigUInt64LE(META.lastPage)),
    transaction: Number(page.readBigUInt64LE(META.transaction)),
  };
}

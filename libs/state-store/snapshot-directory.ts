import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  SnapshotTornError,
  messageOf,
  type ListedSnapshot,
  type SnapshotDraft,
  type SnapshotFile,
  type SnapshotManifest,
  type SnapshotStore,
} from '#pipeline';
import { hasCode } from './error-code.js';
import { decodeManifest, encodeManifest } from './snapshot-manifest.js';

const ENTRIES = 'entries.bin';
const MANIFEST = 'manifest.json';
const PARTITION = /^partition-\d+$/;
/** What begins so is no snapshot: not yet, or not any more. */
const HIDDEN = '.';
/** Whoever has not written for so long does so no more, ms. */
const ABANDONED_MS = 3_600_000;
const READ_BYTES = 1_024 * 1_024;

/**
 * Snapshots as directories, `partition-3/0000000000081225-20261111T000000Z-5f0c1a2b`, each with a manifest and the
 * entries. One is written under a hidden name, flushed, and renamed when it is whole. Several machines may share the
 * directory.
 */
export class SnapshotDirectory implements SnapshotStore {
  /** @param place   made when the first snapshot comes */
  constructor(
    readonly place: string,
    private readonly now: () => number = Date.now,
  ) {}

  async list(partition: number | null): Promise<readonly ListedSnapshot[]> {
    const folders = partition === null ? await namesIn(this.place) : [folderOf(partition)];
    const found: ListedSnapshot[] = [];
    for (const folder of folders.filter((name) => PARTITION.test(name))) {
      for (const name of await namesIn(join(this.place, folder))) {
        if (!name.startsWith(HIDDEN)) found.push(await this.#listed(`${folder}/${name}`));
      }
    }
    return found;
  }

  async put(draft: SnapshotDraft, blocks: Iterable<Buffer>): Promise<SnapshotManifest> {
    const folder = join(this.place, folderOf(draft.partition));
    await mkdir(folder, { recursive: true });
    await this.#clearAbandoned(folder);
    const hidden = join(folder, `${HIDDEN}writing-${randomUUID()}`);
    const name = nameOf(draft);
    try {
      await mkdir(hidden);
      const manifest = { ...draft, files: [await writeBlocks(join(hidden, ENTRIES), blocks)] };
      await writeDurably(join(hidden, MANIFEST), encodeManifest(manifest));
      await syncDirectory(hidden);
      await rename(hidden, join(folder, name));
      await syncDirectory(folder);
      return { ...manifest, id: `${folderOf(draft.partition)}/${name}` };
    } catch (error) {
      await rm(hidden, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  async *get({ id, files }: SnapshotManifest): AsyncGenerator<Buffer> {
    for (const { name, bytes, sha256 } of files) {
      const path = join(this.place, id, name);
      const { size } = await stat(path);
      if (size !== bytes) throw new SnapshotTornError(`has ${size} bytes of ${bytes} in ${name}`);
      const hash = createHash('sha256');
      for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
        if (!Buffer.isBuffer(piece)) continue;
        hash.update(piece);
        yield piece;
      }
      if (hash.digest('hex') !== sha256)
        throw new SnapshotTornError(`has another checksum than it should in ${name}`);
    }
  }

  async remove({ id }: ListedSnapshot): Promise<void> {
    const [folder = '', name = ''] = id.split('/');
    const hidden = join(this.place, folder, `${HIDDEN}removed-${randomUUID()}`);
    try {
      await rename(join(this.place, folder, name), hidden);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    await rm(hidden, { recursive: true, force: true });
  }

  async #listed(id: string): Promise<ListedSnapshot> {
    try {
      return { id, manifest: decodeManifest(id, await readFile(join(this.place, id, MANIFEST), 'utf8')) };
    } catch (error) {
      if (error instanceof SnapshotTornError) return { id, manifest: null, fault: error.message };
      const reason = messageOf(error);
      return { id, manifest: null, fault: `has a manifest that cannot be read: ${reason}` };
    }
  }

  /** What processes have left that died while they wrote. */
  async #clearAbandoned(folder: string): Promise<void> {
    for (const name of await namesIn(folder)) {
      if (!name.startsWith(HIDDEN)) continue;
      const path = join(folder, name);
      const written =
        (await stat(join(path, ENTRIES)).catch(() => null)) ?? (await stat(path).catch(() => null));
      if (written !== null && this.now() - written.mtimeMs > ABANDONED_MS) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }
}

function folderOf(partition: number): string {
  return `partition-${partition}`;
}

/** Sorts by offset, and is never given twice. */
function nameOf({ checkpoint, takenAt }: SnapshotDraft): string {
  const offset = String(checkpoint.offset).padStart(16, '0');
  const taken = new Date(takenAt).toISOString().replace(/\.\d+|[-:]/g, '');
  return `${offset}-${taken}-${randomUUID().slice(0, 8)}`;
}

async function writeBlocks(path: string, blocks: Iterable<Buffer>): Promise<SnapshotFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for (const block of blocks) {
      hash.update(block);
      bytes += block.length;
      await file.writeFile(block);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { name: ENTRIES, bytes, sha256: hash.digest('hex') };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A name in it is durable only then. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

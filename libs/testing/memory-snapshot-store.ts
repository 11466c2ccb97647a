import { createHash } from 'node:crypto';
import {
  SnapshotTornError,
  type ListedSnapshot,
  type SnapshotDraft,
  type SnapshotManifest,
  type SnapshotStore,
} from '#pipeline';

interface Kept {
  readonly manifest: SnapshotManifest | null;
  readonly bytes: Buffer;
}

const ENTRIES = 'entries';

/** A place for snapshots that may be full, away, or gnawed at. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly place = 'memory';
  /** While it is set, nothing can be read or written. */
  obstacle: Error | null = null;
  readonly #kept = new Map<string, Kept>();
  #count = 0;

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async list(partition: number | null): Promise<readonly ListedSnapshot[]> {
    this.#assertThere();
    return [...this.#kept]
      .filter(([id]) => partition === null || id.startsWith(`${partition}/`))
      .map(([id, { manifest }]) =>
        manifest === null ? { id, manifest, fault: 'has a torn manifest' } : { id, manifest },
      );
  }

  async put(draft: SnapshotDraft, blocks: Iterable<Buffer>): Promise<SnapshotManifest> {
    const pieces: Buffer[] = [];
    for (const block of blocks) {
      this.#assertThere();
      pieces.push(Buffer.from(block));
      await Promise.resolve();
    }
    this.#assertThere();
    return this.keep(draft, Buffer.concat(pieces));
  }

  /** At once, for those who have all of it. */
  keep(draft: SnapshotDraft, bytes: Buffer): SnapshotManifest {
    this.#count += 1;
    const id = `${draft.partition}/${draft.checkpoint.offset}-${this.#count}`;
    const files = [{ name: ENTRIES, bytes: bytes.length, sha256: sha256(bytes) }];
    const manifest = { ...draft, id, files };
    this.#kept.set(id, { manifest, bytes });
    return manifest;
  }

  async *get({ id, files }: SnapshotManifest): AsyncGenerator<Buffer> {
    this.#assertThere();
    const kept = this.#kept.get(id);
    if (kept === undefined) throw new Error(`${id} is gone`);
    // Small enough that entries are cut across pieces.
    for (let at = 0; at < kept.bytes.length; at += 1_000) {
      yield kept.bytes.subarray(at, at + 1_000);
      await Promise.resolve();
    }
    if (sha256(kept.bytes) !== files[0]?.sha256) throw new SnapshotTornError('has another checksum');
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async remove({ id }: ListedSnapshot): Promise<void> {
    this.#assertThere();
    this.#kept.delete(id);
  }

  damage(
    id: string,
    how: 'flip a bit' | 'cut the end' | 'lose the entries' | 'flip a bit of the manifest',
  ): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) throw new Error(`there is no ${id}`);
    const { manifest } = kept;
    const bytes = Buffer.from(kept.bytes);
    if (how === 'flip a bit') {
      const at = Math.floor(bytes.length * 0.7);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    }
    const isManifest = how === 'flip a bit of the manifest';
    const left =
      how === 'cut the end' ? bytes.subarray(0, -1) : how === 'lose the entries' ? Buffer.alloc(0) : bytes;
    this.#kept.set(id, { manifest: isManifest ? null : manifest, bytes: left });
  }

  /** As if it had been taken by somebody else, of something else. */
  relabel(id: string, change: (manifest: SnapshotManifest) => SnapshotManifest): void {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.manifest === null) throw new Error(`there is no ${id}`);
    this.#kept.set(id, { ...kept, manifest: change(kept.manifest) });
  }

  #assertThere(): void {
    if (this.obstacle !== null) throw this.obstacle;
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

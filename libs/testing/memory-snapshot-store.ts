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

/** What happens to snapshots without their owner's doing. */
export const DAMAGES = [
  'flip a bit',
  'cut the end',
  'lose the entries',
  'flip a bit of the manifest',
] as const;
export type Damage = (typeof DAMAGES)[number];

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
    return this.listed(partition);
  }

  listed(partition: number | null): readonly ListedSnapshot[] {
    return [...this.#kept]
      .filter(([id]) => partition === null || id.startsWith(`${partition}/`))
      .map(([id, { manifest }]) =>
        manifest === null ? { id, manifest, fault: 'has a torn manifest' } : { id, manifest },
      );
  }

  ids(): readonly string[] {
    return [...this.#kept.keys()];
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

  async *get(manifest: SnapshotManifest): AsyncGenerator<Buffer> {
    this.#assertThere();
    const bytes = this.bytesOf(manifest.id);
    // Small enough that entries are cut across pieces.
    for (let at = 0; at < bytes.length; at += 1_000) {
      yield bytes.subarray(at, at + 1_000);
      await Promise.resolve();
    }
    if (!this.isWhole(manifest)) throw new SnapshotTornError('has another checksum');
  }

  /** @throws when it has been removed */
  bytesOf(id: string): Buffer {
    const kept = this.#kept.get(id);
    if (kept === undefined) throw new Error(`${id} is gone`);
    return kept.bytes;
  }

  isWhole({ id, files }: SnapshotManifest): boolean {
    const kept = this.#kept.get(id);
    return kept !== undefined && sha256(kept.bytes) === files[0]?.sha256;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async remove({ id }: ListedSnapshot): Promise<void> {
    this.#assertThere();
    this.forget(id);
  }

  forget(id: string): void {
    this.#kept.delete(id);
  }

  damage(id: string, how: Damage): void {
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

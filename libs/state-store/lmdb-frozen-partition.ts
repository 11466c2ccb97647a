import type { Checkpoint, FrozenPartition, StoreEntry, StoreEntryKind } from '#pipeline';
import type { ReadView, StoreDatabase } from './store-environment.js';
import { exactly, KIND_OF } from './stored-key.js';

const KINDS: readonly StoreEntryKind[] = ['blob', 'outbox', 'state'];

/**
 * A read transaction of LMDB over one partition. As long as it is open, pages that are replaced are not used again,
 * so the file grows with what is written meanwhile.
 */
export class LmdbFrozenPartition implements FrozenPartition {
  #kind = 0;
  /** The last key that was read of this kind. */
  #after: Buffer | null = null;
  #isClosed = false;

  constructor(
    private readonly database: StoreDatabase,
    private readonly view: ReadView,
    readonly checkpoint: Checkpoint,
    private readonly onClosed: () => void,
  ) {}

  /** Leaves no cursor behind: an environment that is closed under one takes the process down. */
  read(bytesMax: number): readonly StoreEntry[] {
    if (this.#isClosed) throw new Error('this frozen partition is closed');
    const found: StoreEntry[] = [];
    let bytes = 0;
    for (let kind = KINDS[this.#kind]; kind !== undefined; kind = KINDS[this.#kind]) {
      for (const { key, value } of this.database.getRange(this.#rest(KIND_OF[kind]))) {
        found.push([kind, key.toString('utf8', 1), exactly(value)]);
        bytes += key.length + value.length;
        if (bytes < bytesMax) continue;
        this.#after = Buffer.from(key);
        return found;
      }
      this.#kind += 1;
      this.#after = null;
    }
    return found;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.view.done();
    this.onClosed();
  }

  #rest(kind: number) {
    const end = Buffer.of(kind + 1);
    const transaction = this.view;
    if (this.#after === null) return { start: Buffer.of(kind), end, transaction };
    return { start: this.#after, exclusiveStart: true, end, transaction };
  }
}

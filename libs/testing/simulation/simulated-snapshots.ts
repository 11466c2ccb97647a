import {
  SnapshotTornError,
  type ListedSnapshot,
  type SnapshotDraft,
  type SnapshotManifest,
  type SnapshotStore,
} from '#pipeline';
import { DAMAGES, MemorySnapshotStore } from '../memory-snapshot-store.js';
import type { Life } from './life.js';
import type { Scheduler } from './scheduler.js';
import { SeededRandom } from './seeded-random.js';

/** The place that all machines of a run share, and what is drawn for it alone: other seeds stay as they were. */
export class SimulatedPlace {
  readonly kept = new MemorySnapshotStore();
  readonly intervalMs: number;
  readonly keep: number;
  readonly #random: SeededRandom;
  restores = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed * 17 + 3);
    this.intervalMs = this.#random.pick([1, 1, 2_000, 20_000]);
    this.keep = this.#random.between(1, 3);
  }

  /** Something gnaws at one of them. */
  gnaw(): string {
    const ids = this.kept.ids();
    if (ids.length === 0) return 'nothing';
    const id = this.#random.pick(ids);
    const how = this.#random.pick(DAMAGES);
    this.kept.damage(id, how);
    return `${how}: ${id}`;
  }
}

/** The snapshot port of one process. Every block and every piece is a call that may fail, or outlive the process. */
export class SimulatedSnapshots implements SnapshotStore {
  readonly place = 'the place';

  constructor(
    private readonly shared: SimulatedPlace,
    private readonly scheduler: Scheduler,
    private readonly life: Life,
  ) {}

  list(partition: number | null): Promise<readonly ListedSnapshot[]> {
    return this.#call('list', () => this.shared.kept.listed(partition));
  }

  async put(draft: SnapshotDraft, blocks: Iterable<Buffer>): Promise<SnapshotManifest> {
    const written: Buffer[] = [];
    for (const block of blocks) {
      await this.#call('block', () => undefined);
      written.push(block);
    }
    return this.#call('put', () => this.shared.kept.keep(draft, Buffer.concat(written)));
  }

  async *get(manifest: SnapshotManifest): AsyncGenerator<Buffer> {
    const bytes = await this.#call('get', () => this.shared.kept.bytesOf(manifest.id));
    const half = Math.floor(bytes.length / 2);
    yield bytes.subarray(0, half);
    await this.#call('get', () => undefined);
    yield bytes.subarray(half);
    if (!this.shared.kept.isWhole(manifest)) throw new SnapshotTornError('has another checksum');
    this.shared.restores += 1;
  }

  remove({ id }: ListedSnapshot): Promise<void> {
    return this.#call('remove', () => this.shared.kept.forget(id));
  }

  #call<T>(what: string, effect: () => T): Promise<T> {
    return this.scheduler.call(this.life, 'snapshot', `snapshot ${what}`, effect);
  }
}

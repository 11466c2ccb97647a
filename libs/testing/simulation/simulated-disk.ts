import type {
  Checkpoint,
  CheckpointWrite,
  FrozenPartition,
  PartitionStore,
  StateStore,
  StoreEntry,
} from '#pipeline';
import { InvariantError, KilledError, type Life } from './life.js';
import type { Scheduler } from './scheduler.js';
import type { SeededRandom } from './seeded-random.js';

interface Stored {
  /** Null while a restore is under way. */
  readonly checkpoint: Checkpoint | null;
  readonly states: ReadonlyMap<string, Buffer>;
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly outbox: ReadonlyMap<string, Buffer>;
}

/** The disk of one machine. What was written outlives the processes on it. */
export class SimulatedDisk {
  readonly #now = new Map<number, Stored>();
  /** What stood there before: a snapshot that somebody may put back. */
  readonly #before: { readonly partition: number; readonly stored: Stored }[] = [];

  stored(partition: number): Stored | undefined {
    return this.#now.get(partition);
  }

  /** Of the partitions that have a checkpoint. */
  offsets(): readonly { readonly partition: number; readonly offset: number }[] {
    return [...this.#now].flatMap(([partition, { checkpoint }]) =>
      checkpoint === null ? [] : [{ partition, offset: checkpoint.offset }],
    );
  }

  put(partition: number, stored: Stored): void {
    const before = this.#now.get(partition);
    if (before !== undefined && before.checkpoint !== null) this.#before.push({ partition, stored: before });
    this.#now.set(partition, stored);
  }

  drop(partition: number): void {
    this.#now.delete(partition);
  }

  /** While no process uses it: everything is gone, or a partition is as it once was. */
  mishap(random: SeededRandom): string {
    if (this.#before.length === 0 || random.chance(0.5)) {
      this.#now.clear();
      return 'is empty';
    }
    const { partition, stored } = random.pick(this.#before);
    this.#now.set(partition, stored);
    return `has partition ${partition} as of ${stored.checkpoint?.offset ?? 'nothing'}`;
  }
}

/** The state port of one process over its machine's disk. Writes are atomic, and may fail or kill. */
export class SimulatedStateStore implements StateStore {
  readonly #open = new Set<number>();

  constructor(
    private readonly disk: SimulatedDisk,
    private readonly scheduler: Scheduler,
    private readonly life: Life,
    /** A snapshot may take the place of what is good. */
    private readonly hasSnapshots = false,
  ) {}

  open(partition: number): PartitionStore {
    if (this.life.isDead) throw new KilledError('open');
    if (this.#open.has(partition)) throw new InvariantError(`store ${partition} is open already`);
    this.#open.add(partition);
    return this.#opened(partition);
  }

  stored(): readonly { readonly partition: number; readonly offset: number }[] {
    return this.disk.offsets();
  }

  drop(partition: number): void {
    if (this.#open.has(partition)) throw new InvariantError(`store ${partition} is dropped while it is open`);
    const isGood = (this.disk.stored(partition)?.checkpoint ?? null) !== null;
    if (isGood && !this.hasSnapshots)
      throw new InvariantError(`store ${partition} is dropped, which was good`);
    this.disk.drop(partition);
  }

  setAside(partition: number): string {
    throw new InvariantError(`store ${partition} is set aside, which was good`);
  }

  close(): void {
    this.#open.clear();
  }

  #opened(partition: number): PartitionStore {
    const { disk } = this;
    let isClosed = false;
    const stored = (): Stored | undefined => {
      if (isClosed) throw new InvariantError(`store ${partition} is used after it was closed`);
      return disk.stored(partition);
    };
    return {
      checkpoint: () => stored()?.checkpoint ?? null,
      get: (key) => copyOf(stored()?.states.get(key)),
      blob: (name) => copyOf(stored()?.blobs.get(name)),
      states: () => sorted(stored()?.states ?? new Map()),
      outbox: () => sorted(stored()?.outbox ?? new Map()),
      write: (write) => {
        const next = applied(stored(), write);
        const what = `store ${partition} at ${write.checkpoint.offset}`;
        this.scheduler.callSync(this.life, 'checkpoint', what, () => disk.put(partition, next));
      },
      load: (entries) => {
        const next = loaded(stored(), entries);
        this.scheduler.callSync(this.life, 'checkpoint', `store ${partition} restored`, () =>
          disk.put(partition, next),
        );
      },
      freeze: () => frozenOf(stored(), () => isClosed),
      close: () => {
        if (!isClosed) this.#open.delete(partition);
        isClosed = true;
      },
    };
  }
}

function applied(before: Stored | undefined, write: CheckpointWrite): Stored {
  return {
    checkpoint: write.checkpoint,
    states: patched(before?.states, write.states),
    blobs: patched(before?.blobs, write.blobs),
    outbox: patched(
      before?.outbox,
      [...write.outbox].map(({ key, value }) => [key, value] as const),
    ),
  };
}

function loaded(before: Stored | undefined, entries: readonly StoreEntry[]): Stored {
  const of = (wanted: StoreEntry[0]): readonly (readonly [string, Buffer])[] =>
    entries.flatMap(([kind, key, value]) => (kind === wanted ? [[key, value] as const] : []));
  return {
    checkpoint: null,
    states: patched(before?.states, of('state')),
    blobs: patched(before?.blobs, of('blob')),
    outbox: patched(before?.outbox, of('outbox')),
  };
}

/** What stands there is never changed, only replaced. */
function frozenOf(stored: Stored | undefined, isStoreClosed: () => boolean): FrozenPartition | null {
  if (stored === undefined || stored.checkpoint === null) return null;
  const entries = [
    ...[...sorted(stored.blobs)].map(([key, value]): StoreEntry => ['blob', key, value]),
    ...[...sorted(stored.outbox)].map(([key, value]): StoreEntry => ['outbox', key, value]),
    ...[...sorted(stored.states)].map(([key, value]): StoreEntry => ['state', key, value]),
  ];
  return {
    checkpoint: stored.checkpoint,
    read: () => {
      if (isStoreClosed()) throw new Error('its store is closed');
      return entries.splice(0, 5);
    },
    close: () => undefined,
  };
}

function patched(
  before: ReadonlyMap<string, Buffer> | undefined,
  changes: Iterable<readonly [key: string, value: Buffer | null]>,
): ReadonlyMap<string, Buffer> {
  const after = new Map(before);
  for (const [key, value] of changes) {
    if (value === null) after.delete(key);
    else after.set(key, Buffer.from(value));
  }
  return after;
}

/** In the order of the keys' bytes, as a store on disk keeps them. */
function sorted(entries: ReadonlyMap<string, Buffer>): Iterable<readonly [key: string, value: Buffer]> {
  const byKey = [...entries].map(([key, value]) => ({ key, bytes: Buffer.from(key), value }));
  byKey.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  return byKey.map(({ key, value }) => [key, Buffer.from(value)] as const);
}

function copyOf(value: Buffer | undefined): Buffer | undefined {
  return value === undefined ? undefined : Buffer.from(value);
}

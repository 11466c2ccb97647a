/** Where a person stood in the index before a batch and after it; undefined: not at all. */
export interface DueMove {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** What a batch does to the index. */
export interface DueChanges {
  /** New rules: everybody has to be looked at. Comes before the moves. */
  readonly everybody: boolean;
  readonly moves: ReadonlyMap<string, DueMove>;
}

/** Where everybody stands after new rules: before any instant of an event. */
export const DUE_NOW = -Infinity;

/**
 * Who has to be looked at when, though nothing happens to him: person keys by the instant their state is due.
 * Persons whom time alone never changes again are held at Infinity, so that new rules reach them too.
 * In memory, about 100 bytes a person; rebuilt from the states by `add`.
 */
export class DueIndex {
  private readonly buckets = new Map<number, Set<string>>();
  /** Buckets in the order of their keys, made when they become due. May name keys that have left. */
  private readonly sorted = new Map<number, readonly string[]>();

  /** Number of keys held. */
  get size(): number {
    let size = 0;
    for (const bucket of this.buckets.values()) size += bucket.size;
    return size;
  }

  add(key: string, dueAt: number): void {
    let bucket = this.buckets.get(dueAt);
    if (bucket === undefined) {
      bucket = new Set();
      this.buckets.set(dueAt, bucket);
    }
    bucket.add(key);
    if (this.sorted.size > 0) this.sorted.delete(dueAt);
  }

  /** Takes over the changes of a batch that is known to be committed. */
  apply(changes: DueChanges): void {
    if (changes.everybody) this.gather();
    // New rules may have taken keys from where their states say they stand.
    const isGathered = this.buckets.has(DUE_NOW);
    for (const [key, { from, to }] of changes.moves) {
      if (isGathered) this.remove(key, DUE_NOW);
      if (from === to && from !== undefined && (!isGathered || this.has(key, from))) continue;
      if (from !== undefined) this.remove(key, from);
      if (to !== undefined) this.add(key, to);
    }
  }

  has(key: string, dueAt: number): boolean {
    return this.buckets.get(dueAt)?.has(key) ?? false;
  }

  /** The instants at which somebody is due, ascending. */
  instants(): readonly number[] {
    return [...this.buckets.keys()].sort((a, b) => a - b);
  }

  /** Keys due at `dueAt`, ascending; some may have left since they were sorted (ask `has`). */
  keysAt(dueAt: number): readonly string[] {
    let keys = this.sorted.get(dueAt);
    if (keys === undefined) {
      keys = [...(this.buckets.get(dueAt) ?? [])].sort();
      this.sorted.set(dueAt, keys);
    }
    return keys;
  }

  /** All keys, ascending. */
  everybody(): readonly string[] {
    return [...this.buckets.values()].flatMap((bucket) => [...bucket]).sort();
  }

  private gather(): void {
    const everybody = new Set<string>();
    for (const bucket of this.buckets.values()) for (const key of bucket) everybody.add(key);
    this.buckets.clear();
    this.sorted.clear();
    if (everybody.size > 0) this.buckets.set(DUE_NOW, everybody);
  }

  private remove(key: string, dueAt: number): void {
    const bucket = this.buckets.get(dueAt);
    if (bucket === undefined) return;
    bucket.delete(key);
    if (bucket.size > 0) return;
    this.buckets.delete(dueAt);
    this.sorted.delete(dueAt);
  }
}

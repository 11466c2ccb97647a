import { decodeState, encodeState, type Relationship } from '#domain';
import type { PartitionStore } from './state-store.js';

/** What is held of one person. */
interface Entry {
  readonly key: string;
  /** Null: dropped, and the store does not know yet. */
  state: Relationship | null;
  /** What the store will be given of this state, where that has been made ahead. */
  encoded: Buffer | null;
  /** Changed since the last checkpoint. */
  isDirty: boolean;
  /** In `#changed`. */
  isChanged: boolean;
  /** The batch that changed it last, and the one after which it was put where it stands in the order of eviction. */
  changedIn: number;
  placedIn: number;
}

/**
 * The decoded person states of one partition, bounded, over the store. Only clean entries are evicted, those
 * first that were changed (or read) longest ago; dirty ones wait for the next checkpoint.
 */
export class StateCache {
  /** In the order of eviction, but for those that were changed since they were put there. */
  readonly #entries = new Map<string, Entry>();
  readonly #dirty: Entry[] = [];
  /** How many of these have been looked at to be encoded ahead. */
  #looked = 0;
  #changed: Entry[] = [];
  #dropped = 0;
  #batch = 0;

  /** @param cleanMax how many states may stay decoded in memory besides the dirty ones */
  constructor(
    private readonly store: PartitionStore,
    private readonly cleanMax: number,
  ) {}

  load(key: string): Relationship | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) return entry.state ?? undefined;
    const stored = this.store.get(key);
    if (stored === undefined) return undefined;
    const state = decodeState(stored);
    this.#put(state.key, state);
    return state;
  }

  /**
   * Takes over the states of a batch that is known to be committed.
   * @param isNews   whether `takeChanged` shall tell of the change; of new persons it does in any case
   */
  join(
    states: ReadonlyMap<string, Relationship | null>,
    isNews: (before: Relationship, after: Relationship) => boolean,
  ): void {
    this.#batch += 1;
    for (const [key, state] of states) {
      const known = this.#entries.get(key);
      const before = known?.state ?? null;
      const entry = known ?? this.#put(key, state);
      if (entry.state !== null && state === null) this.#dropped += 1;
      else if (entry.state === null && state !== null) this.#dropped -= 1;
      entry.state = state;
      entry.encoded = null;
      entry.changedIn = this.#batch;
      if (!entry.isDirty) {
        entry.isDirty = true;
        this.#dirty.push(entry);
      }
      if (!entry.isChanged && (before === null || state === null || isNews(before, state))) {
        entry.isChanged = true;
        this.#changed.push(entry);
      }
    }
    this.#evict();
  }

  get dirtyCount(): number {
    return this.#dirty.length;
  }

  get size(): number {
    return this.#entries.size - this.#dropped;
  }

  /**
   * The states of which there is news since the last call, each as it is now, without those that were dropped.
   * @param isTold   false: there will be news of this state in the next call, too
   */
  *takeChanged(isTold: (state: Relationship) => boolean): Iterable<Relationship> {
    const changed = this.#changed;
    this.#changed = [];
    for (const entry of changed) {
      entry.isChanged = entry.state !== null && !isTold(entry.state);
      if (entry.isChanged) this.#changed.push(entry);
      if (entry.state !== null) yield entry.state;
    }
  }

  /**
   * Encodes some of what the next checkpoint has to write, so that it need not do all of that at once. A state that
   * changes again until then is encoded again.
   * @param max   how many
   */
  encodeAhead(max: number): void {
    for (let left = max; this.#looked < this.#dirty.length; this.#looked += 1) {
      const entry = this.#dirty[this.#looked];
      if (entry === undefined || entry.state === null || entry.encoded !== null) continue;
      if (left === 0) return;
      left -= 1;
      entry.encoded = encodeState(entry.state);
    }
  }

  /** What the next checkpoint has to write. */
  *dirtyStates(): Iterable<readonly [key: string, value: Buffer | null]> {
    for (const { key, state, encoded } of this.#dirty) {
      yield [key, state === null ? null : (encoded ?? encodeState(state))];
    }
  }

  /** After the checkpoint: everything is clean. */
  clean(): void {
    for (const entry of this.#dirty) {
      entry.isDirty = false;
      entry.encoded = null;
      if (entry.state === null) this.#entries.delete(entry.key);
    }
    this.#dirty.length = 0;
    this.#looked = 0;
    this.#dropped = 0;
    this.#evict();
  }

  #put(key: string, state: Relationship | null): Entry {
    const place = this.#batch;
    const entry: Entry = {
      key,
      state,
      encoded: null,
      isDirty: false,
      isChanged: false,
      changedIn: place,
      placedIn: place,
    };
    this.#entries.set(key, entry);
    if (state === null) this.#dropped += 1;
    return entry;
  }

  #evict(): void {
    let excess = this.size - this.#dirty.length - this.cleanMax;
    if (excess <= 0) return;
    // A tenth more than needed, so that a full cache does not walk its dirty entries on every batch.
    excess += Math.ceil(this.cleanMax / 10);
    for (const [key, entry] of this.#entries) {
      if (excess <= 0) return;
      if (entry.isDirty || entry.isChanged) continue;
      this.#entries.delete(key);
      if (entry.changedIn > entry.placedIn) {
        // Where it stands now it is met again, at the end of this walk.
        entry.placedIn = entry.changedIn;
        this.#entries.set(key, entry);
      } else excess -= 1;
    }
  }
}

import { decodeState, encodeState, type Relationship } from '#domain';
import type { PartitionStore } from './state-store.js';

/**
 * The decoded person states of one partition, bounded, over the store. Only clean entries are evicted, those
 * first that were changed (or read) longest ago; dirty ones wait for the next checkpoint.
 */
export class StateCache {
  readonly #states = new Map<string, Relationship>();
  /** Changed since the last checkpoint; null where the state was dropped. */
  readonly #dirty = new Map<string, Relationship | null>();

  /** @param cleanMax how many states may stay decoded in memory besides the dirty ones */
  constructor(
    private readonly store: PartitionStore,
    private readonly cleanMax: number,
  ) {}

  load(key: string): Relationship | undefined {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    // Dropped, and the store does not know yet.
    if (this.#dirty.has(key)) return undefined;
    const stored = this.store.get(key);
    if (stored === undefined) return undefined;
    const state = decodeState(stored);
    this.#states.set(key, state);
    return state;
  }

  /** Takes over the states of a batch that is known to be committed. */
  join(states: ReadonlyMap<string, Relationship | null>): void {
    for (const [key, state] of states) {
      this.#dirty.set(key, state);
      // Taken out first, so that it stands last: eviction begins at the front.
      this.#states.delete(key);
      if (state !== null) this.#states.set(key, state);
    }
    this.#evict();
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  get size(): number {
    return this.#states.size;
  }

  /** What the next checkpoint has to write. */
  *dirtyStates(): Iterable<readonly [key: string, value: Buffer | null]> {
    for (const [key, state] of this.#dirty) yield [key, state === null ? null : encodeState(state)];
  }

  /** After the checkpoint: everything is clean. */
  clean(): void {
    this.#dirty.clear();
    this.#evict();
  }

  #evict(): void {
    let excess = this.#states.size - this.#dirty.size - this.cleanMax;
    if (excess <= 0) return;
    // A tenth more than needed, so that a full cache does not walk its dirty entries on every batch.
    excess += Math.ceil(this.cleanMax / 10);
    for (const key of this.#states.keys()) {
      if (excess <= 0) return;
      if (this.#dirty.has(key)) continue;
      this.#states.delete(key);
      excess -= 1;
    }
  }
}

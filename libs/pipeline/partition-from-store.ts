/** A partition's memory, made of what its store holds. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DueIndex, dueOf, Figures, INITIAL_FRAME, restoreFigures } from '#domain';
import type { LogGeneration } from './codecs.js';
import { Outbox } from './outbox.js';
import { PartitionState } from './partition-state.js';
import { StoreUnusableError } from './restore-snapshot.js';
import { StateCache } from './state-cache.js';
import type { Checkpoint, PartitionStore, StoreEntry } from './state-store.js';
import { messageOf } from './thrown.js';

interface Cached {
  /** Decoded states kept in memory. */
  readonly cachedStatesMax: number;
}

/** @throws StoreUnusableError */
export function checkpointOf(store: PartitionStore): Checkpoint | null {
  try {
    return store.checkpoint();
  } catch (error) {
    throw unusable(error);
  }
}

/** @param begun   fold as this generation from the start; undefined: as the log says */
export function emptyPartition(
  partition: number,
  store: PartitionStore,
  mutedTo: number,
  begun: Pick<LogGeneration, 'epoch' | 'generation'> | undefined,
  { cachedStatesMax }: Cached,
): PartitionState {
  const as = begun === undefined ? {} : { epoch: begun.epoch, generation: begun.generation };
  return new PartitionState({
    partition,
    store,
    cache: new StateCache(store, cachedStatesMax),
    dues: new DueIndex(),
    figures: Figures.empty(),
    outbox: new Outbox(),
    frame: { ...INITIAL_FRAME, ...as },
    position: 0,
    mutedTo,
    lastApplied: null,
  });
}

/** States read between two turns of the event loop. */
const STATES_PER_TURN = 20_000;

/** @throws StoreUnusableError */
export async function partitionFromStore(
  partition: number,
  store: PartitionStore,
  checkpoint: Checkpoint,
  mutedTo: number,
  cached: Cached,
): Promise<PartitionState> {
  const reading = new StoreReading(partition, store, mutedTo, cached);
  await reading.allStates();
  return reading.done(checkpoint);
}

/** A store on its way into memory: as it lies on the disk, or while it is loaded. */
export class StoreReading {
  readonly #dues = new DueIndex();
  #restored: ReturnType<typeof restoreFigures> | null = null;

  constructor(
    private readonly partition: number,
    private readonly store: PartitionStore,
    private readonly mutedTo: number,
    private readonly cached: Cached,
  ) {}

  /**
   * Entries that have just been loaded into the store: so its states need not be read again. Blobs come first.
   * @throws StoreUnusableError
   */
  loaded(entries: readonly StoreEntry[]): void {
    for (const [kind, key, value] of entries) if (kind === 'state') this.#add(key, value);
  }

  /** @throws StoreUnusableError */
  async allStates(): Promise<void> {
    let read = 0;
    for (const [key, value] of this.store.states()) {
      this.#add(key, value);
      read += 1;
      if (read % STATES_PER_TURN === 0) await nextTurn();
    }
  }

  /** Once all states are through. @throws StoreUnusableError */
  done({ offset, lastApplied }: Checkpoint): PartitionState {
    const { partition, store, mutedTo } = this;
    const { figures, frame } = this.#blobs();
    const outbox = new Outbox();
    try {
      outbox.restore(store.outbox());
    } catch (error) {
      throw unusable(error);
    }
    const cache = new StateCache(store, this.cached.cachedStatesMax);
    const parts = { partition, store, cache, dues: this.#dues, figures, outbox, frame };
    return new PartitionState({ ...parts, position: offset, mutedTo, lastApplied });
  }

  #add(key: string, value: Buffer): void {
    const { frame } = this.#blobs();
    try {
      this.#dues.add(key, dueOf(value, frame));
    } catch (error) {
      throw unusable(error);
    }
  }

  #blobs(): ReturnType<typeof restoreFigures> {
    try {
      return (this.#restored ??= restoreFigures((name) => this.store.blob(name)));
    } catch (error) {
      throw unusable(error);
    }
  }
}

function unusable(error: unknown): StoreUnusableError {
  const reason = messageOf(error);
  return new StoreUnusableError(`cannot be read: ${reason}`, { cause: error });
}

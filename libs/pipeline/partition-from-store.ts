/** A partition's memory, made of what its store holds. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DueIndex, dueOf, Figures, INITIAL_FRAME, restoreFigures } from '#domain';
import { type LogGeneration } from './codecs.js';
import { Outbox } from './outbox.js';
import { PartitionState } from './partition-state.js';
import { StoreUnusableError } from './restore-snapshot.js';
import { StateCache } from './state-cache.js';
import { type Checkpoint, type PartitionStore } from './state-store.js';

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
  { cachedStatesMax }: Cached,
): Promise<PartitionState> {
  const { figures, frame, dues, outbox } = await readStore(store).catch((error: unknown) => {
    throw unusable(error);
  });
  return new PartitionState({
    partition,
    store,
    cache: new StateCache(store, cachedStatesMax),
    dues,
    figures,
    outbox,
    frame,
    position: checkpoint.offset,
    mutedTo,
    lastApplied: checkpoint.lastApplied,
  });
}

async function readStore(store: PartitionStore) {
  const { figures, frame } = restoreFigures((name) => store.blob(name));
  const dues = new DueIndex();
  let read = 0;
  for (const [key, value] of store.states()) {
    dues.add(key, dueOf(value, frame));
    read += 1;
    if (read % STATES_PER_TURN === 0) await nextTurn();
  }
  const outbox = new Outbox();
  outbox.restore(store.outbox());
  return { figures, frame, dues, outbox };
}

function unusable(error: unknown): StoreUnusableError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreUnusableError(`cannot be read: ${reason}`, { cause: error });
}

import { DueIndex, dueOf, Figures, FOLD_VERSION, INITIAL_FRAME, restoreFigures } from '#domain';
import { type LogCodec } from './codecs.js';
import { assertSameLog, ForeignLogError } from './log-identity.js';
import { type Log, type TopicPartition } from './log.js';
import { Outbox } from './outbox.js';
import { PartitionState } from './partition-state.js';
import { StateCache } from './state-cache.js';
import { type Checkpoint, type PartitionStore, type StateStore } from './state-store.js';

export interface OpenPorts {
  readonly log: Log;
  readonly group: string;
  readonly logCodec: LogCodec;
  readonly store: StateStore;
  /** For messages: where the store lives. */
  readonly storeDirectory: string;
  /** Decoded states kept in memory per partition. */
  readonly cachedStatesMax: number;
}

/**
 * Brings a partition back: opens its store at checkpoint S, reads the committed position C ≥ S, and leaves it
 * to the caller to fold S..C without publishing. Call it only after the group's writer for this partition is
 * open, so that C can no longer move.
 *
 * @throws ForeignLogError   the store and the log do not belong together; the message says the way out
 */
export async function openPartition(input: TopicPartition, ports: OpenPorts): Promise<PartitionState> {
  const committed = await ports.log.committed(ports.group, input);
  const store = ports.store.open(input.partition);
  try {
    const checkpoint = store.checkpoint();
    if (checkpoint === null) return fresh(input.partition, store, committed ?? 0, ports);
    await assertUsable(input, checkpoint, committed, ports);
    return restored(input.partition, store, checkpoint, committed ?? 0, ports);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function assertUsable(
  input: TopicPartition,
  checkpoint: Checkpoint,
  committed: number | null,
  ports: OpenPorts,
): Promise<void> {
  const name = `${input.topic}-${input.partition}`;
  const wayOut = `Delete ${ports.storeDirectory} to fold ${name} from the log again.`;
  if (checkpoint.foldVersion !== FOLD_VERSION) {
    throw new ForeignLogError(
      `The local state of ${name} was folded by version ${checkpoint.foldVersion} of the fold, this is version ${FOLD_VERSION}. ${wayOut}`,
    );
  }
  if (committed === null) {
    throw new ForeignLogError(
      `The local state of ${name} is at offset ${checkpoint.offset}, but group ${ports.group} has no committed offset ` +
        `(expired, or another cluster): what has been published is not known. ${wayOut}`,
    );
  }
  if (committed < checkpoint.offset) {
    throw new ForeignLogError(
      `The local state of ${name} is at offset ${checkpoint.offset}, ahead of the committed offset ${committed}. ${wayOut}`,
    );
  }
  await assertSameLog(ports.log, ports.logCodec, input, checkpoint, ports.storeDirectory);
}

function fresh(partition: number, store: PartitionStore, mutedTo: number, ports: OpenPorts): PartitionState {
  return new PartitionState({
    partition,
    store,
    cache: new StateCache(store, ports.cachedStatesMax),
    dues: new DueIndex(),
    figures: Figures.empty(),
    outbox: new Outbox(),
    frame: INITIAL_FRAME,
    position: 0,
    mutedTo,
    lastApplied: null,
  });
}

function restored(
  partition: number,
  store: PartitionStore,
  checkpoint: Checkpoint,
  mutedTo: number,
  ports: OpenPorts,
): PartitionState {
  const { figures, frame } = restoreFigures((name) => store.blob(name));
  const dues = new DueIndex();
  for (const [key, value] of store.states()) {
    dues.add(key, dueOf(value, frame));
  }
  const outbox = new Outbox();
  outbox.restore(store.outbox());
  return new PartitionState({
    partition,
    store,
    cache: new StateCache(store, ports.cachedStatesMax),
    dues,
    figures,
    outbox,
    frame,
    position: checkpoint.offset,
    mutedTo,
    lastApplied: checkpoint.lastApplied,
  });
}

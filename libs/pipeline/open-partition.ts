import { setImmediate as nextTurn } from 'node:timers/promises';
import { DueIndex, dueOf, Figures, FOLD_VERSION, INITIAL_FRAME, restoreFigures } from '#domain';
import { type LogCodec } from './codecs.js';
import { assertSameLog, firstEpoch, ForeignLogError } from './log-identity.js';
import { type Log, type PartitionEnds, type TopicPartition } from './log.js';
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

export interface OpenedPartition {
  readonly state: PartitionState;
  /** Where the log ended when the partition was opened. */
  readonly end: number;
}

/**
 * Brings a partition back: opens its store at checkpoint S, reads the committed position C ≥ S, and leaves it
 * to the caller to fold S..C without publishing. Call it only after the group's writer for this partition is
 * open, so that C can no longer move.
 *
 * @throws ForeignLogError   the store, the log and the committed position do not belong together; the message
 *   says the way out
 */
export async function openPartition(input: TopicPartition, ports: OpenPorts): Promise<OpenedPartition> {
  const committed = await ports.log.committed(ports.group, input);
  const ends = await endsOf(input, ports.log);
  const store = ports.store.open(input.partition);
  try {
    const checkpoint = store.checkpoint();
    assertInLog(input, checkpoint?.offset ?? 0, committed, ends, ports);
    if (checkpoint === null) {
      // Throws where the log does not begin as one of ours.
      await firstEpoch(ports.log, ports.logCodec, input);
      return { state: fresh(input.partition, store, committed ?? 0, ports), end: ends.end };
    }
    assertFoldedByUs(input, checkpoint, committed, ports);
    await assertSameLog(ports.log, ports.logCodec, input, checkpoint, ports.storeDirectory);
    const state = await restored(input.partition, store, checkpoint, committed ?? 0, ports);
    return { state, end: ends.end };
  } catch (error) {
    store.close();
    throw error;
  }
}

async function endsOf(input: TopicPartition, log: Log): Promise<PartitionEnds> {
  const ends = (await log.ends(input.topic)).find(({ partition }) => partition === input.partition);
  if (ends === undefined) throw new Error(`${nameOf(input)} does not exist`);
  return ends;
}

/** The log must still have what is to be folded next, and must have had what was committed. */
function assertInLog(
  input: TopicPartition,
  position: number,
  committed: number | null,
  { start, end }: PartitionEnds,
  { group, storeDirectory }: OpenPorts,
): void {
  const name = nameOf(input);
  if (start > position) {
    throw new ForeignLogError(
      `${name} begins at offset ${start}, but the local state of group ${group} is at ${position}: what lies between was ` +
        `never folded and is gone. Put a copy of ${storeDirectory} from after offset ${start} in its place, or start ` +
        'a new log; this topic must be kept for ever (retention.ms -1).',
    );
  }
  if (committed !== null && committed > end) {
    throw new ForeignLogError(
      `Group ${group} has committed offset ${committed} of ${name}, but the log ends at ${end}: it was cut or is another ` +
        `one. If the log is right, delete ${storeDirectory} and the committed offsets of group ${group}.`,
    );
  }
}

function assertFoldedByUs(
  input: TopicPartition,
  checkpoint: Checkpoint,
  committed: number | null,
  { group, storeDirectory }: OpenPorts,
): void {
  const name = nameOf(input);
  const wayOut = `Delete ${storeDirectory} to fold ${name} from the log again.`;
  if (checkpoint.foldVersion !== FOLD_VERSION) {
    throw new ForeignLogError(
      `The local state of ${name} was folded by version ${checkpoint.foldVersion} of the fold, this is version ${FOLD_VERSION}. ${wayOut}`,
    );
  }
  if (committed === null) {
    throw new ForeignLogError(
      `The local state of ${name} is at offset ${checkpoint.offset}, but group ${group} has no committed offset ` +
        `(expired, or another cluster): what has been published is not known. Commit offset ${checkpoint.offset} for the ` +
        `group if nothing was published behind it; else delete ${storeDirectory}, which publishes everything again.`,
    );
  }
  if (committed < checkpoint.offset) {
    throw new ForeignLogError(
      `The local state of ${name} is at offset ${checkpoint.offset}, ahead of the committed offset ${committed}. ${wayOut}`,
    );
  }
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

/** States read between two turns of the event loop. */
const STATES_PER_TURN = 20_000;

async function restored(
  partition: number,
  store: PartitionStore,
  checkpoint: Checkpoint,
  mutedTo: number,
  ports: OpenPorts,
): Promise<PartitionState> {
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

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

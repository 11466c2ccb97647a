import { setImmediate as nextTurn } from 'node:timers/promises';
import { DueIndex, dueOf, Figures, INITIAL_FRAME, restoreFigures } from '#domain';
import { type LogCodec } from './codecs.js';
import {
  assertCommittedInLog,
  assertFoldedByUs,
  assertInLog,
  lostRecords,
  nameOf,
  type LogBounds,
} from './partition-ground.js';
import { differenceFromLog, firstEpoch, ForeignLogError } from './log-identity.js';
import { type Log, type PartitionEnds, type TopicPartition } from './log.js';
import { Outbox } from './outbox.js';
import { PartitionState } from './partition-state.js';
import {
  hasSnapshotFrom,
  restoreNewest,
  StoreUnusableError,
  type RefusedSnapshot,
  type Restored,
} from './restore-snapshot.js';
import { type SnapshotManifest, type SnapshotStore } from './snapshot-store.js';
import { StateCache } from './state-cache.js';
import { type Checkpoint, type PartitionStore, type StateStore } from './state-store.js';

export interface OpenPorts {
  readonly log: Log;
  readonly group: string;
  readonly logCodec: LogCodec;
  readonly store: StateStore;
  /** For messages: where the store lives. */
  readonly storeDirectory: string;
  /** What a partition without a store is brought back from. Null: from the log alone. */
  readonly snapshots: SnapshotStore | null;
  /**
   * By how many records a snapshot has to be ahead of a store that is there and good to take its place: where the
   * partition has been elsewhere for long, folding is slower than restoring. By default 100,000.
   */
  readonly snapshotLeadMin?: number;
  /** Decoded states kept in memory per partition. */
  readonly cachedStatesMax: number;
}

const SNAPSHOT_LEAD_MIN = 100_000;

/** Where the state of a partition came from when it was opened. */
export interface PartitionOrigin {
  /** Null: from the local store; or from nowhere, and the log is folded from its start. */
  readonly snapshot: SnapshotManifest | null;
  /** Snapshots that were passed over. */
  readonly refused: readonly RefusedSnapshot[];
  /** A local store that could not be read, and where it is kept. */
  readonly setAside: { readonly reason: string; readonly kept: string } | null;
}

export interface OpenedPartition {
  readonly state: PartitionState;
  /** Where the log ended when the partition was opened. */
  readonly end: number;
  readonly origin: PartitionOrigin;
}

/**
 * Brings a partition back: opens its store at checkpoint S, reads the committed position C ≥ S, and leaves it
 * to the caller to fold S..C without publishing. Where there is no store, or an old one, S is that of the newest
 * snapshot that can be used, else the start of the log. Call it only after the group's writer for this partition is open, so that C
 * can no longer move.
 *
 * @throws ForeignLogError   the store, the log and the committed position do not belong together; the message
 *   says the way out
 */
export async function openPartition(input: TopicPartition, ports: OpenPorts): Promise<OpenedPartition> {
  const committed = await ports.log.committed(ports.group, input);
  const ends = await endsOf(input, ports.log);
  const bounds = { committed, ends };
  assertCommittedInLog(input, bounds, ports);
  let setAside: PartitionOrigin['setAside'] = null;
  try {
    const state = await fromDisk(input, bounds, ports);
    if (state !== null) return { state, end: ends.end, origin: { snapshot: null, refused: [], setAside } };
  } catch (error) {
    if (!(error instanceof StoreUnusableError)) throw error;
    setAside = { reason: error.message, kept: ports.store.setAside(input.partition) };
  }
  const { found, refused } = await fromSnapshot(input, bounds, ports);
  const state = found?.value ?? (await fromStart(input, bounds, refused, ports));
  return { state, end: ends.end, origin: { snapshot: found?.manifest ?? null, refused, setAside } };
}

/** @returns null where there is no store yet, or one that a snapshot has left far behind */
async function fromDisk(
  input: TopicPartition,
  bounds: LogBounds,
  ports: OpenPorts,
): Promise<PartitionState | null> {
  const store = ports.store.open(input.partition);
  try {
    const checkpoint = checkpointOf(store);
    if (checkpoint === null) {
      store.close();
      return null;
    }
    assertInLog(input, checkpoint.offset, bounds.ends, ports);
    assertFoldedByUs(input, checkpoint, bounds.committed, ports);
    const difference = await differenceFromLog(ports.log, ports.logCodec, input, checkpoint);
    if (difference !== null) {
      throw new ForeignLogError(
        `The local state of ${nameOf(input)} ${difference}. If the log is right, delete ${ports.storeDirectory} and ` +
          'the partition is folded from the log again.',
      );
    }
    if (await isLeftBehind(input, checkpoint.offset, bounds, ports)) {
      store.close();
      ports.store.drop(input.partition);
      return null;
    }
    return await restored(input.partition, store, checkpoint, bounds.committed ?? 0, ports);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function isLeftBehind(
  input: TopicPartition,
  offset: number,
  bounds: LogBounds,
  { snapshots, snapshotLeadMin = SNAPSHOT_LEAD_MIN, ...ports }: OpenPorts,
): Promise<boolean> {
  // No snapshot is ahead of what is committed: nearly always there is nothing to ask for.
  if (snapshots === null || offset + snapshotLeadMin > (bounds.committed ?? 0)) return false;
  return hasSnapshotFrom(input, { ...ports, snapshots }, bounds, offset + snapshotLeadMin);
}

function checkpointOf(store: PartitionStore): Checkpoint | null {
  try {
    return store.checkpoint();
  } catch (error) {
    throw unusable(error);
  }
}

async function fromSnapshot(
  input: TopicPartition,
  bounds: LogBounds,
  ports: OpenPorts,
): Promise<Restored<PartitionState>> {
  const { snapshots } = ports;
  if (snapshots === null) return { found: null, refused: [] };
  return restoreNewest(input, { ...ports, snapshots }, bounds, (store, { checkpoint }) =>
    restored(input.partition, store, checkpoint, bounds.committed ?? 0, ports),
  );
}

async function fromStart(
  input: TopicPartition,
  { committed, ends }: LogBounds,
  refused: readonly RefusedSnapshot[],
  ports: OpenPorts,
): Promise<PartitionState> {
  if (ends.start > 0) {
    const snapshots = refused.map(({ id, reason }) => ` Snapshot ${id} ${reason}.`).join('');
    throw new ForeignLogError(`${lostRecords(input, 0, ends, ports)}${snapshots}`);
  }
  // Throws where the log does not begin as one of ours.
  await firstEpoch(ports.log, ports.logCodec, input);
  // What a restore has left here that was broken off.
  ports.store.drop(input.partition);
  return fresh(input.partition, ports.store.open(input.partition), committed ?? 0, ports);
}

async function endsOf(input: TopicPartition, log: Log): Promise<PartitionEnds> {
  const ends = (await log.ends(input.topic)).find(({ partition }) => partition === input.partition);
  if (ends === undefined) throw new Error(`${nameOf(input)} does not exist`);
  return ends;
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

/** @throws StoreUnusableError */
async function restored(
  partition: number,
  store: PartitionStore,
  checkpoint: Checkpoint,
  mutedTo: number,
  ports: OpenPorts,
): Promise<PartitionState> {
  const { figures, frame, dues, outbox } = await readStore(store).catch((error: unknown) => {
    throw unusable(error);
  });
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

import type { LogCodec, LogGenerationCodec } from './codecs.js';
import { begunGenerations } from './log-generations.js';
import {
  assertBuiltByUs,
  assertCommittedInLog,
  assertFoldedByUs,
  assertInLog,
  assertPublishedIsKnown,
  lostRecords,
  nameOf,
  type LogBounds,
} from './partition-ground.js';
import { differenceFromLog, firstEpoch, ForeignLogError, isOfFormerLog } from './log-identity.js';
import type { Log, PartitionEnds, TopicPartition } from './log.js';
import { checkpointOf, emptyPartition, partitionFromStore, StoreReading } from './partition-from-store.js';
import type { PartitionState } from './partition-state.js';
import {
  hasSnapshotFrom,
  restoreNewest,
  StoreUnusableError,
  type RefusedSnapshot,
  type Restored,
} from './restore-snapshot.js';
import type { SnapshotManifest, SnapshotStore } from './snapshot-store.js';
import type { StateStore } from './state-store.js';

export interface OpenPorts {
  readonly log: Log;
  readonly group: string;
  readonly logCodec: LogCodec;
  readonly generationCodec: LogGenerationCodec;
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
  /** A local store that was not used, and where it is kept. */
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
  const generations = await begunGenerations(ports.log, ports.generationCodec, input.partition);
  const bounds = { committed, ends, generations };
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

/** @returns null where there is no store yet, or one of an earlier generation, or one that a snapshot has left far behind */
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
    if (await isOfFormerLog(ports.log, ports.logCodec, input, checkpoint)) {
      throw new StoreUnusableError(`is of the log before it was repartitioned (epoch ${checkpoint.epoch})`);
    }
    const begun = bounds.generations.get(checkpoint.logId);
    assertBuiltByUs(input, begun);
    if (begun !== undefined && checkpoint.generation < begun.generation) {
      // Of a generation that has ended: a rebuild has begun another one.
      store.close();
      ports.store.drop(input.partition);
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
    return await partitionFromStore(input.partition, store, checkpoint, bounds.committed ?? 0, ports);
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

async function fromSnapshot(
  input: TopicPartition,
  bounds: LogBounds,
  ports: OpenPorts,
): Promise<Restored<PartitionState>> {
  const { snapshots } = ports;
  if (snapshots === null) return { found: null, refused: [] };
  const { committed } = bounds;
  return restoreNewest(
    input,
    { ...ports, snapshots },
    bounds,
    (store) => new StoreReading(input.partition, store, committed ?? 0, ports),
  );
}

async function fromStart(
  input: TopicPartition,
  { committed, ends, generations }: LogBounds,
  refused: readonly RefusedSnapshot[],
  ports: OpenPorts,
): Promise<PartitionState> {
  if (ends.start > 0) {
    const snapshots = refused.map(({ id, reason }) => ` Snapshot ${id} ${reason}.`).join('');
    throw new ForeignLogError(`${lostRecords(input, 0, ends, ports)}${snapshots}`);
  }
  // Throws where the log does not begin as one of ours.
  const first = await firstEpoch(ports.log, ports.logCodec, input);
  assertPublishedIsKnown(input, first, committed, ports);
  const begun = first === null ? undefined : generations.get(first.logId);
  assertBuiltByUs(input, begun);
  // What a restore has left here that was broken off.
  ports.store.drop(input.partition);
  return emptyPartition(input.partition, ports.store.open(input.partition), committed ?? 0, begun, ports);
}

async function endsOf(input: TopicPartition, log: Log): Promise<PartitionEnds> {
  const ends = (await log.ends(input.topic)).find(({ partition }) => partition === input.partition);
  if (ends === undefined) throw new Error(`${nameOf(input)} does not exist`);
  return ends;
}

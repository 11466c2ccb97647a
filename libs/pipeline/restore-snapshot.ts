import { setImmediate as nextTurn } from 'node:timers/promises';
import { FOLD_VERSION } from '#domain';
import type { LogCodec } from './codecs.js';
import { differenceFromLog, firstEpoch, ForeignLogError } from './log-identity.js';
import { OwnershipLostError, type Log, type TopicPartition } from './log.js';
import { nameOf, type LogBounds } from './partition-ground.js';
import { SnapshotReader } from './snapshot-codec.js';
import { SnapshotTornError, type SnapshotManifest, type SnapshotStore } from './snapshot-store.js';
import { newestFirst, type UsableSnapshot } from './snapshot-taker.js';
import type { Checkpoint, PartitionStore, StateStore, StoreEntry } from './state-store.js';
import { messageOf } from './thrown.js';

/** A snapshot that was passed over, and why. */
export interface RefusedSnapshot {
  readonly id: string;
  readonly reason: string;
}

export interface RestorePorts {
  readonly log: Log;
  readonly group: string;
  readonly logCodec: LogCodec;
  readonly store: StateStore;
  readonly snapshots: SnapshotStore;
}

/** A partition on its way into memory. */
export interface LoadedStore<T> {
  /** What has just been loaded. @throws StoreUnusableError */
  loaded(entries: readonly StoreEntry[]): void;
  /** All of it is there, and was what it should be. @throws StoreUnusableError */
  done(checkpoint: Checkpoint): T;
}

/** What lies in a store cannot be read as what it should be. */
export class StoreUnusableError extends Error {
  override readonly name = 'StoreUnusableError';
}

export interface Restored<T> {
  /** Null where no snapshot can be used. */
  readonly found: { readonly manifest: SnapshotManifest; readonly value: T } | null;
  /** Those that were tried or looked at before, newest first. */
  readonly refused: readonly RefusedSnapshot[];
}

/**
 * Puts the newest snapshot that can be used in the place of a store that is not there.
 * @throws ForeignLogError   there is a snapshot, but nobody knows what has been published since
 * @throws OwnershipLostError   somebody else has the partition by now
 */
export async function restoreNewest<T>(
  input: TopicPartition,
  ports: RestorePorts,
  bounds: LogBounds,
  begin: (store: PartitionStore) => LoadedStore<T>,
): Promise<Restored<T>> {
  const refused: RefusedSnapshot[] = [];
  for (const { id, manifest } of await candidates(input.partition, ports.snapshots, refused)) {
    const reason = await objection(input, manifest, ports, bounds);
    if (reason !== null) {
      refused.push({ id, reason });
      continue;
    }
    // What a restore has left here that was broken off.
    ports.store.drop(input.partition);
    const store = ports.store.open(input.partition);
    try {
      const loading = begin(store);
      await load(manifest, ports.snapshots, store, loading);
      return { found: { manifest, value: loading.done(manifest.checkpoint) }, refused };
    } catch (error) {
      store.close();
      if (!(error instanceof SnapshotTornError || error instanceof StoreUnusableError)) throw error;
      ports.store.drop(input.partition);
      refused.push({ id, reason: error.message });
    }
  }
  return { found: null, refused };
}

/**
 * Whether there is a snapshot of this offset or later that can be used: all of it was read and is whole.
 * @throws ForeignLogError   as `restoreNewest`
 */
export async function hasSnapshotFrom(
  input: TopicPartition,
  ports: RestorePorts,
  bounds: LogBounds,
  offset: number,
): Promise<boolean> {
  for (const { manifest } of await candidates(input.partition, ports.snapshots, [])) {
    if (manifest.checkpoint.offset < offset) continue;
    if ((await objection(input, manifest, ports, bounds)) !== null) continue;
    if (await isWhole(manifest, ports.snapshots)) return true;
  }
  return false;
}

async function isWhole(manifest: SnapshotManifest, snapshots: SnapshotStore): Promise<boolean> {
  try {
    for await (const _ of entriesOf(manifest, snapshots)) await nextTurn();
    return true;
  } catch (error) {
    if (error instanceof SnapshotTornError) return false;
    throw error;
  }
}

/** Newest first. A place that does not answer is no reason to stand still: the log has everything, too. */
async function candidates(
  partition: number,
  snapshots: SnapshotStore,
  refused: RefusedSnapshot[],
): Promise<readonly UsableSnapshot[]> {
  try {
    const usable: UsableSnapshot[] = [];
    for (const one of await snapshots.list(partition)) {
      if (one.manifest === null) refused.push({ id: one.id, reason: one.fault });
      else usable.push(one);
    }
    return usable.sort(newestFirst);
  } catch (error) {
    refused.push({ id: snapshots.place, reason: messageOf(error) });
    return [];
  }
}

/** Why a snapshot must not be used, whatever its content; null: nothing is against it. */
async function objection(
  input: TopicPartition,
  { id, partition, checkpoint }: SnapshotManifest,
  { log, logCodec, group, snapshots }: RestorePorts,
  { committed, ends, generations }: LogBounds,
): Promise<string | null> {
  const name = nameOf(input);
  const { foldVersion, generation, logId, offset } = checkpoint;
  if (partition !== input.partition) return `is of partition ${partition}`;
  if (foldVersion !== FOLD_VERSION) {
    return `was folded by version ${foldVersion} of the fold, this is version ${FOLD_VERSION}; only that release can use it`;
  }
  if (offset < ends.start) return `is at offset ${offset}, but ${name} begins at ${ends.start} by now`;
  const difference = await differenceFromLog(log, logCodec, input, checkpoint);
  if (difference !== null) return difference;
  const begun = generations.get(logId);
  if (begun !== undefined && generation < begun.generation) {
    return `is of generation ${generation}, but generation ${begun.generation} has begun`;
  }
  // Of the first generation nothing has to be asked.
  const newest = begun ?? (generation > 1 ? await firstEpoch(log, logCodec, input) : null);
  if (newest !== null && generation > newest.generation) {
    return `is of generation ${generation}, which has not begun: a rebuild has not been switched to`;
  }
  if (committed === null) {
    // Asked for before the snapshots were, and taken by whoever has come after us since.
    if ((await log.committed(group, input)) !== null)
      throw new OwnershipLostError(`${name} has been taken over while it was opened here`);
    throw new ForeignLogError(
      `Snapshot ${id} of ${name} in ${snapshots.place} is at offset ${offset}, but group ${group} has no committed offset ` +
        `(expired, or another cluster): what has been published is not known. Commit offset ${offset} for the group if ` +
        `nothing was published behind it; else remove the snapshots of this partition, which publishes everything again.`,
    );
  }
  if (offset > committed) {
    return `is at offset ${offset}, ahead of the committed offset ${committed} of group ${group}`;
  }
  return null;
}

/** Bytes written at once, between two turns of the event loop. */
const LOAD_BYTES = 4 * 1_024 * 1_024;

/** Only the checkpoint at the end makes a store of it, so what is broken off is nothing. */
async function load(
  manifest: SnapshotManifest,
  snapshots: SnapshotStore,
  store: PartitionStore,
  loading: Pick<LoadedStore<unknown>, 'loaded'>,
): Promise<void> {
  for await (const entries of entriesOf(manifest, snapshots)) {
    store.load(entries);
    loading.loaded(entries);
    await nextTurn();
  }
  store.write({ checkpoint: manifest.checkpoint, states: [], blobs: [], outbox: [] });
}

/**
 * The entries of a snapshot, some at a time. Once they are all through, the snapshot is what was put there.
 * @throws SnapshotTornError
 */
export async function* entriesOf(
  manifest: SnapshotManifest,
  snapshots: Pick<SnapshotStore, 'get'>,
): AsyncGenerator<readonly StoreEntry[]> {
  const reader = new SnapshotReader();
  let entries: StoreEntry[] = [];
  let bytes = 0;
  const pieces = snapshots.get(manifest)[Symbol.asyncIterator]();
  for (let piece = await next(pieces); piece !== null; piece = await next(pieces)) {
    for (const entry of reader.entries(piece)) {
      entries.push(entry);
      bytes += entry[2].length;
    }
    if (bytes < LOAD_BYTES) continue;
    yield entries;
    entries = [];
    bytes = 0;
  }
  reader.end();
  yield entries;
}

/** A place that gives out half a snapshot and fails has no whole one. */
async function next(pieces: AsyncIterator<Buffer>): Promise<Buffer | null> {
  try {
    const result = await pieces.next();
    return result.done === true ? null : result.value;
  } catch (error) {
    if (error instanceof SnapshotTornError) throw error;
    const reason = messageOf(error);
    throw new SnapshotTornError(`cannot be read: ${reason}`, { cause: error });
  }
}

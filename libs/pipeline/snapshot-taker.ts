import { SerialQueue } from './serial-queue.js';
import { snapshotBlocks } from './snapshot-codec.js';
import type { ListedSnapshot, SnapshotManifest, SnapshotStore } from './snapshot-store.js';
import type { Checkpoint, FrozenPartition } from './state-store.js';
import { asError } from './thrown.js';

export interface SnapshotSettings {
  readonly everyMs: number;
  /**
   * One comes earlier when so many records have been folded since the last, since they are what a restore has to
   * fold again; but each is followed by a pause of 40 times as long as it took.
   */
  readonly recordsMax: number;
  /** How many of one log and fold version stay, the newest of them. */
  readonly keep: number;
}

/** Told what becomes of snapshots, for metrics and logs. */
export interface SnapshotObserver {
  /** There was one when the partition came here. */
  found(manifest: SnapshotManifest): void;
  taken(manifest: SnapshotManifest, durationMs: number): void;
  /** Nothing else is the worse for it; it is tried again. */
  failed(partition: number, error: Error): void;
}

/** A partition in hand. */
export interface SnapshotSource {
  readonly partition: number;
  /** False once it has left: then nobody misses a snapshot of it. */
  readonly isHeld: boolean;
  /** Next offset to fold. */
  readonly position: number;
  /** Its store as of now; null before the first checkpoint. */
  freeze(): FrozenPartition | null;
}

interface Plan {
  /** Null: not known yet. */
  dueAt: number | null;
  /** Not before this instant, however many records there are. */
  restsUntil: number;
  /** Where the last one stands in the log; null: there is none. */
  offset: number | null;
  isBusy: boolean;
  failures: number;
}

/** First pause after a failure; it doubles up to the usual interval, ms. */
const RETRY_MS = 15_000;
/** A snapshot for the sake of many records may take this share of a core, of every partition. */
const PAUSE_FACTOR = 40;

/**
 * Takes the snapshots of the partitions of a process, one at a time, while they go on: each is the store as of one
 * instant, read block by block between other work.
 */
export class SnapshotTaker {
  readonly #queue = new SerialQueue();
  readonly #plans = new Map<number, Plan>();

  constructor(
    private readonly store: SnapshotStore,
    private readonly settings: SnapshotSettings,
    private readonly now: () => number,
    private readonly observer: SnapshotObserver,
  ) {}

  /** To be called about once a second; takes one where it is time. Never rejects. */
  async maintain(source: SnapshotSource): Promise<void> {
    const plan = this.#planOf(source.partition);
    if (plan.isBusy || !this.#mayBeDue(plan, source)) return;
    plan.isBusy = true;
    try {
      plan.dueAt ??= await this.#firstDue(plan, source.partition);
      if (!this.#mayBeDue(plan, source)) return;
      const taken = await this.#queue.run(() => this.#take(source, plan));
      if (taken === null) return;
      // One that cannot be removed is no reason to take another.
      await this.#prune(taken).catch((error: unknown) => this.#failed(source.partition, error));
    } catch (error) {
      // The partition has left in the middle of it.
      if (!source.isHeld) return;
      plan.dueAt = this.now() + Math.min(this.settings.everyMs, RETRY_MS * 2 ** plan.failures);
      plan.restsUntil = plan.dueAt;
      plan.failures += 1;
      this.#failed(source.partition, error);
    } finally {
      plan.isBusy = false;
    }
  }

  #mayBeDue({ dueAt, restsUntil, offset }: Plan, { position }: SnapshotSource): boolean {
    const now = this.now();
    if (dueAt === null || now >= dueAt) return true;
    return offset !== null && position - offset >= this.settings.recordsMax && now >= restsUntil;
  }

  /** The partition has left; another may take its snapshots meanwhile. */
  forget(partition: number): void {
    this.#plans.delete(partition);
  }

  #planOf(partition: number): Plan {
    const known = this.#plans.get(partition);
    if (known !== undefined) return known;
    const plan = { dueAt: null, restsUntil: 0, offset: null, isBusy: false, failures: 0 };
    this.#plans.set(partition, plan);
    return plan;
  }

  /** As if this process had taken those that are there: a restart or a move is no reason for another one. */
  async #firstDue(plan: Plan, partition: number): Promise<number> {
    const manifests = manifestsOf(await this.store.list(partition));
    const newest = manifests.reduce<SnapshotManifest | null>(
      (last, one) => (last === null || one.takenAt > last.takenAt ? one : last),
      null,
    );
    if (newest === null) return this.now();
    this.observer.found(newest);
    plan.offset = newest.checkpoint.offset;
    return Math.min(newest.takenAt, this.now()) + this.settings.everyMs;
  }

  #failed(partition: number, error: unknown): void {
    this.observer.failed(partition, asError(error));
  }

  /** @returns null where there was nothing to take yet */
  async #take(source: SnapshotSource, plan: Plan): Promise<SnapshotManifest | null> {
    if (!source.isHeld) return null;
    const startedAt = this.now();
    const manifest = await putSnapshot(this.store, source, startedAt);
    if (manifest === null) return null;
    const now = this.now();
    const durationMs = now - startedAt;
    plan.dueAt = now + this.settings.everyMs;
    plan.restsUntil = now + PAUSE_FACTOR * durationMs;
    plan.offset = manifest.checkpoint.offset;
    plan.failures = 0;
    this.observer.taken(manifest, durationMs);
    return manifest;
  }

  async #prune({ partition, checkpoint }: SnapshotManifest): Promise<void> {
    const listed = await this.store.list(partition);
    const alike = listed
      .filter((one): one is UsableSnapshot => one.manifest !== null && isAlike(one.manifest, checkpoint))
      .sort(newestFirst);
    for (const one of alike.slice(this.settings.keep)) await this.store.remove(one);
  }
}

/** @returns null before the first checkpoint */
export async function putSnapshot(
  snapshots: SnapshotStore,
  source: Pick<SnapshotSource, 'partition' | 'freeze'>,
  takenAt: number,
): Promise<SnapshotManifest | null> {
  const frozen = source.freeze();
  if (frozen === null) return null;
  try {
    const draft = { partition: source.partition, checkpoint: frozen.checkpoint, takenAt };
    return await snapshots.put(draft, snapshotBlocks(frozen));
  } finally {
    frozen.close();
  }
}

export type UsableSnapshot = Extract<ListedSnapshot, { readonly manifest: SnapshotManifest }>;

export function newestFirst({ manifest: a }: UsableSnapshot, { manifest: b }: UsableSnapshot): number {
  return b.checkpoint.offset - a.checkpoint.offset || b.takenAt - a.takenAt;
}

function manifestsOf(listed: readonly ListedSnapshot[]): readonly SnapshotManifest[] {
  return listed.flatMap(({ manifest }) => (manifest === null ? [] : [manifest]));
}

/** Those of another log or another fold are somebody else's to remove: a release may be taken back. */
function isAlike({ checkpoint }: SnapshotManifest, other: Checkpoint): boolean {
  return (
    checkpoint.logId === other.logId &&
    checkpoint.generation === other.generation &&
    checkpoint.foldVersion === other.foldVersion
  );
}

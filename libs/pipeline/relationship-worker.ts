import {
  OwnershipLostError,
  type Assignment,
  type BatchControl,
  type ConsumerHandler,
  type RecordBatch,
  type StoredState,
  type TopicPartition,
} from './log.js';
import { OwnedPartition, type RelationshipObserver, type RelationshipPorts } from './owned-partition.js';
import type { PartitionState } from './partition-state.js';
import type { RelationshipSettings } from './relationship-settings.js';
import { SnapshotTaker } from './snapshot-taker.js';
import { messageOf } from './thrown.js';
import { TOPICS } from './topics.js';

/** Folds the partitions of the relationship log that this member owns. */
export class RelationshipWorker implements ConsumerHandler {
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #snapshots: SnapshotTaker | null;

  constructor(
    private readonly ports: RelationshipPorts,
    private readonly settings: RelationshipSettings,
    private readonly observer: RelationshipObserver,
  ) {
    const { snapshots, now } = ports;
    const kept = {
      everyMs: settings.snapshotIntervalMs,
      recordsMax: settings.snapshotRecordsMax,
      keep: settings.snapshotsKept,
    };
    this.#snapshots = snapshots === null ? null : new SnapshotTaker(snapshots, kept, now, observer.snapshots);
  }

  async assigned(input: TopicPartition, assignment: Assignment | null = null): Promise<number> {
    await this.#take(input.partition)?.close();
    const { ports, settings, observer } = this;
    const snapshots = this.#snapshots;
    const owned = await OwnedPartition.open(input, { ports, settings, observer, snapshots, assignment });
    this.#owned.set(input.partition, owned);
    return owned.state.position;
  }

  /** Partitions of the log whose state lies in the store, whoever has them now. */
  storedStates(): readonly StoredState[] {
    return this.ports.store.stored().map((found) => ({ topic: TOPICS.relationshipLog, ...found }));
  }

  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const owned = this.#owned.get(batch.partition);
    if (owned === undefined)
      throw new OwnershipLostError(`${batch.topic}-${batch.partition} is not assigned here`);
    await owned.batch(batch, control);
  }

  async revoked(input: TopicPartition): Promise<void> {
    await this.#take(input.partition)?.leave();
  }

  /**
   * What time alone asks for: rows, checkpoints, ticks. To be called about once a second. What fails in one
   * partition does not keep it from the others.
   * @param giveWay   called between two partitions: their checkpoints in one go would hold up everybody's batches
   * @throws the failure, or an AggregateError of several
   */
  async maintainAll(giveWay: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const failures: unknown[] = [];
    const rounds: Promise<unknown>[] = [];
    for (const owned of [...this.#owned.values()]) {
      if (rounds.length > 0) await giveWay();
      rounds.push(owned.maintain().catch((error: unknown) => failures.push(error)));
    }
    await Promise.all(rounds);
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, failures.map(messageOf).join('; '));
  }

  /**
   * What has changed becomes rows and is sent now. Resolves when all of it was sent, or the sink has refused:
   * the rest stays in the outbox, and goes with the next call or interval.
   */
  async flushAll(): Promise<void> {
    await Promise.all([...this.#owned.values()].map((owned) => owned.flush()));
  }

  /** The partitions that are folded here now. */
  states(): readonly PartitionState[] {
    return [...this.#owned.values()].filter(({ isHeld }) => isHeld).map(({ state }) => state);
  }

  #take(partition: number): OwnedPartition | undefined {
    const owned = this.#owned.get(partition);
    this.#owned.delete(partition);
    return owned;
  }
}

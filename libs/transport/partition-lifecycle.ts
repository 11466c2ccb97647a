import type { Assignment, StoredState, TopicPartition } from '#pipeline';

/** What an app does when a partition comes to it and leaves it; given to its `LogServer`. */
export interface PartitionLifecycle {
  /**
   * Before the first batch. Opens what the partition needs, and fences its former owner.
   *
   * @param assignment   to give the partition up outside of a batch
   * @returns the offset to start from; null: the committed position, else the start
   */
  onAssigned(partition: TopicPartition, assignment: Assignment): Promise<number | null>;
  /** What lies on this machine (`ConsumerOptions.storedStates`). */
  storedStates?(): readonly StoredState[];
  /** After the last batch. */
  onRevoked(partition: TopicPartition): Promise<void>;
}

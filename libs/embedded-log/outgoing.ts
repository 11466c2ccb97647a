import type { OutgoingRecord } from '#pipeline';
import type { PartitionRef, Topic, TopicCatalog } from './topic-catalog.js';

/** A record that its topic does not take. Trying again does not help. */
export class InvalidRecordError extends Error {
  override readonly name = 'InvalidRecordError';
}

export interface PartitionRecords {
  readonly partition: PartitionRef;
  readonly records: OutgoingRecord[];
}

/**
 * Sorts records by partition, keeping their order, and checks each one.
 * @throws UnknownPartitionError, InvalidRecordError
 */
export function groupByPartition(
  records: readonly OutgoingRecord[],
  catalog: TopicCatalog,
): PartitionRecords[] {
  const groups: PartitionRecords[] = [];
  const byTopic = new Map<string, { topic: Topic; byPartition: (PartitionRecords | undefined)[] }>();
  for (const record of records) {
    let slot = byTopic.get(record.topic);
    if (slot === undefined) {
      slot = { topic: catalog.topic(record.topic), byPartition: [] };
      byTopic.set(record.topic, slot);
    }
    assertFits(record, slot.topic);
    let group = slot.byPartition[record.partition];
    if (group === undefined) {
      group = { partition: catalog.partition(record), records: [] };
      slot.byPartition[record.partition] = group;
      groups.push(group);
    }
    group.records.push(record);
  }
  return groups;
}

function assertFits({ key, value }: OutgoingRecord, topic: Topic): void {
  if (topic.compacted && key === null) {
    throw new InvalidRecordError(`topic "${topic.topic}" is compacted: its records need keys`);
  }
  const bytes = (key === null ? 0 : key.length) + (value === null ? 0 : value.length);
  if (bytes > topic.maxMessageBytes) {
    throw new InvalidRecordError(
      `a record of ${bytes} bytes is over the ${topic.maxMessageBytes} of topic "${topic.topic}"`,
    );
  }
}

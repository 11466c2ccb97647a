/** Sequenced entries to the records of one transaction. */
import { personKey, type LogEntry } from '#domain';
import { partitionOf, TOPICS, type DeadLetterCodec, type LogCodec, type OutgoingRecord } from '#pipeline';
import type { Sequenced } from './replay-sequencer.js';

export interface RecordCodecs {
  readonly logCodec: LogCodec;
  readonly deadLetterCodec: DeadLetterCodec;
}

export interface PartitionCounts {
  readonly relationshipLog: number;
  readonly deadLetters: number;
}

export function recordsOf(
  item: Sequenced,
  codecs: RecordCodecs,
  partitions: PartitionCounts,
): OutgoingRecord[] {
  switch (item.type) {
    case 'tick':
      return inEveryPartition({ type: 'tick', at: item.at, arrivedAt: item.at }, codecs.logCodec, partitions);
    case 'touchpoint': {
      const { touchpoint, detail, source } = item;
      const key = personKey(touchpoint.brand, touchpoint.person);
      const partition = partitionOf(key, partitions.relationshipLog);
      return [
        {
          topic: TOPICS.relationshipLog,
          partition,
          key,
          value: codecs.logCodec.encode(touchpoint, { detail, source }),
        },
      ];
    }
    case 'reject': {
      const { source, at, reason, detail, content } = item;
      const value = Buffer.from(content, 'utf8');
      const letter = codecs.deadLetterCodec.encode({
        source,
        arrivedAt: at,
        reason,
        detail,
        key: null,
        value,
      });
      return [
        { topic: TOPICS.deadLetters, partition: partitionOf(letter.key, partitions.deadLetters), ...letter },
      ];
    }
  }
}

/** A control record: what every partition has to be told. */
export function inEveryPartition(
  entry: LogEntry,
  codec: LogCodec,
  partitions: PartitionCounts,
): OutgoingRecord[] {
  const value = codec.encode(entry);
  return Array.from({ length: partitions.relationshipLog }, (_, partition) => ({
    topic: TOPICS.relationshipLog,
    partition,
    key: null,
    value,
  }));
}

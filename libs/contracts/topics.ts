/** Every topic and how it is set up, as data for `gravity topics apply` and the embedded log. */
import { TOPICS, type TopicSpec } from '#pipeline';
import { SOURCE_KINDS, SOURCE_TOPICS } from './source-topics.js';

export const SOURCE_PARTITIONS = 4;
/** Fixed for a generation of the log. */
export const LOG_PARTITIONS_EMBEDDED = 4;
export const LOG_PARTITIONS_KAFKA = 8;

const DAY_MS = 86_400_000;
const MESSAGE_BYTES_MAX = 1_048_576;
const FOR_EVER = -1;

export interface TopicSettings {
  readonly relationshipLogPartitions: number;
  readonly sourcePartitions?: number;
}

/**
 * All topics use LogAppendTime. Sources and dead letters are kept 7 and 30 days, tier changes 90; the log is the
 * truth and kept for ever.
 */
export function topicSpecs(settings: TopicSettings): readonly TopicSpec[] {
  const sourcePartitions = settings.sourcePartitions ?? SOURCE_PARTITIONS;
  const logPartitions = settings.relationshipLogPartitions;
  return [
    ...SOURCE_KINDS.map((kind) => kept(SOURCE_TOPICS[kind], sourcePartitions, 7 * DAY_MS)),
    logTopicSpec(TOPICS.relationshipLog, logPartitions),
    kept(TOPICS.tierChanges, logPartitions, 90 * DAY_MS),
    compacted(TOPICS.tiers, logPartitions),
    compacted(TOPICS.intakeProgress, 1),
    compacted(TOPICS.logGenerations, 1),
    kept(TOPICS.deadLetters, 1, 30 * DAY_MS),
  ];
}

/** Of a topic that the relationship log lies in. */
export function logTopicSpec(topic: string, partitions: number): TopicSpec {
  return kept(topic, partitions, FOR_EVER);
}

function kept(topic: string, partitions: number, retentionMs: number): TopicSpec {
  return { topic, partitions, compacted: false, retentionMs, maxMessageBytes: MESSAGE_BYTES_MAX };
}

function compacted(topic: string, partitions: number): TopicSpec {
  const maxMessageBytes = MESSAGE_BYTES_MAX;
  return { topic, partitions, compacted: true, retentionMs: FOR_EVER, maxMessageBytes };
}

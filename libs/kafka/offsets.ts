import type { PartitionEnds, TopicPartition } from '#pipeline';
import type { ClusterLink } from './cluster-link.js';
import { CODE, codeOf } from './errors.js';
import { fetchStableOffset } from './wire.js';

const LATEST = -1;
const EARLIEST = -2;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

/** Start and end of one partition as a read-committed reader sees them. @throws what `persist` can retry */
export async function partitionEnds(link: ClusterLink, input: TopicPartition): Promise<PartitionEnds> {
  const start = await listOffset(link, input, EARLIEST);
  const end = await listOffset(link, input, LATEST);
  return { partition: input.partition, start, end };
}

/** Where the next record will stand, whatever becomes of those before it. @throws what `persist` can retry */
export function writtenEnd(link: ClusterLink, input: TopicPartition): Promise<number> {
  return listOffset(link, input, LATEST, READ_UNCOMMITTED);
}

/** The end as a read-committed reader sees it. @throws what `persist` can retry */
export function committedEnd(link: ClusterLink, input: TopicPartition): Promise<number> {
  return listOffset(link, input, LATEST);
}

async function listOffset(
  link: ClusterLink,
  { topic, partition }: TopicPartition,
  timestamp: number,
  isolationLevel = READ_COMMITTED,
): Promise<number> {
  const broker = await link.leaderOf(topic, partition);
  const { responses } = await broker.listOffsets({
    replicaId: -1,
    isolationLevel,
    topics: [{ topic, partitions: [{ partition, timestamp }] }],
  });
  return Number(responses[0]?.partitions[0]?.offset ?? 0);
}

/** Empty when the topic does not exist. */
export async function topicEnds(link: ClusterLink, topic: string): Promise<PartitionEnds[]> {
  try {
    const partitions = await link.partitionsOf(topic);
    return await Promise.all(partitions.map((partition) => partitionEnds(link, { topic, partition })));
  } catch (error) {
    if (codeOf(error) === CODE.unknownTopicOrPartition) return [];
    throw error;
  }
}

/**
 * Null when the group has committed nothing for the partition. While a transaction is open that would move the
 * position, there is no answer. @throws what `persist` can retry
 */
export async function committedOffset(
  link: ClusterLink,
  group: string,
  input: TopicPartition,
): Promise<number | null> {
  return fetchStableOffset(await link.groupCoordinator(group), group, input);
}

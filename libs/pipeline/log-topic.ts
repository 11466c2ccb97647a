/**
 * Which topic the relationship log lies in. Its partitions are fixed for a generation: another number of them is
 * another topic, which becomes current by one record of this topic here. A copy that was broken off has none.
 */
import type { Log, TopicSpec } from './log.js';
import { TOPICS } from './topics.js';

/** Made by the first repartition; a log that was never repartitioned lies in the topic of its own name. */
const LOG_TOPICS = `${TOPICS.relationshipLog}.topics`;
const INPUT = { topic: LOG_TOPICS, partition: 0 };
const MESSAGE_BYTES_MAX = 65_536;

/** The name of the topic is the value; the last one counts. */
const SPEC: TopicSpec = {
  topic: LOG_TOPICS,
  partitions: 1,
  compacted: false,
  retentionMs: -1,
  maxMessageBytes: MESSAGE_BYTES_MAX,
};

/** @param attempt   from 1 on: what a copy that was broken off has left must not be written to */
export function generationTopic(generation: number, attempt: number): string {
  const name = `${TOPICS.relationshipLog}.g${generation}`;
  return attempt === 1 ? name : `${name}-${attempt}`;
}

/** The topic that the relationship log lies in now. */
export async function currentLogTopic(log: Pick<Log, 'ends' | 'read'>): Promise<string> {
  let current: string = TOPICS.relationshipLog;
  if ((await log.ends(LOG_TOPICS)).length === 0) return current;
  for await (const { records } of log.read(INPUT, 0)) {
    for (const { value } of records) current = value?.toString('utf8') ?? current;
  }
  return current;
}

/** From now on whoever starts takes the log from this topic. */
export async function appointLogTopic(
  log: Pick<Log, 'append' | 'applyTopics'>,
  topic: string,
): Promise<void> {
  await log.applyTopics([SPEC], false);
  await log.append([{ ...INPUT, key: null, value: Buffer.from(topic, 'utf8') }]);
}

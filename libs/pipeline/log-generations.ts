/**
 * Which generation a partition of the log is folded as. A log begins with the one of its first record; a rebuild
 * begins another one, which `log-generations` says before anybody can read the record that begins it.
 */
import type { LogGeneration, LogGenerationCodec } from './codecs.js';
import type { Log } from './log.js';
import { TOPICS } from './topics.js';

/** The newest generation of each log that has begun in this partition, by the log's id. */
export async function begunGenerations(
  log: Pick<Log, 'ends' | 'read' | 'settled'>,
  codec: LogGenerationCodec,
  partition: number,
): Promise<ReadonlyMap<string, LogGeneration>> {
  const newest = new Map<string, LogGeneration>();
  const topic = TOPICS.logGenerations;
  if ((await log.ends(topic)).length === 0) return newest;
  // One may stand behind the transaction of somebody who was killed.
  await log.settled(topic);
  for (const ends of await log.ends(topic)) {
    for await (const { records } of log.read({ topic, partition: ends.partition }, ends.start)) {
      for (const { value } of records) {
        if (value === null) continue;
        const one = codec.decode(value);
        const known = newest.get(one.logId);
        if (one.partition !== partition || (known !== undefined && known.generation > one.generation))
          continue;
        newest.set(one.logId, one);
      }
    }
  }
  return newest;
}

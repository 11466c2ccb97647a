import { parseRules } from '#domain';
import { TOPICS, type Log, type LogCodec } from '#pipeline';
import { HISTORY_GROUP, HISTORY_POSITION } from './history-writer.js';
import { CAMPAIGN } from './night/market.js';

/**
 * Why the hours of a history that are missing may not be written; null where nothing is missing, or nothing is
 * in the way.
 */
export async function historyObstacle(log: Log, codec: LogCodec, hours: number): Promise<string | null> {
  const done = (await log.committed(HISTORY_GROUP, HISTORY_POSITION)) ?? 0;
  if (done >= hours) return null;
  const intake = await intakeObstacle(log);
  return intake !== null || done > 0 ? intake : contentObstacle(log, codec);
}

/** Once intake has said how far it has read, time moves on from there: a history would come too late. */
export async function intakeObstacle(log: Log): Promise<string | null> {
  const ends = await log.ends(TOPICS.intakeProgress);
  const isSilent = ends.every(({ start, end }) => start === end);
  return isSilent ? null : 'intake has reported its progress already, and time has moved on with it';
}

/**
 * A log without any history may hold nothing but what it begins with. Under other rules than ours the fine windows
 * of all those weeks would be written, end by end.
 */
async function contentObstacle(log: Log, codec: LogCodec): Promise<string | null> {
  for (const { partition, start, end } of await log.ends(TOPICS.relationshipLog)) {
    if (start > 0) return 'the log has lost its first records';
    for await (const batch of log.read({ topic: TOPICS.relationshipLog, partition }, 0, end)) {
      for (const { value } of batch.records) {
        const entry = codec.decode(value);
        if (entry.type === 'epochRaised') continue;
        if (entry.type !== 'rulesSet') return 'the log holds events already';
        if (!areSimulated(entry.rulesJson))
          return 'the log was begun with rules that are not the simulator’s';
      }
    }
  }
  return null;
}

function areSimulated(rulesJson: string): boolean {
  const rules = parseRules(rulesJson);
  return typeof rules !== 'string' && rules.schemes.some(({ id }) => id === CAMPAIGN);
}

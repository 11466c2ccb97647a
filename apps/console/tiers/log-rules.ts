/** The rules that a relationship log is folded by, read from the log itself. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseRules, type Rules } from '#domain';
import { LogCorruptError, TOPICS, type Log, type LogCodec } from '#pipeline';

/** The first records of a partition: who made the log writes its rules among them. */
const FIRST_RECORDS = 10;

/**
 * The rules in force at the log's end; null for a log without any. Reads one partition to its end.
 * @throws LogCorruptError
 */
export function lastRules(log: Pick<Log, 'read'>, codec: Pick<LogCodec, 'decode'>): Promise<Rules | null> {
  return rulesWithin(log, codec);
}

/** The rules that the log was begun with: enough for what is fixed for its life, such as the zone of its days. */
export function firstRules(log: Pick<Log, 'read'>, codec: Pick<LogCodec, 'decode'>): Promise<Rules | null> {
  return rulesWithin(log, codec, FIRST_RECORDS);
}

async function rulesWithin(
  log: Pick<Log, 'read'>,
  codec: Pick<LogCodec, 'decode'>,
  to?: number,
): Promise<Rules | null> {
  let json: string | null = null;
  for await (const batch of log.read({ topic: TOPICS.relationshipLog, partition: 0 }, 0, to)) {
    for (const { value } of batch.records) {
      const entry = codec.decode(value);
      if (entry.type === 'rulesSet') json = entry.rulesJson;
    }
    // An embedded log reads without ever waiting, which would leave no turn for anybody else in the process.
    await nextTurn();
  }
  if (json === null) return null;
  const rules = parseRules(json);
  if (typeof rules === 'string') throw new LogCorruptError(`the rules in the log cannot be read: ${rules}`);
  return rules;
}

export function dayZoneOf(rules: Rules): string | null {
  return rules.schemes[0]?.zone ?? null;
}

/** The log that a replay goes into: set up when it is new, looked at when it holds something already. */
import { defaultRules, defaultSchemes, parseRules, type Rules } from '#domain';
import {
  initialiseLog,
  LogCorruptError,
  TOPICS,
  type Log,
  type LogCodec,
  type TopicPartition,
} from '#pipeline';

const TAIL_RECORDS = 1_000;

/** The recorded data is older than what the log has got to already. */
export class OlderThanLogError extends Error {
  override readonly name = 'OlderThanLogError';
  constructor(firstAt: number, watermark: number) {
    super(
      `the recorded data starts at ${new Date(firstAt).toISOString()}, but this log is at ` +
        `${new Date(watermark).toISOString()} already. A replay only goes forward: \`gravity import\` brings in what is older, or replay ` +
        'the older files and the newer ones together, in one command, into a new data directory.',
    );
  }
}

/** The log was set up with other rules than the replay asks for. */
export class OtherRulesError extends Error {
  override readonly name = 'OtherRulesError';
}

/** What the options of a replay say about the rules; null: not said. */
export interface RulesWish {
  readonly dayZone: string | null;
  readonly defaultDayZone: string;
  readonly zeroOrderCounts: boolean;
  /** How long before the last event fine windows begin to have rows, ms. */
  readonly fineRowsMs: number;
}

export interface LogState {
  readonly rules: Rules;
  /** Set when the rules have to be written before the first row: the log is older than this replay. */
  readonly newRules: Rules | null;
  /** How far the log's own time is, ms; null for a log without ticks. */
  readonly watermark: number | null;
}

/**
 * A new log gets its first two records in every partition; one that holds something keeps its schemes.
 *
 * @param lastAt    the last event of the replay, ms
 * @param started   this replay has written to the log before
 * @throws OtherRulesError   the day zone differs from that of the log: it is fixed for a scheme's life
 */
export async function prepareLog(
  log: Log,
  codec: LogCodec,
  wish: RulesWish,
  lastAt: number | null,
  started: boolean,
  setup: { readonly newLogId: string; readonly now: () => number },
): Promise<LogState> {
  const fineRowsFrom = lastAt === null ? 0 : Math.max(0, lastAt - wish.fineRowsMs);
  const ends = await log.ends(TOPICS.relationshipLog);
  if (ends.length > 0 && ends.every(({ end }) => end === 0)) {
    const schemes = defaultSchemes(wish.dayZone ?? wish.defaultDayZone, wish.zeroOrderCounts);
    const rules = defaultRules({ schemes, fineRowsFrom });
    await initialiseLog(log, codec, { ...setup, rules });
    return { rules, newRules: null, watermark: null };
  }
  const rules = (await lastRules(log, codec)) ?? defaultRules();
  // A crash may have come between the partitions' first records.
  await initialiseLog(log, codec, { ...setup, rules });
  assertZone(rules, wish);
  const newRules = started || fineRowsFrom <= rules.fineRowsFrom ? null : { ...rules, fineRowsFrom };
  return { rules: newRules ?? rules, newRules, watermark: await logWatermark(log, codec) };
}

/** The rules that the log is folded by at its end; null for a log without any. */
export async function lastRules(log: Log, codec: LogCodec): Promise<Rules | null> {
  return (await rulesOfLog(log, codec))?.rules ?? null;
}

export interface LogRules {
  readonly rules: Rules;
  /** Scheme → event time (ms) since which it is as it is; absent: since the log has begun. */
  readonly schemesSince: ReadonlyMap<string, number>;
}

/** As `lastRules`, with when the schemes came to be what they are. */
export async function rulesOfLog(log: Log, codec: LogCodec): Promise<LogRules | null> {
  const input = { topic: TOPICS.relationshipLog, partition: 0 };
  let rules: Rules | null = null;
  let watermark = -Infinity;
  const since = new Map<string, number>();
  for await (const batch of log.read(input, 0)) {
    for (const { value } of batch.records) {
      const entry = codec.decode(value);
      if (entry.type === 'tick') watermark = Math.max(watermark, entry.at);
      if (entry.type !== 'rulesSet') continue;
      const next = parseRules(entry.rulesJson);
      if (typeof next === 'string') throw new LogCorruptError(`the rules in the log cannot be read: ${next}`);
      for (const scheme of next.schemes) {
        const before = rules?.schemes.find(({ id }) => id === scheme.id);
        if (rules !== null && JSON.stringify(before) !== JSON.stringify(scheme))
          since.set(scheme.id, watermark);
      }
      rules = next;
    }
  }
  return rules === null ? null : { rules, schemesSince: since };
}

export function dayZoneOf(rules: Rules): string | null {
  return rules.schemes[0]?.zone ?? null;
}

function assertZone(rules: Rules, wish: RulesWish): void {
  const zone = dayZoneOf(rules);
  if (wish.dayZone === null || zone === null || zone === wish.dayZone) return;
  throw new OtherRulesError(
    `the days of this log are counted in ${zone}; --day-zone ${wish.dayZone} needs a data directory of its own`,
  );
}

/** The largest tick of the log: what it holds already is complete up to there. */
export async function logWatermark(log: Log, codec: LogCodec): Promise<number | null> {
  let watermark: number | null = null;
  for (const { partition, start, end } of await log.ends(TOPICS.relationshipLog)) {
    const tick = await lastTick(log, codec, { topic: TOPICS.relationshipLog, partition }, start, end);
    if (tick !== null) watermark = Math.max(tick, watermark ?? tick);
  }
  return watermark;
}

/** How far every partition has got: the smallest of their last ticks, ms; null while one of them has none. */
export async function timeOfAll(log: Log, codec: LogCodec): Promise<number | null> {
  let least: number | null = null;
  for (const { partition, start, end } of await log.ends(TOPICS.relationshipLog)) {
    const tick = await lastTick(log, codec, { topic: TOPICS.relationshipLog, partition }, start, end);
    if (tick === null) return null;
    least = Math.min(tick, least ?? tick);
  }
  return least;
}

async function lastTick(
  log: Log,
  codec: LogCodec,
  input: TopicPartition,
  start: number,
  end: number,
): Promise<number | null> {
  let from = end;
  for (let records = TAIL_RECORDS; from > start; records *= 4) {
    const to = from;
    from = Math.max(start, end - records);
    let tick: number | null = null;
    for await (const batch of log.read(input, from, to)) {
      for (const { value } of batch.records) {
        const entry = codec.decode(value);
        if (entry.type === 'tick') tick = entry.at;
      }
    }
    if (tick !== null) return tick;
  }
  return null;
}

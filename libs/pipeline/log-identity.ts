import { defaultRules, type EpochRaised, type Rules } from '#domain';
import type { LogCodec } from './codecs.js';
import {
  OwnershipLostError,
  type Log,
  type LogRecord,
  type PartitionEnds,
  type TopicPartition,
} from './log.js';
import { recordHash } from './partition-state.js';
import type { Checkpoint } from './state-store.js';
import { TOPICS } from './topics.js';

/** The store belongs to another log, or the log has lost what the store needs. Says the way out. */
export class ForeignLogError extends Error {
  override readonly name = 'ForeignLogError';
}

/** The relationship log has no first record yet. Operational: somebody has to initialise it. */
export class LogNotInitialisedError extends Error {
  override readonly name = 'LogNotInitialisedError';
}

export interface LogSetup {
  readonly logId: string;
  /** Partitions that got their first records now. */
  readonly initialised: readonly number[];
}

export interface LogInitialisation {
  /** UUID for a log that has none yet. */
  readonly newLogId: string;
  readonly now: () => number;
  readonly rules?: Rules;
  readonly generation?: number;
}

/**
 * Gives every partition of the relationship log its first two records, `EpochRaised` and `RulesSet`. Safe to
 * call again and by several processes at once: the writer fences, a partition that has records is left alone,
 * and the log's id is that of partition 0, which comes first.
 *
 * @throws LogNotInitialisedError   the topic does not exist
 * @throws ForeignLogError          a partition starts with something else
 */
export async function initialiseLog(
  log: Log,
  codec: LogCodec,
  options: LogInitialisation,
): Promise<LogSetup> {
  const ends = await log.ends(TOPICS.relationshipLog);
  if (ends.length === 0) throw new LogNotInitialisedError(`topic ${TOPICS.relationshipLog} does not exist`);
  const initialised: number[] = [];
  let logId = await firstLogId(log, codec, ends);
  for (const one of ends) {
    const { partition } = one;
    const isBegun = await hasBegun(log, one);
    if (!isBegun && (await initialisePartition(log, codec, partition, logId ?? options.newLogId, options))) {
      initialised.push(partition);
    }
    logId ??= (await firstEpoch(log, codec, { topic: TOPICS.relationshipLog, partition }))?.logId ?? null;
  }
  return { logId: logId ?? options.newLogId, initialised };
}

const RIVALS_MAX = 20;
const RIVAL_PAUSE_MS = 50;

/** @returns false when the partition has records already */
async function initialisePartition(
  log: Log,
  codec: LogCodec,
  partition: number,
  logId: string,
  { now, rules, generation }: LogInitialisation,
): Promise<boolean> {
  const input = { topic: TOPICS.relationshipLog, partition };
  for (let rivals = 0; ; rivals += 1) {
    const writer = await log.writer('gravity-init', input);
    try {
      const ends = (await log.ends(TOPICS.relationshipLog)).find((one) => one.partition === partition);
      if (ends !== undefined && (await hasBegun(log, ends))) return false;
      const arrivedAt = now();
      const epoch = { type: 'epochRaised', epoch: 1, generation: generation ?? 1, logId, arrivedAt } as const;
      const rulesJson = JSON.stringify(rules ?? defaultRules());
      await writer.commit({
        records: [
          { ...input, key: null, value: codec.encode(epoch) },
          { ...input, key: null, value: codec.encode({ type: 'rulesSet', rulesJson, arrivedAt }) },
        ],
        positions: [],
      });
      return true;
    } catch (error) {
      // Another process is at it: it has written the records, or leaves it to us in the end.
      if (!(error instanceof OwnershipLostError) || rivals >= RIVALS_MAX) throw error;
    } finally {
      await writer.close();
    }
    await new Promise((resolve) => setTimeout(resolve, RIVAL_PAUSE_MS * Math.random()));
  }
}

async function firstLogId(log: Log, codec: LogCodec, ends: readonly PartitionEnds[]): Promise<string | null> {
  for (const { partition, end } of ends) {
    if (end === 0) continue;
    const first = await firstEpoch(log, codec, { topic: TOPICS.relationshipLog, partition });
    if (first !== null) return first.logId;
  }
  return null;
}

/** What an initialisation has left behind that was broken off moves the end, but is no record. */
async function hasBegun(log: Log, { partition, start, end }: PartitionEnds): Promise<boolean> {
  if (start > 0) return true;
  return (await firstRecord(log, { topic: TOPICS.relationshipLog, partition }, end)) !== undefined;
}

async function firstRecord(log: Log, input: TopicPartition, end: number): Promise<LogRecord | undefined> {
  for await (const { records } of log.read(input, 0, end)) if (records[0] !== undefined) return records[0];
  return undefined;
}

/**
 * The first record of a partition; null where retention has cut it off (or the partition is empty).
 * @throws ForeignLogError   the partition starts with something else
 */
export async function firstEpoch(
  log: Log,
  codec: LogCodec,
  input: TopicPartition,
): Promise<EpochRaised | null> {
  const ends = (await log.ends(input.topic)).find((one) => one.partition === input.partition);
  if (ends === undefined || ends.end === 0 || ends.start > 0) return null;
  const record = await firstRecord(log, input, ends.end);
  if (record === undefined) return null;
  const entry = codec.decode(record.value);
  if (entry.type === 'epochRaised') return entry;
  throw new ForeignLogError(
    `${input.topic}-${input.partition} does not start with EpochRaised but with ${entry.type}: ` +
      'this topic was not set up by Channel Gravity; run `gravity topics apply` on an empty topic',
  );
}

/** Whether a checkpoint was folded from a log that this one was made of: another one, of an earlier epoch. */
export async function isOfFormerLog(
  log: Log,
  codec: LogCodec,
  input: TopicPartition,
  { logId, epoch }: Checkpoint,
): Promise<boolean> {
  const first = await firstEpoch(log, codec, input);
  return first !== null && first.logId !== logId && epoch < first.epoch;
}

/**
 * Whether a checkpoint was folded from this log.
 * @returns why it was not, to follow the name of what was folded; null where it was
 */
export async function differenceFromLog(
  log: Log,
  codec: LogCodec,
  input: TopicPartition,
  { logId, lastApplied }: Checkpoint,
): Promise<string | null> {
  const first = await firstEpoch(log, codec, input);
  if (first !== null && first.logId !== logId) {
    return `was folded from log ${logId}, but this is log ${first.logId}`;
  }
  if (lastApplied === null) return null;
  const found = await recordAt(log, input, lastApplied.offset);
  if (found !== undefined && recordHash(found.value) === lastApplied.hash) return null;
  return (
    `was folded up to record ${lastApplied.offset} of ${input.topic}-${input.partition}, ` +
    (found === undefined ? 'which is gone' : 'which is another one in this log')
  );
}

async function recordAt(
  log: Log,
  input: TopicPartition,
  offset: number,
): Promise<{ readonly value: Buffer | null } | undefined> {
  for await (const batch of log.read(input, offset, offset + 1)) {
    const record = batch.records.find((one) => one.offset === offset);
    if (record !== undefined) return { value: record.value === null ? null : Buffer.from(record.value) };
  }
  return undefined;
}

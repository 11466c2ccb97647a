/** What a log holds, and whether it can be given other partitions now. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultRules, dueEdges, parseRules, personKey, type Rules } from '#domain';
import { LogCorruptError, type LogCodec } from './codecs.js';
import { ForeignLogError, LogNotInitialisedError } from './log-identity.js';
import type { Log, PartitionEnds, TopicPartition } from './log.js';
import { partitionOf } from './partition.js';

/** The log cannot be repartitioned as things stand; the message says the way out. */
export class RepartitionRefused extends Error {
  override readonly name = 'RepartitionRefused';
}

export interface SurveyedPartition extends PartitionEnds {
  readonly records: number;
  readonly touchpoints: number;
  /** Largest tick, ms; null before the first. */
  readonly tickedTo: number | null;
  /** Persons of it have not been looked at yet by the last rules: no tick stands behind them. */
  readonly hasUnseenRules: boolean;
  /** JSON of the last rules. */
  readonly rules: string | null;
  readonly epoch: number;
}

export interface LogSurvey {
  readonly partitions: readonly SurveyedPartition[];
  readonly records: number;
  readonly epoch: number;
  readonly generation: number;
  /** How many touchpoints each of the new partitions would get. */
  readonly touchpointsAfter: readonly number[];
}

/**
 * Reads all of a log.
 * @param partitions   the number that it is to have
 * @throws LogNotInitialisedError   there is none
 * @throws ForeignLogError          records of it are gone
 * @throws LogCorruptError
 */
export async function surveyLog(
  log: Pick<Log, 'ends' | 'read'>,
  codec: LogCodec,
  topic: string,
  partitions: number,
  onProgress: (progress: { readonly records: number; readonly total: number }) => void,
): Promise<LogSurvey> {
  const ends = await log.ends(topic);
  const total = ends.reduce((sum, { end }) => sum + end, 0);
  if (total === 0) throw new LogNotInitialisedError(`topic ${topic} holds no log`);
  const touchpointsAfter = new Array<number>(partitions).fill(0);
  const surveyed: SurveyedPartition[] = [];
  const highest = { records: 0, epoch: 0, generation: 0 };
  for (const one of ends) {
    if (one.start > 0) {
      throw new ForeignLogError(
        `${topic}-${one.partition} begins at offset ${one.start}: what lay before is gone, so the log cannot be copied ` +
          'whole. It must be kept for ever (retention.ms -1).',
      );
    }
    const found = { records: 0, touchpoints: 0, tickedTo: -Infinity, hasUnseenRules: false, epoch: 0 };
    let rules: string | null = null;
    for await (const batch of log.read({ topic, partition: one.partition }, 0, one.end)) {
      for (const { value } of batch.records) {
        const entry = codec.decode(value);
        found.records += 1;
        switch (entry.type) {
          case 'epochRaised':
            found.epoch = Math.max(found.epoch, entry.epoch);
            highest.epoch = Math.max(highest.epoch, entry.epoch);
            highest.generation = Math.max(highest.generation, entry.generation);
            break;
          case 'rulesSet':
            found.hasUnseenRules = found.touchpoints > 0;
            rules = entry.rulesJson;
            break;
          case 'tick':
            found.hasUnseenRules = false;
            found.tickedTo = Math.max(found.tickedTo, entry.at);
            break;
          default: {
            found.touchpoints += 1;
            const target = partitionOf(personKey(entry.brand, entry.person), partitions);
            touchpointsAfter[target] = (touchpointsAfter[target] ?? 0) + 1;
          }
        }
      }
      highest.records += batch.records.length;
      onProgress({ records: highest.records, total });
      await nextTurn();
    }
    const tickedTo = found.tickedTo === -Infinity ? null : found.tickedTo;
    surveyed.push({ ...one, ...found, tickedTo, rules });
  }
  return { partitions: surveyed, ...highest, touchpointsAfter };
}

/**
 * What was published must not be published again, and what was not must not be passed over: a copy is folded in
 * silence up to its end, so everything that the log says has to have been published by then, in every partition.
 *
 * @throws RepartitionRefused
 */
export async function assertPublished(
  log: Pick<Log, 'committed' | 'read'>,
  topic: string,
  group: string,
  { partitions }: LogSurvey,
): Promise<void> {
  for (const { partition, end } of partitions) {
    const input = { topic, partition };
    const committed = (await log.committed(group, input)) ?? 0;
    if (!(await hasRecords(log, input, committed, end))) continue;
    throw new RepartitionRefused(
      `group ${group} has folded ${topic}-${partition} up to offset ${committed} of ${end}: let it catch up ` +
        '(start the relationship service without intake), then stop it again',
    );
  }
  assertOneEpoch(partitions);
  assertOneTime(partitions);
}

/** The end may lie behind what a transaction has left there. */
async function hasRecords(
  log: Pick<Log, 'read'>,
  input: TopicPartition,
  from: number,
  to: number,
): Promise<boolean> {
  if (from >= to) return false;
  for await (const { records } of log.read(input, from, to)) if (records.length > 0) return true;
  return false;
}

/** A rebuild goes over from one generation to the next partition by partition, and says what it restates. */
function assertOneEpoch(all: readonly SurveyedPartition[]): void {
  const last = Math.max(...all.map(({ epoch }) => epoch));
  const behind = all.find(({ epoch }) => epoch < last);
  if (behind === undefined) return;
  throw new RepartitionRefused(
    `partition ${behind.partition} is in epoch ${behind.epoch} and another one in epoch ${last}: a rebuild has gone over ` +
      'in some partitions only; let it finish first',
  );
}

/** Partitions in which nothing has happened may be behind: nobody in them can fall. */
function assertOneTime(all: readonly SurveyedPartition[]): void {
  const rulesText = all[0]?.rules ?? null;
  if (all.some(({ rules }) => rules !== rulesText)) {
    throw new RepartitionRefused(
      'the partitions of the log do not have the same rules at their ends: a process died while it was setting them. ' +
        'Set them again',
    );
  }
  const rules = rulesOf(rulesText);
  const last = Math.max(...all.map(({ tickedTo }) => tickedTo ?? -Infinity));
  for (const { partition, tickedTo, touchpoints, hasUnseenRules } of all) {
    if (hasUnseenRules) {
      throw new RepartitionRefused(
        `partition ${partition} has new rules, by which nobody was looked at yet: let intake and relationship run for ` +
          'some ten seconds more, then stop them again',
      );
    }
    if (touchpoints === 0 || last === -Infinity || tickedTo === last) continue;
    if (tickedTo !== null && dueEdges(rules, tickedTo, last).length === 0) continue;
    throw new RepartitionRefused(
      `partition ${partition} has come to ${textOf(tickedTo)} and another one to ${textOf(last)}, with the end of a day ` +
        'between: tiers that fall there have not been published yet. Start the relationship service without intake for ' +
        'some ten seconds, then stop it again',
    );
  }
}

/** Null: the default rules. @throws LogCorruptError */
export function rulesOf(json: string | null): Rules {
  if (json === null) return defaultRules();
  const rules = parseRules(json);
  if (typeof rules === 'string') throw new LogCorruptError(`the rules in the log cannot be read: ${rules}`);
  return rules;
}

function textOf(instant: number | null): string {
  return instant === null ? 'no tick' : new Date(instant).toISOString();
}

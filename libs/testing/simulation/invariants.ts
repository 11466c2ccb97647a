/** What has to hold after a run, whatever happened in it. */
import { admit, DEFAULT_ADMISSION_LIMITS, dueEdges, type TierChanged, type Touchpoint } from '#domain';
import { TOPICS, type DetailedEntry, type LogRecord } from '#pipeline';
import { figureRows } from '../world-outcome.js';
import { InvariantError } from './life.js';
import { foldedFacts, undisturbedFold, wholePartition } from './reference-fold.js';
import type { Simulation } from './simulation.js';
import { deadLetterKey, tierChangeKey } from './simulated-tables.js';
import { TRAFFIC_TOPICS } from './traffic.js';

interface LoggedEntry extends DetailedEntry {
  readonly partition: number;
  readonly offset: number;
}

export interface RunCounts {
  readonly facts: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** @throws InvariantError */
export async function checkInvariants(simulation: Simulation): Promise<RunCounts> {
  const { plan, codecs } = simulation;
  const partitions = [...Array(plan.logPartitions).keys()];
  const log = partitions.map((partition) =>
    recordsOf(simulation, TOPICS.relationshipLog, partition).map(({ offset, value }): LoggedEntry => {
      return { ...codecs.log.decodeDetailed(value), partition, offset };
    }),
  );
  log.forEach(checkHead);
  const ids = log.flat().flatMap(({ entry }) => (entry.type === 'epochRaised' ? [entry.logId] : []));
  if (new Set(ids).size > 1)
    throw new InvariantError(`the partitions are of several logs: ${ids.join(', ')}`);
  const { accepted, rejected } = checkIntake(simulation, log.flat());
  for (const entries of log) checkTicks(simulation, entries);
  const published = checkFacts(simulation);
  checkTransactions(simulation, log);
  checkRawFacts(simulation, log.flat());
  checkArchive(simulation, published);
  await checkRowsAndStates(simulation);
  return { facts: published.length, accepted, rejected };
}

/** Each partition begins with one epoch and its rules, all of one log. */
function checkHead(entries: readonly LoggedEntry[], partition: number): void {
  const [first, second] = entries;
  if (first?.entry.type !== 'epochRaised' || second?.entry.type !== 'rulesSet') {
    throw new InvariantError(`partition ${partition} begins with ${first?.entry.type ?? 'nothing'}`);
  }
  const heads = entries.filter(({ entry }) => entry.type === 'epochRaised');
  if (heads.length > 1) throw new InvariantError(`partition ${partition} has ${heads.length} beginnings`);
}

/** Every source record is one entry of the log or one dead letter, as it deserves. */
function checkIntake(
  simulation: Simulation,
  log: readonly LoggedEntry[],
): { readonly accepted: number; readonly rejected: number } {
  const { codecs } = simulation;
  const accepted = log.flatMap(({ source, entry }) =>
    source === null || !('eventId' in entry) ? [] : [`${name(source)} ${entry.eventId}`],
  );
  const rejected = recordsOf(simulation, TOPICS.deadLetters, 0).flatMap(({ value }) =>
    value === null ? [] : [name(codecs.deadLetter.decode(value).source)],
  );
  const valid: string[] = [];
  const invalid: string[] = [];
  for (const topic of TRAFFIC_TOPICS) {
    for (const { offset, value, timestamp } of recordsOf(simulation, topic, 0)) {
      const source = { topic, partition: 0, offset };
      const decoded = codecs.source.decode(topic, value);
      const admission = decoded.ok
        ? admit(decoded.event, { ...source, arrivedAt: timestamp }, DEFAULT_ADMISSION_LIMITS)
        : null;
      if (admission?.ok === true) valid.push(`${name(source)} ${admission.touchpoint.eventId}`);
      else invalid.push(name(source));
    }
  }
  expectEqual('accepted events', accepted.sort(), valid.sort());
  expectEqual('dead letters', rejected.sort(), invalid.sort());
  return { accepted: accepted.length, rejected: rejected.length };
}

/**
 * A tick stands behind everything that had arrived before its time, and crosses no due edge. There is one exception:
 * a new owner who cannot see the first tick of a log yet, behind an open transaction of intake, begins anew.
 */
function checkTicks(simulation: Simulation, entries: readonly LoggedEntry[]): void {
  let watermark = 0;
  for (const { entry, partition, offset } of entries) {
    const where = `${partition}@${offset}`;
    if (entry.type === 'tick') {
      const edges = watermark === 0 ? [] : dueEdges(simulation.plan.rules, watermark, entry.at);
      const isSeen = !simulation.broker.blindTakeOvers.has(
        `relationship/${TOPICS.relationshipLog}/${partition}`,
      );
      if (isSeen && edges.some((edge) => edge < entry.at)) {
        throw new InvariantError(`the tick at ${where} crosses ${edges.length} due edges`);
      }
      watermark = Math.max(watermark, entry.at);
    } else if (entry.type !== 'epochRaised' && entry.type !== 'rulesSet' && entry.arrivedAt < watermark) {
      throw new InvariantError(`the event at ${where} arrived before a tick that stands before it`);
    }
  }
}

/** Published once each, in order: what one fold of the very same log says. */
function checkFacts(simulation: Simulation): readonly TierChanged[] {
  const { plan, codecs, broker } = simulation;
  const published: TierChanged[] = [];
  const folded: TierChanged[] = [];
  const snapshots = new Map<string, string>();
  for (let partition = 0; partition < plan.logPartitions; partition += 1) {
    for (const { value } of recordsOf(simulation, TOPICS.tierChanges, partition)) {
      if (value !== null) published.push(codecs.tierChanged.decode(value));
    }
    for (const { value } of recordsOf(simulation, TOPICS.tiers, partition)) {
      if (value === null) continue;
      const { brand, person, schemeId, periodId, tier, version } = codecs.tiers.decode(value);
      snapshots.set(`${brand}|${schemeId}|${person}`, `${periodId} ${tier} ${version}`);
    }
    folded.push(...foldedFacts(wholePartition(broker, TOPICS.relationshipLog, partition), codecs.log));
  }
  const found = byStanding(published);
  expectEqual('tier changes', flat(found), flat(byStanding(folded)));
  for (const [standing, facts] of found) {
    facts.forEach((fact, nth) => {
      const before = facts[nth - 1];
      if (before !== undefined && before.to !== fact.from) {
        throw new InvariantError(`${standing} goes from ${fact.from} where it had come to ${before.to}`);
      }
    });
  }
  const last = new Map(
    folded.map(({ brand, schemeId, person, periodId, to, version }) => [
      `${brand}|${schemeId}|${person}`,
      `${periodId} ${to} ${version}`,
    ]),
  );
  expectEqual('tiers', pairs(snapshots), pairs(last));
  return published;
}

/** No transaction grows with how many fall due at once. */
function checkTransactions(
  { broker, codecs, plan }: Simulation,
  log: readonly (readonly LoggedEntry[])[],
): void {
  const most = 2 * plan.rules.duesPerTick - 1;
  const ticks = new Set(
    log
      .flat()
      .flatMap(({ entry, partition, offset }) => (entry.type === 'tick' ? [`${partition}@${offset}`] : [])),
  );
  for (const { id, records } of broker.transactions) {
    const falls = new Set<string>();
    for (const { topic, value } of records) {
      if (topic !== TOPICS.tierChanges || value === null) continue;
      const { version, brand, person } = codecs.tierChanged.decode(value);
      const at = `${id.split('/').at(-1)}@${version % 2n ** 48n}`;
      if (ticks.has(at)) falls.add(`${at} ${brand}|${person}`);
    }
    if (falls.size > most)
      throw new InvariantError(`one transaction of ${id} has the falls of ${falls.size} persons`);
  }
}

function checkRawFacts({ tables }: Simulation, log: readonly LoggedEntry[]): void {
  // Of one that was sent more than once, the newest stands.
  const newest = new Map<string, string>();
  for (const { entry, partition, offset } of log) {
    if (entry.type === 'tick' || entry.type === 'credit') continue;
    if (entry.type === 'epochRaised' || entry.type === 'rulesSet') continue;
    newest.set(factName(entry), `${partition}@${offset}`);
  }
  const stored = [...tables.rawFacts.values()].map(
    (fact) => [factName(fact.touchpoint), `${fact.partition}@${fact.offset}`] as const,
  );
  expectEqual('raw facts', stored.map(([key, at]) => `${key} ${at}`).sort(), pairs(newest));
}

function checkArchive(simulation: Simulation, published: readonly TierChanged[]): void {
  const { tables, codecs } = simulation;
  expectEqual(
    'rows of tier changes',
    [...tables.tierChanges.keys()].sort(),
    published.map(tierChangeKey).sort(),
  );
  const letters = recordsOf(simulation, TOPICS.deadLetters, 0).flatMap(({ value }) =>
    value === null ? [] : [deadLetterKey(codecs.deadLetter.decode(value))],
  );
  expectEqual('rows of dead letters', [...tables.deadLetters.keys()].sort(), letters.sort());
}

async function checkRowsAndStates(simulation: Simulation): Promise<void> {
  const { broker, codecs, plan, tables, processes } = simulation;
  const reference = await undisturbedFold(broker, codecs, plan.logPartitions);
  expectEqual('figure rows', figureRows(tables.figures), figureRows(reference.sink));
  // Who was the last to stop had all of it.
  const last = processes.filter(({ role }) => role === 'relationship').at(-1);
  for (let partition = 0; partition < plan.logPartitions; partition += 1) {
    const hex = (states: ReadonlyMap<string, Buffer> | undefined): readonly string[] =>
      pairs(new Map([...(states ?? [])].map(([key, value]) => [key, value.toString('hex')])));
    const found = last?.disk.stored(partition)?.states;
    expectEqual('stored states', hex(found), hex(reference.disk.stored(partition)?.states));
  }
}

function recordsOf({ broker }: Simulation, topic: string, partition: number): readonly LogRecord[] {
  return wholePartition(broker, topic, partition).records;
}

function byStanding(facts: readonly TierChanged[]): ReadonlyMap<string, readonly TierChanged[]> {
  const found = new Map<string, TierChanged[]>();
  for (const fact of facts) {
    const { brand, person, schemeId, periodId } = fact;
    const key = `${brand}|${person}|${schemeId}|${periodId}`;
    found.set(key, [...(found.get(key) ?? []), fact]);
  }
  return found;
}

function flat(found: ReadonlyMap<string, readonly TierChanged[]>): readonly string[] {
  return [...found.keys()]
    .sort()
    .flatMap((key) =>
      (found.get(key) ?? []).map((fact) => JSON.stringify({ ...fact, version: fact.version.toString() })),
    );
}

function pairs(map: ReadonlyMap<string, string>): readonly string[] {
  return [...map].map(([key, value]) => `${key} ${value}`).sort();
}

function factName({ brand, channel, at, eventId, person, contentHash }: Touchpoint): string {
  return JSON.stringify([brand, channel, at, eventId, person, contentHash]);
}

function name({ topic, partition, offset }: { topic: string; partition: number; offset: number }): string {
  return `${topic}-${partition}@${offset}`;
}

/** @throws InvariantError naming the first difference */
function expectEqual(what: string, found: readonly string[], expected: readonly string[]): void {
  const nth = Array.from({ length: Math.max(found.length, expected.length) }).findIndex(
    (_, at) => found[at] !== expected[at],
  );
  if (nth < 0) return;
  throw new InvariantError(
    `${what} differ (${found.length} for ${expected.length}) at ${nth}:\n  found    ${found[nth] ?? 'nothing'}\n  expected ${expected[nth] ?? 'nothing'}`,
  );
}

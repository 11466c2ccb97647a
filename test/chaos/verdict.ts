/** What has to be true once the storm is over and everything was read. */
import { admit, DEFAULT_ADMISSION_LIMITS, type Touchpoint } from '#domain';
import { TOPICS } from '#pipeline';
import { SOURCE_KINDS, SOURCE_TOPICS } from '#contracts';
import { eventually } from '#testing';
import { expectEqual } from './expect-equal.js';
import { PATIENCE_MS, type ChaosWorld } from './chaos-world.js';
import { comparable, storedRows } from './stored-rows.js';
import { foldWhole, placesOf, recordsOf, type LoggedEntry, type WholeFold } from './whole-fold.js';

export interface Verdict {
  readonly sourceRecords: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly logRecords: number;
  readonly ticks: number;
  readonly tierChanges: number;
  readonly rawFacts: number;
  readonly figureRows: number;
}

/** @throws Error naming the first difference */
export async function judge(world: ChaosWorld): Promise<Verdict> {
  const [fold, places] = await Promise.all([
    foldWhole(world.log, world.codecs),
    placesForKafka(world, TOPICS.tierChanges),
  ]);
  const intake = await judgeIntake(world, fold);
  const tierChanges = await judgeTierChanges(world, fold, places);
  const rawFacts = await judgeRawFacts(world, fold.entries);
  const figureRows = await judgeFigures(world, fold);
  const ticks = fold.entries.filter(({ entry }) => entry.type === 'tick').length;
  return { ...intake, logRecords: fold.entries.length, ticks, tierChanges, rawFacts, figureRows };
}

/** Every source record is one entry of the log or one dead letter, as it deserves. */
async function judgeIntake(
  { log, codecs }: ChaosWorld,
  { entries }: WholeFold,
): Promise<Pick<Verdict, 'sourceRecords' | 'accepted' | 'rejected'>> {
  const valid: string[] = [];
  const invalid: string[] = [];
  for (const topic of SOURCE_KINDS.map((kind) => SOURCE_TOPICS[kind])) {
    for (const [partition, records] of await recordsOf(log, topic)) {
      await codecs.source.prepare(records.map(({ value }) => value));
      for (const { offset, value, timestamp } of records) {
        const source = { topic, partition, offset };
        const decoded = codecs.source.decode(topic, value);
        const admission = decoded.ok
          ? admit(decoded.event, { ...source, arrivedAt: timestamp }, DEFAULT_ADMISSION_LIMITS)
          : null;
        if (admission?.ok === true) valid.push(`${nameOf(source)} ${admission.touchpoint.eventId}`);
        else invalid.push(nameOf(source));
      }
    }
  }
  const accepted = entries.flatMap(({ source, entry }) =>
    source === null || !('eventId' in entry) ? [] : [`${nameOf(source)} ${entry.eventId}`],
  );
  const letters = [...(await recordsOf(log, TOPICS.deadLetters)).values()].flat();
  const rejected = letters.flatMap(({ value }) =>
    value === null ? [] : [nameOf(codecs.deadLetter.decode(value).source)],
  );
  expectEqual('accepted ids', accepted.sort(), valid.sort());
  expectEqual('dead letters', rejected.sort(), invalid.sort());
  return {
    sourceRecords: valid.length + invalid.length,
    accepted: accepted.length,
    rejected: rejected.length,
  };
}

/** What stands in the topic for Kafka's own consumer is what one fold of the very same log says. */
async function judgeTierChanges(
  { log, codecs, clickhouse }: ChaosWorld,
  fold: WholeFold,
  places: readonly string[],
): Promise<number> {
  const records = await recordsOf(log, TOPICS.tierChanges);
  const published = [...records.values()]
    .flat()
    .flatMap(({ value }) => (value === null ? [] : [codecs.tierChanged.decode(value)]));
  const text = (changes: WholeFold['facts']): string[] =>
    changes.map((change) => JSON.stringify({ ...change, version: change.version.toString() })).sort();
  expectEqual('tier changes', text(published), text(fold.facts));
  expectEqual('tier changes for Kafka’s own consumer', places, [...placesOf(records)].sort());
  await eventually(async () => {
    const stored = await clickhouse.query({
      sql: `SELECT concat(brand, ' ', person, ' ', scheme_id, ' ', period_id, ' ', toString(version), ' ', toString(to_tier)) AS key
            FROM gravity.tier_changes FINAL ORDER BY key`,
      row: (found) => (found as { key: string }).key,
    });
    const expected = published.map(
      ({ brand, person, schemeId, periodId, version, to }) =>
        `${brand} ${person} ${schemeId} ${periodId} ${version} ${to}`,
    );
    expectEqual('rows of tier changes', [...stored].sort(), expected.sort());
  }, PATIENCE_MS);
  return published.length;
}

/** Where a read-committed consumer of Apache Kafka's own client finds records, sorted. */
async function placesForKafka({ servers, log }: ChaosWorld, topic: string): Promise<readonly string[]> {
  const [broker] = servers.brokers;
  if (broker === undefined) throw new Error('no broker');
  const expected = placesOf(await recordsOf(log, topic)).length;
  let places: readonly string[] = [];
  // A slow machine may be silent for a while before the first record.
  for (const silenceMs of [4_000, 15_000, 60_000]) {
    places = await broker.committedPlaces(topic, silenceMs);
    if (places.length >= expected) break;
  }
  return [...places].sort();
}

/** Each event once; of one that was sent more than once, the newest. */
async function judgeRawFacts({ clickhouse }: ChaosWorld, entries: readonly LoggedEntry[]): Promise<number> {
  const newest = new Map<string, string>();
  for (const { entry, partition, offset } of entries) {
    if (!('eventId' in entry) || !('contentHash' in entry)) continue;
    newest.set(factName(entry), `${partition} ${offset}`);
  }
  const expected = [...newest].map(([key, place]) => `${key} ${place}`).sort();
  await eventually(async () => {
    const stored = await clickhouse.query({
      sql: `SELECT brand, channel, toUnixTimestamp64Milli(at) AS at, event_id, person, toString(content_hash) AS hash,
                   partition, toString(log_offset) AS log_offset
            FROM gravity.touchpoints FINAL`,
      row: (found) => {
        const row = found as Readonly<Record<string, string | number>>;
        const key = JSON.stringify([
          ...[row['brand'], row['channel'], Number(row['at']), row['event_id'], row['person'], row['hash']],
        ]);
        return `${key} ${row['partition']} ${row['log_offset']}`;
      },
    });
    expectEqual('raw facts', [...stored].sort(), expected);
  }, PATIENCE_MS);
  return expected.length;
}

async function judgeFigures({ clickhouse }: ChaosWorld, { rows }: WholeFold): Promise<number> {
  const expected = comparable(rows);
  await eventually(
    async () => expectEqual('figure rows', await storedRows(clickhouse), expected),
    PATIENCE_MS,
  );
  return expected.length;
}

function factName({ brand, channel, at, eventId, person, contentHash }: Touchpoint): string {
  return JSON.stringify([brand, channel, at, eventId, person, String(contentHash)]);
}

function nameOf({ topic, partition, offset }: { topic: string; partition: number; offset: number }): string {
  return `${topic}-${partition}@${offset}`;
}

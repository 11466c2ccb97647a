/** What one process makes of the relationship log, from its start to its end and undisturbed. */
import type { TierChanged } from '#domain';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  RelationshipWorker,
  TOPICS,
  type DetailedEntry,
  type Log,
  type LogRecord,
  type TopicPartition,
} from '#pipeline';
import type { Codecs } from '#contracts';
import { LmdbStateStore } from '#state-store';
import { batchesOf, PATIENT, RecordingFigureSink, SILENT_OBSERVER, TempDir } from '#testing';
import { foldedFacts, readOnlyLog } from '../../libs/testing/simulation/reference-fold.js';

type FoldedLog = Pick<Log, 'ends' | 'read'>;

export interface LoggedEntry extends DetailedEntry {
  readonly partition: number;
  readonly offset: number;
}

export interface WholeFold {
  readonly entries: readonly LoggedEntry[];
  readonly facts: readonly TierChanged[];
  readonly rows: RecordingFigureSink;
  /** "partition offset" of each record, as `KafkaServer.committedPlaces` has them. */
  readonly places: readonly string[];
}

/** The records of a topic, copied out of what they were read in. */
export async function recordsOf(
  log: FoldedLog,
  topic: string,
): Promise<ReadonlyMap<number, readonly LogRecord[]>> {
  const found = new Map<number, LogRecord[]>();
  for (const { partition } of await log.ends(topic)) {
    const records: LogRecord[] = [];
    for await (const batch of log.read({ topic, partition }, 0)) {
      for (const { offset, timestamp, key, value } of batch.records) {
        records.push({ offset, timestamp, key: copyOf(key), value: copyOf(value) });
      }
    }
    found.set(partition, records);
  }
  return found;
}

export function placesOf(records: ReadonlyMap<number, readonly LogRecord[]>): readonly string[] {
  return [...records].flatMap(([partition, all]) => all.map(({ offset }) => `${partition} ${offset}`));
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

/** The log as far as the group has read it: of what stands behind that, it has said nothing yet. */
export function readBy(group: string, log: Log): FoldedLog {
  const committed = async (input: TopicPartition): Promise<number> =>
    (await log.committed(group, input)) ?? 0;
  return {
    ends: async (topic) => {
      const ends = await log.ends(topic);
      return Promise.all(
        ends.map(async ({ partition, start }) => ({
          ...{ partition, start },
          end: await committed({ topic, partition }),
        })),
      );
    },
    async *read(input, from, to) {
      const end = await committed(input);
      yield* log.read(input, from, Math.min(to ?? end, end));
    },
  };
}

export async function foldWhole(log: FoldedLog, codecs: Codecs): Promise<WholeFold> {
  const topic = TOPICS.relationshipLog;
  const records = await recordsOf(log, topic);
  const entries: LoggedEntry[] = [];
  const facts: TierChanged[] = [];
  for (const [partition, all] of records) {
    for (const { offset, value } of all) {
      entries.push({ ...codecs.log.decodeDetailed(value), partition, offset });
    }
    const nextOffset = (all.at(-1)?.offset ?? -1) + 1;
    const batch = { topic, partition, records: all, nextOffset, endOffset: nextOffset };
    facts.push(...foldedFacts(batch, codecs.log));
  }
  return { entries, facts, rows: await foldedRows(log, codecs), places: placesOf(records) };
}

/** The figure rows of an undisturbed worker over the same log, which writes nothing anywhere. */
async function foldedRows(log: FoldedLog, codecs: Codecs): Promise<RecordingFigureSink> {
  const sink = new RecordingFigureSink();
  const directory = new TempDir('whole-fold');
  const store = LmdbStateStore.open({ path: directory.join('state') });
  try {
    const worker = new RelationshipWorker(
      {
        log: readOnlyLog(log),
        group: 'reference',
        logCodec: codecs.log,
        generationCodec: codecs.generations,
        facts: codecs,
        factPartitions: { tierChanges: 1, tiers: 1 },
        now: () => 0,
        store,
        storeDirectory: directory.path,
        snapshots: null,
        cachedStatesMax: 1_000_000,
        sink,
        progress: null,
      },
      { ...DEFAULT_RELATIONSHIP_SETTINGS, drainMs: 0 },
      SILENT_OBSERVER,
    );
    for (const { partition } of await log.ends(TOPICS.relationshipLog)) {
      const input = { topic: TOPICS.relationshipLog, partition };
      await worker.assigned(input);
      for await (const batch of batchesOf(log, input, 0, () => 5_000)) await worker.batch(batch, PATIENT);
      await worker.flushAll();
      await worker.revoked(input);
    }
  } finally {
    store.close();
    directory.remove();
  }
  return sink;
}

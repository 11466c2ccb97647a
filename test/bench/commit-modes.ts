/**
 * Run as a process of its own: folds a relationship log once from its start by the real worker, and publishes either
 * in transactions (exactly once) or by plain appends (at least once, without even committing a position). Prints what
 * it took as one line of JSON. Figures go nowhere: only the commit differs.
 */
import { ConfluentSchemaRegistry, SchemaCatalog, openCodecs } from '#contracts';
import { KafkaLog } from '#kafka';
import { DEFAULT_RELATIONSHIP_SETTINGS, RelationshipWorker, TOPICS, type Log } from '#pipeline';
import { LmdbStateStore } from '#state-store';
import { cpuSeconds } from './machine.js';

export const COMMIT_MODES = ['transactions', 'appends'] as const;
export type CommitMode = (typeof COMMIT_MODES)[number];

export interface CommitModeReport {
  readonly records: number;
  readonly facts: number;
  /** From the first batch to the last. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const [brokers = '', registryUrl = '', directory = '', mode = ''] = process.argv.slice(2);
const group = `bench-${mode}-${Date.now()}`;
const registry = new ConfluentSchemaRegistry({
  url: registryUrl,
  auth: null,
  register: true,
  timeoutMs: 5_000,
});
const codecs = await openCodecs(registry, SchemaCatalog.load());
const kafka = new KafkaLog({ brokers: brokers.split(','), clientId: 'bench' });
const log = mode === 'appends' ? withoutTransactions(kafka) : kafka;
const partitionsOf = async (topic: string): Promise<number> => (await log.ends(topic)).length;
let begun: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | null = null;
let done: CommitModeReport = { records: 0, facts: 0, seconds: 0, cpuSeconds: 0 };
const worker = new RelationshipWorker(
  {
    ...{ log, group, logCodec: codecs.log, generationCodec: codecs.generations, facts: codecs },
    factPartitions: {
      tierChanges: await partitionsOf(TOPICS.tierChanges),
      tiers: await partitionsOf(TOPICS.tiers),
    },
    ...{ now: Date.now, store: LmdbStateStore.open({ path: directory }), storeDirectory: directory },
    ...{
      snapshots: null,
      cachedStatesMax: 200_000,
      sink: { write: () => Promise.resolve() },
      progress: null,
    },
  },
  DEFAULT_RELATIONSHIP_SETTINGS,
  {
    ...{
      opened: () => undefined,
      pumped: () => undefined,
      checkpointed: () => undefined,
      closed: () => undefined,
    },
    snapshots: { found: () => undefined, taken: () => undefined, failed: () => undefined },
    batch: (_input, { records, facts }) => {
      begun ??= { at: performance.now(), cpu: process.cpuUsage() };
      done = {
        records: done.records + records,
        facts: done.facts + facts,
        seconds: (performance.now() - begun.at) / 1_000,
        cpuSeconds: cpuSeconds(begun.cpu),
      };
    },
  },
);
const consumer = log.consumer({ group, topics: [TOPICS.relationshipLog], batchRecordsMax: 5_000 });
await consumer.start(worker);
const ends = await log.ends(TOPICS.relationshipLog);
while (ends.some(({ partition, end }) => (positionOf(partition) ?? 0) < end)) {
  const { crashed } = consumer.health();
  if (crashed !== null) throw crashed;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
console.log(JSON.stringify(done));
process.exit(0);

function positionOf(partition: number): number | undefined {
  return worker.states().find((state) => state.partition === partition)?.position;
}

function withoutTransactions(under: Log): Log {
  return new Proxy(under, {
    get: (target, name): unknown => {
      if (name === 'writer') {
        return () =>
          Promise.resolve({
            commit: ({ records }: Parameters<Awaited<ReturnType<Log['writer']>>['commit']>[0]) =>
              target.append(records),
            close: () => Promise.resolve(),
          });
      }
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

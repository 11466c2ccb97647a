/** The services on a real broker, one after the other over the same backlog, beside the floor in the same run. */
import { spawn } from 'node:child_process';
import kafkajs from 'kafkajs';
import { ConfluentSchemaRegistry, LOG_PARTITIONS_KAFKA, SchemaCatalog, SourceEncoder } from '#contracts';
import type { SourceTouchpoint } from '#domain';
// The lib's index is for jest alone.
import { TempDir } from '../../libs/testing/temp-dir.js';
import { AppProcess, type AppReading } from './app-process.js';
import type { BenchOptions } from './bench-options.js';
import type { BenchResult, Measure } from './bench-report.js';
import { environment, firstLine, gravity, startServers } from './bench-servers.js';
import { backlogEvents, sourceRecords } from './embedded.js';
import type { CommitMode, CommitModeReport } from './commit-modes.js';
import type { FloorReport } from './kafka-floor.js';
import type { BenchServers } from './kafka-servers.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { mixOf, personsIn } from './night-events.js';
import { NODE_FLAGS } from './node-flags.js';
import { builtFile } from '../../libs/testing/places.js';

const EVENTS = 1_000_000;
const SOURCE_PARTITIONS = 4;
const SEND_RECORDS = 2_000;
/** Intake and relationship are to reach these in one run with the floor (`README.md`). */
const RELATIONSHIP_TO_FLOOR = 0.7;
/** Throughput that exactly-once may cost. */
const EXACTLY_TO_AT_LEAST_ONCE = 0.7;

interface ServiceRun {
  readonly what: string;
  readonly reading: AppReading;
  readonly cpuSeconds: number;
}

export async function kafkaPath(options: BenchOptions): Promise<BenchResult> {
  const directory = new TempDir('bench-kafka');
  const servers = await startServers(directory.join('clickhouse'));
  try {
    const env = environment(servers.at);
    await gravity(['topics', 'apply', '--log-partitions', String(LOG_PARTITIONS_KAFKA)], env);
    await gravity(['schemas', 'register'], env);
    await gravity(['migrate'], env);
    const events = backlogEvents(options, EVENTS);
    const watch = new MachineWatch();
    const before = process.cpuUsage();
    await produce(events, servers.at);
    const run = (app: string, records: number): Promise<ServiceRun> =>
      runService(app, { ...env, GRAVITY_DATA_DIR: directory.join(app) }, records);
    const intake = await run('intake', events.length);
    const floor = await runFloor(servers.at.brokers);
    const relationship = await run('relationship', floor.records);
    const archive = await run('archive', floor.records);
    const exactly = await runCommitMode('transactions', servers.at, directory.join('transactions'));
    const atLeast = await runCommitMode('appends', servers.at, directory.join('appends'));
    if (exactly.facts !== atLeast.facts || exactly.records !== atLeast.records) {
      throw new Error(
        `${exactly.facts} facts of ${exactly.records} records in transactions, ${atLeast.facts} of ${atLeast.records} without`,
      );
    }
    if (floor.persons !== personsIn(events)) {
      throw new Error(`the log holds ${floor.persons} persons of ${personsIn(events)}`);
    }
    const runs = [intake, relationship, archive];
    const others = floor.cpuSeconds + exactly.cpuSeconds + atLeast.cpuSeconds;
    const spent = runs.reduce((sum, { reading }) => sum + reading.cpuSeconds, others);
    return {
      part: 'kafka',
      settings: {
        events: events.length,
        persons: personsIn(events),
        seed: options.seed,
        mix: mixOf(events),
        'log partitions': LOG_PARTITIONS_KAFKA,
        broker: 'one, on this machine; its CPU counts as that of others',
      },
      measures: [...measures(events.length, floor, runs), ...costOfTransactions(exactly, atLeast)],
      checks: [`${floor.records} records of ${floor.persons} persons in the log, read by all`],
      surroundings: watch.end(spent + cpuSeconds(before)),
    };
  } finally {
    await servers.stop();
    directory.remove();
  }
}

function measures(events: number, floor: FloorReport, runs: readonly ServiceRun[]): readonly Measure[] {
  const unit = 'events/CPU-s';
  const rate = events / floor.cpuSeconds;
  return [
    { what: 'floor: kafkajs, avsc, Map fold', unit, value: rate, floor: rate },
    ...runs.map(({ what, cpuSeconds: cpu }) => ({
      what,
      unit,
      value: events / cpu,
      floor: rate,
      ...(what === 'relationship' ? { target: { atLeast: RELATIONSHIP_TO_FLOOR * rate } } : {}),
    })),
  ];
}

/** Starts a service on what waits for it and stops it when all is done. */
async function runService(
  app: string,
  env: Readonly<Record<string, string>>,
  records: number,
): Promise<ServiceRun> {
  const service = await AppProcess.start(app, env);
  try {
    const started = await service.reading();
    const reading = await service.drained(records);
    return { what: app, reading, cpuSeconds: reading.cpuSeconds - started.cpuSeconds };
  } finally {
    await service.stop();
  }
}

async function produce(events: readonly SourceTouchpoint[], at: BenchServers): Promise<void> {
  const catalog = SchemaCatalog.load();
  const registry = new ConfluentSchemaRegistry({
    url: at.registryUrl,
    auth: null,
    register: true,
    timeoutMs: 5_000,
  });
  const encoder = await SourceEncoder.open(registry, catalog);
  const { Kafka, logLevel, Partitioners } = kafkajs;
  const kafka = new Kafka({ clientId: 'bench', brokers: at.brokers.split(','), logLevel: logLevel.ERROR });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let from = 0; from < events.length; from += SEND_RECORDS) {
    const byTopic = new Map<
      string,
      { key: Buffer | string | null; value: Buffer | null; partition: number }[]
    >();
    const records = sourceRecords(events.slice(from, from + SEND_RECORDS), encoder, SOURCE_PARTITIONS);
    for (const { topic, ...message } of records) {
      const messages = byTopic.get(topic);
      if (messages === undefined) byTopic.set(topic, [message]);
      else messages.push(message);
    }
    await producer.sendBatch({
      topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    });
  }
  await producer.disconnect();
}

async function runFloor(brokers: string): Promise<FloorReport> {
  const floor = spawn(process.execPath, [...NODE_FLAGS, builtFile('test/bench/kafka-floor.ts'), brokers], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await firstLine(floor)) as FloorReport;
}

async function runCommitMode(
  mode: CommitMode,
  at: BenchServers,
  directory: string,
): Promise<CommitModeReport> {
  const script = builtFile('test/bench/commit-modes.ts');
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, script, at.brokers, at.registryUrl, directory, mode],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return JSON.parse(await firstLine(child)) as CommitModeReport;
}

/** The same fold of the same log, with and without transactions. */
function costOfTransactions(exactly: CommitModeReport, atLeast: CommitModeReport): readonly Measure[] {
  const perSecond = ({ records, seconds }: CommitModeReport): number => records / seconds;
  const perCpu = ({ records, cpuSeconds: cpu }: CommitModeReport): number => records / cpu;
  const [one, other] = [perSecond(exactly), perSecond(atLeast)];
  return [
    { what: 'fold and facts alone, at least once', unit: 'records/s', value: other, floor: other },
    {
      ...{ what: '… exactly once', unit: 'records/s', value: one, floor: other },
      target: { atLeast: EXACTLY_TO_AT_LEAST_ONCE * other },
    },
    { what: '… exactly once', unit: 'records/CPU-s', value: perCpu(exactly), floor: perCpu(atLeast) },
  ];
}

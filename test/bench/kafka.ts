/** The services on a real broker, one after the other over the same backlog, beside the floor in the same run. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import kafkajs from 'kafkajs';
import { ConfluentSchemaRegistry, LOG_PARTITIONS_KAFKA, SchemaCatalog, SourceEncoder } from '#contracts';
import { type SourceTouchpoint } from '#domain';
// The lib's index is for jest alone.
import { TempDir } from '../../libs/testing/temp-dir.js';
import { AppProcess, type AppReading } from './app-process.js';
import { type BenchOptions } from './bench-options.js';
import { type BenchResult, type Measure } from './bench-report.js';
import { backlogEvents, sourceRecords } from './embedded.js';
import type { FloorReport } from './kafka-floor.js';
import type { BenchServers } from './kafka-servers.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { mixOf, personsIn } from './night-events.js';
import { NODE_FLAGS } from './node-flags.js';
import { builtFile, repositoryRoot } from './places.js';

const EVENTS = 300_000;
const SOURCE_PARTITIONS = 4;
const SEND_RECORDS = 2_000;
/** Intake and relationship are to reach these in one run with the floor (`README.md`). */
const RELATIONSHIP_TO_FLOOR = 0.7;

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
    if (floor.persons !== personsIn(events)) {
      throw new Error(`the log holds ${floor.persons} persons of ${personsIn(events)}`);
    }
    const runs = [intake, relationship, archive];
    const spent = runs.reduce((sum, { reading }) => sum + reading.cpuSeconds, floor.cpuSeconds);
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
      measures: measures(events.length, floor, runs),
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

function environment({ brokers, registryUrl, clickhouse }: BenchServers): Readonly<Record<string, string>> {
  return {
    KAFKA_BROKERS: brokers,
    SCHEMA_REGISTRY_URL: registryUrl,
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_USER: clickhouse.username,
    CLICKHOUSE_PASSWORD: clickhouse.password,
  };
}

async function gravity(args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, [`${repositoryRoot()}/apps/cli/bin/gravity.js`, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`gravity ${args.join(' ')} ended with ${String(code)}`);
}

async function runFloor(brokers: string): Promise<FloorReport> {
  const floor = spawn(
    process.execPath,
    [...NODE_FLAGS, builtFile('test', 'bench', 'kafka-floor.js'), brokers],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return JSON.parse(await firstLine(floor)) as FloorReport;
}

interface RunningServers {
  readonly at: BenchServers;
  stop(): Promise<void>;
}

async function startServers(directory: string): Promise<RunningServers> {
  const root = repositoryRoot();
  const child = spawn(
    process.execPath,
    [
      ...['--import', `${root}/libs/testing/typescript-register.mjs`],
      ...[`${root}/test/bench/kafka-servers.ts`, directory],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const at = JSON.parse(await firstLine(child)) as BenchServers;
  return {
    at,
    stop: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

/** @throws when the process ends without one */
async function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error('a process without output');
  const lines = createInterface({ input: stdout });
  const ended = once(child, 'exit').then(([code]: unknown[]): string => {
    throw new Error(`a process of the bench ended with ${String(code)}`);
  });
  const line = once(lines, 'line').then(([text]: unknown[]) => String(text));
  ended.catch(() => undefined);
  return Promise.race([line, ended]);
}

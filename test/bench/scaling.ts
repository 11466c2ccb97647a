/**
 * Instances of relationship that come and go under load, 1 → 2 → 3 → 2 → 1: how many partitions move at each step, how
 * long each stands still, and whether every tier change is there, once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Consumer, type Kafka } from 'kafkajs';
import {
  ConfluentSchemaRegistry,
  LOG_PARTITIONS_KAFKA,
  SchemaCatalog,
  SourceEncoder,
  TierChangedCodec,
} from '#contracts';
import { TOPICS } from '#pipeline';
import { TempDir } from '../../libs/testing/temp-dir.js';
import { AppProcess } from './app-process.js';
import type { BenchOptions } from './bench-options.js';
import type { BenchResult, Measure } from './bench-report.js';
import { environment, gravity, startServers } from './bench-servers.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { ownersOf, takeStep, type ScalingStep } from './scaling-steps.js';
import { ScalingLoad, type Probe } from './scaling-load.js';

const STEPS = [1, 1, -1, -1] as const;
const WARM_MS = 15_000;
const ROOM_MS = 60_000;
/** Whoever joins is told of one tier under each of the two schemes. */
const CHANGES_PER_JOIN = 2;

export async function scaling(options: BenchOptions): Promise<BenchResult> {
  const directory = new TempDir('bench-scaling');
  const servers = await startServers(directory.join('clickhouse'));
  const instances: AppProcess[] = [];
  const others: AppProcess[] = [];
  try {
    const env = environment(servers.at);
    await gravity(['topics', 'apply', '--log-partitions', String(LOG_PARTITIONS_KAFKA)], env);
    await gravity(['schemas', 'register'], env);
    await gravity(['migrate'], env);
    let started = 0;
    const start = (app: string): Promise<AppProcess> =>
      AppProcess.start(app, { ...env, GRAVITY_DATA_DIR: directory.join(`${app}-${(started += 1)}`) });
    others.push(await start('intake'));
    instances.push(await start('relationship'));
    const { Kafka, logLevel } = kafkajs;
    const brokers = servers.at.brokers.split(',');
    const kafka = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.ERROR });
    const catalog = SchemaCatalog.load();
    const registry = new ConfluentSchemaRegistry({
      ...{ url: servers.at.registryUrl, auth: null, register: true, timeoutMs: 5_000 },
    });
    const told = new ToldChanges(await TierChangedCodec.open(registry, catalog));
    const consumer = await told.subscribe(kafka);
    const watch = new MachineWatch();
    const before = process.cpuUsage();
    const encoder = await SourceEncoder.open(registry, catalog);
    const load = await ScalingLoad.start(kafka, encoder, LOG_PARTITIONS_KAFKA, options);
    await ownersOf(instances, LOG_PARTITIONS_KAFKA);
    await sleep(WARM_MS);
    const steadyFrom = Date.now() - WARM_MS / 2;
    const steadyTo = Date.now();
    const steps: ScalingStep[] = [];
    for (const step of STEPS) steps.push(await takeStep(step, instances, () => start('relationship')));
    const probes = await load.stop();
    await told.allOf(probes);
    await consumer.disconnect();
    const steady = probes.filter(({ at }) => at >= steadyFrom && at < steadyTo);
    const spent = await cpuOf([...instances, ...others]);
    return {
      part: 'scaling',
      settings: {
        ...{ 'events/s': load.perSecond, seed: options.seed, 'log partitions': LOG_PARTITIONS_KAFKA },
        services: 'one intake, one to three relationship',
        ...Object.fromEntries(
          steps.map((step) => [`${step.name}, ms by partition (* moved)`, byPartition(step, probes, told)]),
        ),
      },
      measures: [
        slowest('one instance, nothing moves: slowest tier change', steady, told),
        ...steps.flatMap((step) => measuresOf(step, probes, told)),
      ],
      checks: [
        `${probes.length} touchpoints made ${told.count} tier changes: each person's once under each scheme, none twice`,
      ],
      surroundings: watch.end(spent + cpuSeconds(before)),
    };
  } finally {
    for (const app of [...instances, ...others]) await app.stop();
    await servers.stop();
    directory.remove();
  }
}

function measuresOf(step: ScalingStep, probes: readonly Probe[], told: ToldChanges): readonly Measure[] {
  const during = probes.filter(({ at }) => at >= step.from && at < step.to);
  const moved = during.filter(({ partition }) => step.moved.has(partition));
  const stayed = during.filter(({ partition }) => !step.moved.has(partition));
  return [
    {
      ...{ what: `${step.name}: partitions moved`, unit: `of ${LOG_PARTITIONS_KAFKA}` },
      ...{ value: step.moved.size, floor: null, target: { atMost: step.leastMoves } },
    },
    slowest('  slowest tier change in one that moved', moved, told),
    slowest('  … in one that stayed', stayed, told),
  ];
}

function slowest(what: string, probes: readonly Probe[], told: ToldChanges): Measure {
  return { what, unit: 'ms', value: Math.max(0, ...probes.map((probe) => told.waitOf(probe))), floor: null };
}

function byPartition({ from, to, moved }: ScalingStep, probes: readonly Probe[], told: ToldChanges): string {
  return Array.from({ length: LOG_PARTITIONS_KAFKA }, (_, partition) => {
    const own = probes.filter((one) => one.partition === partition && one.at >= from && one.at < to);
    const { value } = slowest('', own, told);
    return `${partition}${moved.has(partition) ? '*' : ''}: ${value}`;
  }).join(', ');
}

/** Tier changes as a subscriber has them that reads only what is committed. */
class ToldChanges {
  /** By the touchpoint that caused it: when it came first, ms. */
  readonly #seenAt = new Map<string, number>();
  /** By touchpoint, how many under each scheme. */
  readonly #counts = new Map<string, Map<string, number>>();
  count = 0;

  constructor(private readonly codec: TierChangedCodec) {}

  async subscribe(kafka: Kafka): Promise<Consumer> {
    const consumer = kafka.consumer({ groupId: 'bench-subscriber', readUncommitted: false });
    await consumer.connect();
    await consumer.subscribe({ topic: TOPICS.tierChanges, fromBeginning: true });
    await consumer.run({
      eachBatch: ({ batch }) => {
        const now = Date.now();
        for (const { value } of batch.messages) if (value !== null) this.#add(value, now);
        return Promise.resolve();
      },
    });
    return consumer;
  }

  waitOf({ id, at }: Probe): number {
    return (this.#seenAt.get(id) ?? Infinity) - at;
  }

  /** @throws where one is missing for long, or came twice */
  async allOf(probes: readonly Probe[]): Promise<void> {
    const expected = probes.length * CHANGES_PER_JOIN;
    const deadline = Date.now() + ROOM_MS;
    while (this.count < expected && Date.now() < deadline) await sleep(200);
    // Whatever should come twice has its chance.
    await sleep(2_000);
    for (const { id } of probes) {
      const counts = [...(this.#counts.get(id)?.values() ?? [])];
      if (counts.length === CHANGES_PER_JOIN && counts.every((one) => one === 1)) continue;
      throw new Error(`${id} made ${counts.join(' and ') || 'no'} tier changes`);
    }
    if (this.count !== expected) throw new Error(`${this.count} tier changes of ${expected}`);
  }

  #add(value: Buffer, now: number): void {
    const { causeEventId, schemeId } = this.codec.decode(value);
    this.count += 1;
    if (causeEventId === null) return;
    if (!this.#seenAt.has(causeEventId)) this.#seenAt.set(causeEventId, now);
    const counts = this.#counts.get(causeEventId) ?? new Map<string, number>();
    counts.set(schemeId, (counts.get(schemeId) ?? 0) + 1);
    this.#counts.set(causeEventId, counts);
  }
}

async function cpuOf(apps: readonly AppProcess[]): Promise<number> {
  let sum = 0;
  for (const app of apps) sum += (await app.reading()).cpuSeconds;
  return sum;
}

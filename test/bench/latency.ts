/**
 * From the producer to the subscriber: how long after a touchpoint was handed to a plain producer its tier change is
 * seen by a plain read-committed consumer, while the services fold a steady stream.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Consumer, type Kafka, type Producer } from 'kafkajs';
import {
  ConfluentSchemaRegistry,
  LOG_PARTITIONS_KAFKA,
  SchemaCatalog,
  SourceEncoder,
  TierChangedCodec,
} from '#contracts';
import type { SourceTouchpoint } from '#domain';
import { TOPICS, type OutgoingRecord } from '#pipeline';
import { sourceJoin } from '../../libs/testing/source-kit.js';
import { TempDir } from '../../libs/testing/temp-dir.js';
import { AppProcess } from './app-process.js';
import { eventsOf, personsOf, type BenchOptions } from './bench-options.js';
import type { BenchResult } from './bench-report.js';
import { environment, gravity, startServers } from './bench-servers.js';
import { collectGarbage } from './collect-garbage.js';
import { sourceRecords } from './embedded.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { mixOf, nightEvents } from './night-events.js';
import { SWIFT_NODE_FLAGS } from './node-flags.js';
import { PackedRounds } from './packed-rounds.js';

const EVENTS = 600_000;
const EVENTS_PER_SECOND = 5_000;
const ROUND_MS = 20;
/** Before anything is measured: caches are filled, and code is compiled, the broker's, too, which takes longest. */
const WARM_SECONDS = 60;
const SOURCE_PARTITIONS = 4;
const ROOM_MS = 30_000;
/** An event's share of the time before the first round; encoding takes about a quarter of it. */
const PREPARE_MS = 0.04;
const P50_MS = 250;
const P99_MS = 1_000;
const PROBE = 'probe-';

interface Sent {
  readonly at: number;
  readonly measured: boolean;
}

export async function latency(options: BenchOptions): Promise<BenchResult> {
  const directory = new TempDir('bench-latency');
  const servers = await startServers(directory.join('clickhouse'));
  const apps: AppProcess[] = [];
  try {
    const env = environment(servers.at);
    await gravity(['topics', 'apply', '--log-partitions', String(LOG_PARTITIONS_KAFKA)], env);
    await gravity(['schemas', 'register'], env);
    await gravity(['migrate'], env);
    for (const app of ['intake', 'relationship', 'archive']) {
      const own = { ...env, GRAVITY_DATA_DIR: directory.join(app) };
      apps.push(await AppProcess.start(app, own, SWIFT_NODE_FLAGS));
    }
    const { Kafka, logLevel } = kafkajs;
    const kafka = new Kafka({
      ...{ clientId: 'bench', brokers: servers.at.brokers.split(','), logLevel: logLevel.ERROR },
    });
    const registry = new ConfluentSchemaRegistry({
      ...{ url: servers.at.registryUrl, auth: null, register: true, timeoutMs: 5_000 },
    });
    const catalog = SchemaCatalog.load();
    const seen = new Map<string, number>();
    const consumer = await subscribe(kafka, await TierChangedCodec.open(registry, catalog), seen);
    const count = eventsOf(options, EVENTS);
    const watch = new MachineWatch();
    const before = process.cpuUsage();
    const started = await cpuOf(apps);
    const sent = await produce(kafka, await SourceEncoder.open(registry, catalog), count, options);
    const spent = (await cpuOf(apps)) - started;
    await allSeen(sent.probes, seen);
    await consumer.disconnect();
    const measured = [...sent.probes].filter(([, probe]) => probe.measured);
    const waits = measured.map(([id, { at }]) => (seen.get(id) ?? Infinity) - at).sort((a, b) => a - b);
    return {
      part: 'latency',
      settings: {
        ...{ events: count, persons: personsOf(options), seed: options.seed, mix: sent.mix },
        ...{ 'events/s sent': Math.round(sent.perSecond), probes: waits.length },
        'log partitions': LOG_PARTITIONS_KAFKA,
        node: SWIFT_NODE_FLAGS.join(' '),
        services: `one intake, relationship and archive: ${spent.toFixed(1)} CPU-s`,
      },
      measures: [
        {
          what: 'produced → tier change seen, p50',
          unit: 'ms',
          value: at(waits, 0.5),
          floor: null,
          target: { atMost: P50_MS },
        },
        { what: '… p95', unit: 'ms', value: at(waits, 0.95), floor: null },
        { what: '… p99', unit: 'ms', value: at(waits, 0.99), floor: null, target: { atMost: P99_MS } },
        { what: '… worst', unit: 'ms', value: at(waits, 1), floor: null },
      ],
      checks: [`each of ${sent.probes.size} probes was seen`],
      surroundings: watch.end(spent + cpuSeconds(before)),
    };
  } finally {
    for (const app of apps) await app.stop();
    await servers.stop();
    directory.remove();
  }
}

/** When the tier change of each probe came first, ms. */
async function subscribe(
  kafka: Kafka,
  codec: TierChangedCodec,
  seen: Map<string, number>,
): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId: 'bench-subscriber', readUncommitted: false });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPICS.tierChanges, fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch }) => {
      const now = Date.now();
      for (const { value } of batch.messages) {
        // A subscriber has a machine of its own: here, what is not asked for is not worth decoding.
        if (value?.includes(PROBE) !== true) continue;
        const id = codec.decode(value).causeEventId;
        if (id?.startsWith(PROBE) === true && !seen.has(id)) seen.set(id, now);
      }
      return Promise.resolve();
    },
  });
  return consumer;
}

/** A steady stream of night events, with a new member in every round. */
async function produce(kafka: Kafka, encoder: SourceEncoder, count: number, options: BenchOptions) {
  const warm = WARM_SECONDS * EVENTS_PER_SECOND;
  const total = warm + count;
  const lengthMs = (total / EVENTS_PER_SECOND) * 1_000;
  const events = nightEvents({
    ...{ events: total, persons: personsOf(options), seed: options.seed, from: Date.now(), lengthMs },
  });
  const mix = mixOf(events);
  const beginsAt = Date.now() + total * PREPARE_MS;
  const eventsPerRound = (EVENTS_PER_SECOND * ROUND_MS) / 1_000;
  const rounds = await PackedRounds.of(events, {
    ...{ encoder, partitions: SOURCE_PARTITIONS, eventsPerRound, roundMs: ROUND_MS, beginsAt },
  });
  collectGarbage();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const probes = new Map<string, Sent>();
  const early = beginsAt - Date.now();
  if (early < 0) throw new Error(`preparing the load took ${-early} ms too long`);
  await sleep(early);
  const began = performance.now();
  const sends = new Set<Promise<void>>();
  for (let round = 0; round < rounds.count; round += 1) {
    const now = Date.now();
    const id = `${PROBE}${round + 1}`;
    probes.set(id, { at: now, measured: round * eventsPerRound >= warm });
    const probe = sourceJoin({ eventId: id, brand: 'b1', person: id, occurredAt: now, sentAt: now });
    const records = [...rounds.records(round), ...sourceRecords([probe], encoder, SOURCE_PARTITIONS)];
    const sending = sendRecords(producer, records);
    sends.add(sending);
    void sending.finally(() => sends.delete(sending));
    await sleep(Math.max(0, began + (round + 1) * ROUND_MS - performance.now()));
  }
  await Promise.all(sends);
  const perSecond = total / ((performance.now() - began) / 1_000);
  await producer.disconnect();
  return { probes, perSecond, mix };
}

/** Each to its topic, at once. */
export async function send(
  producer: Producer,
  events: readonly SourceTouchpoint[],
  encoder: SourceEncoder,
): Promise<void> {
  await sendRecords(producer, sourceRecords(events, encoder, SOURCE_PARTITIONS));
}

async function sendRecords(producer: Producer, records: readonly OutgoingRecord[]): Promise<void> {
  const topicMessages = [...new Set(records.map(({ topic }) => topic))].map((topic) => ({
    topic,
    messages: records
      .filter((one) => one.topic === topic)
      .map(({ key, value, partition }) => ({ key, value, partition })),
  }));
  await producer.sendBatch({ topicMessages });
}

/** @throws when one is missing for long */
async function allSeen(probes: ReadonlyMap<string, Sent>, seen: ReadonlyMap<string, number>): Promise<void> {
  const deadline = Date.now() + ROOM_MS;
  for (;;) {
    const missing = [...probes.keys()].filter((id) => !seen.has(id));
    if (missing.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`${missing.length} of ${probes.size} probes never came: ${missing[0] ?? ''}`);
    await sleep(100);
  }
}

async function cpuOf(apps: readonly AppProcess[]): Promise<number> {
  let sum = 0;
  for (const app of apps) sum += (await app.reading()).cpuSeconds;
  return sum;
}

/** The value below which this share of the sorted ones lies. */
function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Infinity;
}

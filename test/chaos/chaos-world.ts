/** Servers, apps, traffic, and somebody who reads the tier changes as they come. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClickHouse, type ClickHouse } from '#clickhouse';
import { ConfluentSchemaRegistry, SchemaCatalog, topicSpecs, openCodecs, type Codecs } from '#contracts';
import { KafkaLog } from '#kafka';
import { TOPICS } from '#pipeline';
import { eventually } from '#testing';
import { SeededRandom } from '../../libs/testing/simulation/seeded-random.js';
import { ChaosApp } from './chaos-app.js';
import type { ChaosOptions } from './chaos-options.js';
import { ChaosServers } from './chaos-servers.js';
import { ChaosTraffic } from './chaos-traffic.js';
import { ProbeWatch } from './probe-watch.js';

export const CHAOS_LOG_PARTITIONS = 3;
const SOURCE_PARTITIONS = 2;
/** Longer than anything takes, on the slowest disk. */
export const PATIENCE_MS = 300_000;

export class ChaosWorld {
  private constructor(
    readonly directory: string,
    readonly servers: ChaosServers,
    readonly log: KafkaLog,
    readonly codecs: Codecs,
    readonly clickhouse: ClickHouse,
    readonly apps: readonly ChaosApp[],
    readonly traffic: ChaosTraffic,
    readonly watch: ProbeWatch,
  ) {}

  static async open(options: ChaosOptions): Promise<ChaosWorld> {
    const directory = mkdtempSync(join(tmpdir(), 'chaos-'));
    const servers = await ChaosServers.start(options.brokers, directory);
    const log = new KafkaLog({ brokers: servers.kafkaBrokers, clientId: 'chaos' });
    const specs = topicSpecs({
      relationshipLogPartitions: CHAOS_LOG_PARTITIONS,
      sourcePartitions: SOURCE_PARTITIONS,
    });
    // A cluster may still be choosing its leaders.
    await eventually(() => log.applyTopics(specs, false), PATIENCE_MS);
    await eventually(async () => {
      for (const { topic, partitions } of specs) {
        if ((await log.ends(topic)).length !== partitions) throw new Error(`${topic} is not there yet`);
      }
    }, PATIENCE_MS);
    const registry = new ConfluentSchemaRegistry({
      ...{ url: servers.registry.url, auth: null, register: true, timeoutMs: 30_000 },
    });
    const codecs = await openCodecs(registry, SchemaCatalog.load());
    const clickhouse = await createClickHouse(servers.clickHouseSettings);
    const traffic = new ChaosTraffic(
      servers.kafkaBrokers,
      codecs.sourceEncoder,
      new SeededRandom(options.seed),
      options,
    );
    const watch = new ProbeWatch(log, codecs.tierChanged, CHAOS_LOG_PARTITIONS);
    return new ChaosWorld(
      directory,
      servers,
      log,
      codecs,
      clickhouse,
      appsOf(servers, directory),
      traffic,
      watch,
    );
  }

  /** Everybody is there and reads before the first touchpoint comes. */
  async start(): Promise<void> {
    for (const app of this.apps) app.start();
    for (const app of this.apps) await app.process.ready(PATIENCE_MS);
    this.watch.start();
    await this.traffic.start();
  }

  of(kind: ChaosApp['kind']): readonly ChaosApp[] {
    return this.apps.filter((app) => app.kind === kind);
  }

  /** Until a group has nothing left to read of these topics. */
  async readToEnd(group: string, topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      for (const { partition } of await this.log.ends(topic)) {
        await eventually(async () => {
          const from = (await this.log.committed(group, { topic, partition })) ?? 0;
          for await (const { records } of this.log.read({ topic, partition }, from)) {
            if (records.length > 0) throw new Error(`${group} is at ${from} of ${topic}-${partition}`);
          }
        }, PATIENCE_MS);
      }
    }
  }

  /** @throws while a partition of the relationship log has no tick */
  async assertTicked(): Promise<void> {
    for (const { partition } of await this.log.ends(TOPICS.relationshipLog)) {
      if (!(await this.#hasTick(partition))) throw new Error(`partition ${partition} has no tick`);
    }
  }

  async #hasTick(partition: number): Promise<boolean> {
    for await (const { records } of this.log.read({ topic: TOPICS.relationshipLog, partition }, 0)) {
      if (records.some(({ value }) => this.codecs.log.decode(value).type === 'tick')) return true;
    }
    return false;
  }

  async close(): Promise<void> {
    await this.watch.stop();
    for (const app of this.apps) await app.kill().then(() => app.stop());
    await Promise.all([this.log.close(), this.clickhouse.close()]);
    await this.servers.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The first intake comes by the proxies, where its transactions can be held. */
function appsOf(servers: ChaosServers, directory: string): readonly ChaosApp[] {
  const { url, username, password } = servers.clickHouseSettings;
  const shared = {
    KAFKA_BROKERS: servers.kafkaBrokers.join(','),
    SCHEMA_REGISTRY_URL: servers.registry.url,
    CLICKHOUSE_URL: url,
    CLICKHOUSE_USER: username,
    CLICKHOUSE_PASSWORD: password,
  };
  const intake = { ...shared, GRAVITY_DATA_DIR: join(directory, 'intake') };
  const fold = (name: string): Readonly<Record<string, string>> => ({
    ...shared,
    GRAVITY_DATA_DIR: join(directory, name),
    GRAVITY_CHECKPOINT: '1s',
    // One place for all, as the disks of a cluster have it.
    GRAVITY_SNAPSHOT_DIR: join(directory, 'snapshots'),
    GRAVITY_SNAPSHOT_EVERY: '20s',
  });
  return [
    new ChaosApp('intake-1', 'intake', { ...intake, KAFKA_BROKERS: servers.proxiedBrokers.join(',') }),
    new ChaosApp('relationship-1', 'relationship', fold('relationship-1')),
    new ChaosApp('relationship-2', 'relationship', fold('relationship-2')),
    new ChaosApp('archive-1', 'archive', { ...shared, GRAVITY_DATA_DIR: join(directory, 'archive') }),
  ];
}

export const SOURCE_GROUP = 'intake';
export const FOLD_GROUP = 'relationship';
export const ARCHIVE_GROUP = 'archive';

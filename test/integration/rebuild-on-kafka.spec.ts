/** A rebuild and a switch to it while the microservices fold live traffic on real Kafka. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createClickHouse, shownGeneration, type ClickHouse } from '#clickhouse';
import { ConfluentSchemaRegistry, SchemaCatalog, openCodecs, type Codecs } from '#contracts';
import type { TierChanged } from '#domain';
import { KafkaLog } from '#kafka';
import { TOPICS } from '#pipeline';
import { eventually, type GravityOutcome, runGravity, TempDir } from '#testing';
import { SeededRandom } from '../../libs/testing/simulation/seeded-random.js';
import { ChaosTraffic } from '../chaos/chaos-traffic.js';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { KafkaServer } from '../servers/kafka-server.js';
import { describeWithOwnServers, sharedRegistry } from '../servers/servers.js';
import { ServiceProcess } from './service-process.js';

const SLOW_MS = 300_000;
const PATIENT_MS = 120_000;
const PARTITIONS = 2;

describeWithOwnServers('gravity rebuild beside live services', () => {
  const directory = new TempDir('rebuild-on-kafka');
  const snapshots = { GRAVITY_SNAPSHOT_DIR: directory.join('snapshots') };
  let kafka: KafkaServer;
  let registryUrl: string;
  let endpoint: ClickHouseEndpoint;
  let clickhouse: ClickHouse;
  let log: KafkaLog;
  let codecs: Codecs;
  let traffic: ChaosTraffic;
  let env: Readonly<Record<string, string>>;
  const services: ServiceProcess[] = [];

  beforeAll(async () => {
    [kafka, registryUrl, endpoint] = await Promise.all([
      KafkaServer.start(),
      sharedRegistry(),
      clickHouseEndpoint(directory.join('clickhouse')),
    ]);
    const { url, username, password } = endpoint;
    clickhouse = await createClickHouse({ url, username, password });
    env = {
      ...{ KAFKA_BROKERS: kafka.brokers.join(','), SCHEMA_REGISTRY_URL: registryUrl, HOME: directory.path },
      ...{ CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password },
    };
    const apply = ['topics', 'apply', '--log-partitions', String(PARTITIONS), '--source-partitions', '1'];
    expect(await runGravity(apply, env)).toMatchObject({ code: 0 });
    const registered = new ConfluentSchemaRegistry({
      ...{ url: registryUrl, auth: null, register: true, timeoutMs: 10_000 },
    });
    codecs = await openCodecs(registered, SchemaCatalog.load());
    log = new KafkaLog({ brokers: kafka.brokers, clientId: 'spec' });
    traffic = new ChaosTraffic(kafka.brokers, codecs.sourceEncoder, new SeededRandom(7), {
      ...{ eventsPerSecond: 100, persons: 300 },
    });
    for (const name of ['intake', 'relationship', 'archive']) {
      const one = new ServiceProcess(name, {
        ...{ ...env, GRAVITY_DATA_DIR: directory.join(name) },
        ...(name === 'relationship' ? snapshots : {}),
      });
      services.push(one);
      one.start();
    }
    for (const one of services) await one.ready(PATIENT_MS);
    await traffic.start();
  }, SLOW_MS);

  afterAll(async () => {
    await traffic?.stop();
    for (const service of services) await service.end('SIGKILL');
    await Promise.all([clickhouse?.close(), log?.close()]);
    await Promise.all([kafka?.stop(), endpoint?.close()]);
    directory.remove();
  }, SLOW_MS);

  function gravity(...argv: readonly string[]): Promise<GravityOutcome> {
    return runGravity(argv, { ...env, ...snapshots, GRAVITY_DATA_DIR: directory.join('cli') });
  }

  async function changes(): Promise<readonly TierChanged[]> {
    const all: TierChanged[] = [];
    for (const { partition } of await log.ends(TOPICS.tierChanges)) {
      for await (const { records } of log.read({ topic: TOPICS.tierChanges, partition }, 0)) {
        for (const { value } of records) if (value !== null) all.push(codecs.tierChanged.decode(value));
      }
    }
    return all;
  }

  async function foldedTo(topic: string): Promise<number> {
    let left = 0;
    for (const { partition, end } of await log.ends(topic)) {
      left += end - ((await log.committed('relationship', { topic, partition })) ?? 0);
    }
    return left;
  }

  it(
    'goes over in the middle of it all; nothing is published twice, and readers follow',
    async () => {
      await eventually(async () => expect((await changes()).length).toBeGreaterThan(200), PATIENT_MS);
      const sentBefore = traffic.acknowledged;
      const over = await gravity('rebuild', '--switch', '--format', 'json');
      expect(over).toMatchObject({ code: 0 });
      expect(traffic.acknowledged).toBeGreaterThan(sentBefore);
      expect(JSON.parse(over.out)).toMatchObject({
        ...{ generation: 2, compared_with: 1, switched: true, restated: 0, tiers: { differ: 0 } },
        figures: { differ: 0, differences: [] },
      });
      expect(await shownGeneration(clickhouse)).toBe(2);
      const published = (await changes()).length;
      await eventually(
        async () => expect((await changes()).length).toBeGreaterThan(published + 100),
        PATIENT_MS,
      );
      await traffic.stop();
      await eventually(async () => expect(await foldedTo(TOPICS.relationshipLog)).toBe(0), PATIENT_MS);

      const relationship = services.find(({ name }) => name === 'relationship');
      const said = relationship?.lines.filter((line) => line.includes('restored from a snapshot')) ?? [];
      expect(said).toHaveLength(PARTITIONS);
      // Each change begins where the one before has ended, and none is there twice.
      const last = new Map<string, number>();
      const all = [...(await changes())].sort((a, b) => (a.version < b.version ? -1 : 1));
      const wrong = all.filter(({ brand, person, schemeId, from, to, cause }) => {
        const key = `${schemeId} ${brand} ${person}`;
        const before = last.get(key) ?? 0;
        last.set(key, to);
        return from !== before || cause.includes('RESTATE');
      });
      expect(wrong).toEqual([]);
      // A fold from the first record on comes to the same figures as the two generations did.
      const again = await gravity('rebuild', '--format', 'json');
      expect(again).toMatchObject({ code: 0 });
      expect(JSON.parse(again.out)).toMatchObject({
        ...{ generation: 3, compared_with: 2, switched: false, tiers: { differ: 0 }, figures: { differ: 0 } },
      });
    },
    SLOW_MS,
  );
});

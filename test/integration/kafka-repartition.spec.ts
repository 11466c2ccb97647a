/**
 * `gravity repartition` on real Kafka: services stopped, the log copied, services started again. Tier changes are read
 * from the first one on by a consumer that is none of ours.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs';
import { createClickHouse, persons, shownGeneration, type ClickHouse } from '#clickhouse';
import { SchemaCatalog, SOURCE_TOPICS, subjectOf, type SourceKind } from '#contracts';
import { eventually, runGravity, type GravityOutcome } from '#testing';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { KafkaServer } from '../servers/kafka-server.js';
import { describeWithOwnServers, sharedRegistry } from '../servers/servers.js';
import { ServiceProcess } from './service-process.js';

const SLOW_MS = 600_000;
const PATIENT_MS = 180_000;
const BRAND = 'moved';
const PEOPLE = Array.from({ length: 30 }, (_, i) => `a${i}`);
const SERVICES = ['intake', 'relationship', 'archive'];

type Fields = Readonly<Record<string, unknown>>;

describeWithOwnServers('repartitioning on Kafka', () => {
  let root: string;
  let kafka: KafkaServer;
  let registryUrl: string;
  let endpoint: ClickHouseEndpoint;
  let clickhouse: ClickHouse;
  let producer: Producer;
  let consumer: Consumer;
  let client: SchemaRegistry;
  let services: ServiceProcess[] = [];
  /** Tier changes by their place in the topic. */
  const changes = new Map<string, { readonly text: string; readonly version: bigint }>();
  let sent = 0;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'gravity-repartition-'));
    [kafka, registryUrl, endpoint] = await Promise.all([
      KafkaServer.start(),
      sharedRegistry(),
      clickHouseEndpoint(join(root, 'clickhouse')),
    ]);
    const { url, username, password } = endpoint;
    clickhouse = await createClickHouse({ url, username, password });
    client = new SchemaRegistry({ host: registryUrl });
    const plain = new Kafka({ brokers: kafka.brokers, clientId: 'plain', logLevel: logLevel.NOTHING });
    producer = plain.producer({ idempotent: true });
    consumer = plain.consumer({ groupId: 'independent', readUncommitted: false });
    await producer.connect();
  }, SLOW_MS);

  afterAll(async () => {
    for (const service of services) await service.end('SIGKILL');
    await Promise.all([consumer?.disconnect(), producer?.disconnect(), clickhouse?.close()]);
    await Promise.all([kafka?.stop(), endpoint?.close()]);
    rmSync(root, { recursive: true, force: true });
  }, SLOW_MS);

  function servers(): Readonly<Record<string, string>> {
    return {
      KAFKA_BROKERS: kafka.brokers.join(','),
      SCHEMA_REGISTRY_URL: registryUrl,
      CLICKHOUSE_URL: endpoint.url,
      CLICKHOUSE_USER: endpoint.username,
      CLICKHOUSE_PASSWORD: endpoint.password,
    };
  }

  function gravity(...argv: string[]): Promise<GravityOutcome> {
    return runGravity(argv, { HOME: root, ...servers() });
  }

  async function startServices(): Promise<void> {
    services = SERVICES.map(
      (name) =>
        new ServiceProcess(name, {
          ...servers(),
          GRAVITY_DATA_DIR: join(root, name),
          ...(name === 'relationship' ? { GRAVITY_CHECKPOINT: '1s' } : {}),
        }),
    );
    for (const service of services) service.start();
    for (const service of services) await service.ready(PATIENT_MS);
  }

  async function produce(kind: SourceKind, records: readonly Fields[]): Promise<void> {
    const topic = SOURCE_TOPICS[kind];
    const schema = SchemaCatalog.load().current(topic).text;
    const { id } = await client.register({ type: SchemaType.AVRO, schema }, { subject: subjectOf(topic) });
    const messages = [];
    for (const fields of records) {
      sent += 1;
      const now = Date.now();
      const head = { event_id: `${BRAND}-${sent}`, brand: BRAND, occurred_at: now, sent_at: now };
      messages.push({
        key: String(fields['person']),
        value: await client.encode(id, { ...head, ...fields }),
      });
    }
    await producer.send({ topic, messages, acks: -1 });
  }

  const joins = (people: readonly string[]) =>
    produce(
      'relation',
      people.map((person) => ({ person, link: 'MEMBER', on: true, occurred_at: Date.now() - 60_000 })),
    );
  const buys = (people: readonly string[]) =>
    produce(
      'order',
      people.map((person) => {
        const order_id = `${person}-${sent}`;
        return { person, kind: 'PAID', order_id, amount_minor: 1_000, origin: 'LIVE' };
      }),
    );

  async function listen(): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topic: 'tier-changes', fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        if (message.value === null) return;
        const change = (await client.decode(message.value)) as { person: string; scheme_id: string };
        const { person, scheme_id, from_tier, to_tier, version } = change as typeof change & {
          readonly from_tier: number;
          readonly to_tier: number;
          readonly version: string;
        };
        const text = `${person} ${scheme_id} ${from_tier} ${to_tier}`;
        changes.set(`${partition} ${message.offset}`, { text, version: BigInt(version) });
      },
    });
  }

  const texts = (): readonly string[] => [...changes.values()].map(({ text }) => text).sort();
  const count = async (sql: string): Promise<number> => {
    const [row] = await clickhouse.query({ sql, row: (found) => found as { n: string } });
    return Number(row?.n);
  };
  const rowsWithTier = async (tier: number): Promise<number> =>
    (await persons(clickhouse, { brand: BRAND, schemeId: 'rolling:30d', tier, limit: 10_000 })).length;

  /** Asks again and again how many persons there are. @returns ends it, and says what it was answered */
  function watchPersons(): () => Promise<readonly number[]> {
    const found: number[] = [];
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        found.push(
          (await persons(clickhouse, { brand: BRAND, schemeId: 'rolling:30d', limit: 10_000 })).length,
        );
        await sleep(50);
      }
    })();
    return async () => {
      isOver = true;
      await watching;
      return found;
    };
  }

  it(
    'publishes no tier change twice or never, and leaves each touchpoint once',
    async () => {
      const apply = ['topics', 'apply', '--log-partitions', '2', '--source-partitions', '2'];
      expect(await gravity(...apply)).toMatchObject({ code: 0 });
      expect(await gravity('schemas', 'register')).toMatchObject({ code: 0 });
      await startServices();
      await listen();
      await joins(PEOPLE);
      await eventually(() => expect(changes.size).toBe(60), PATIENT_MS);
      await buys(PEOPLE.slice(0, 12));
      await eventually(() => expect(changes.size).toBe(84), PATIENT_MS);
      await eventually(async () => expect(await rowsWithTier(3)).toBe(12), PATIENT_MS);
      // Once a window has an end; before, there is no generation to stay with.
      await eventually(async () => expect(await shownGeneration(clickhouse)).toBe(1), PATIENT_MS);

      expect(await gravity('repartition', '--partitions', '3')).toMatchObject({
        ...{ code: 1, out: '' },
        err: expect.stringMatching(/group intake has \d members: stop intake, relationship and archive/),
      });
      for (const service of services) expect(await service.end('SIGTERM')).toBe(0);
      // Nobody takes these in before the log has moved.
      await buys(PEOPLE.slice(12, 20));
      const before = texts();
      const done = await gravity('repartition', '--partitions', '3');
      expect(done).toMatchObject({ code: 0 });
      expect(done.err).toMatch(
        /relationship-log, 2 partitions, .* copied into relationship-log\.g2, 3 partitions/,
      );
      const again = await gravity(...apply);
      expect(again.out).not.toMatch(/ (create|alter) /);
      expect(again.out).toMatch(/relationship-log\.g2 +none/);

      // Readers stay with the figures of before until the new log is folded.
      expect(await shownGeneration(clickhouse)).toBe(1);
      const watch = watchPersons();
      await startServices();
      await joins(['b0', 'b1', 'b2', 'b3', 'b4', 'b5']);
      await buys(PEOPLE.slice(20, 25));
      const news = 2 * (8 + 6 + 5);
      await eventually(() => expect(changes.size).toBe(before.length + news), PATIENT_MS);
      await eventually(async () => {
        expect(await rowsWithTier(2)).toBe(5 + 6);
        expect(await rowsWithTier(3)).toBe(12 + 8 + 5);
        const partitions = 'SELECT uniqExact(partition) AS n FROM gravity.persons WHERE generation = 2';
        expect(await count(partitions)).toBe(3);
        expect(await count('SELECT count() AS n FROM gravity.touchpoints FINAL')).toBe(sent);
        // Raw facts of before are those of the new log now.
        const former = 'SELECT countIf(version < 2 * exp2(48)) AS n FROM gravity.touchpoints FINAL';
        expect(await count(former)).toBe(0);
        expect(await count('SELECT count() AS n FROM gravity.tier_changes FINAL')).toBe(changes.size);
      }, PATIENT_MS);
      expect(Math.min(...(await watch()))).toBe(PEOPLE.length);
      expect(await shownGeneration(clickhouse)).toBe(2);
      expect(new Set(texts()).size).toBe(changes.size);
      const late = [...changes.values()].filter(({ version }) => version >= 2n * 2n ** 48n);
      expect(late).toHaveLength(news);
      const tiers = await gravity('tiers', '--brand', BRAND, '--format', 'json');
      expect(JSON.parse(tiers.out)).toHaveLength(36);
    },
    SLOW_MS,
  );
});

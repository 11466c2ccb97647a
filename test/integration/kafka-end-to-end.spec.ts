/**
 * The microservices as processes of their own on real Kafka, a real registry and ClickHouse over HTTP. Records come
 * from a plain kafkajs producer with the registry's own client; tier changes are read back by a plain
 * kafkajs consumer as they come, and at the end by Apache Kafka's own console consumer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs';
import { createClickHouse, persons, type ClickHouse } from '#clickhouse';
import { SchemaCatalog, SOURCE_TOPICS, subjectOf, type SourceKind } from '#contracts';
import { eventually, runGravity } from '#testing';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { KafkaServer } from '../servers/kafka-server.js';
import { describeWithOwnServers, sharedRegistry } from '../servers/servers.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { ServiceProcess } from './service-process.js';

const SLOW_MS = 300_000;
const PATIENT_MS = 120_000;
const BRAND = `e2e-${process.pid}`;
const DAY_MS = 86_400_000;

/** A tier change as its topic has it. */
interface Change {
  /** Partition and offset. */
  readonly place: string;
  readonly person: string;
  readonly scheme_id: string;
  readonly period_id: string;
  readonly from_tier: number;
  readonly to_tier: number;
  readonly version: string;
}

type Fields = Readonly<Record<string, unknown>>;

describeWithOwnServers('the microservices on Kafka', () => {
  let root: string;
  let kafka: KafkaServer;
  let registryUrl: string;
  let registry: TcpProxy;
  let endpoint: ClickHouseEndpoint;
  let database: TcpProxy;
  let clickhouse: ClickHouse;
  let producer: Producer;
  let consumer: Consumer;
  let client: SchemaRegistry;
  const schemaIds = new Map<string, number>();
  let changes: Change[] = [];
  /** A consumer may be given a record again; what counts is what stands in the topic. */
  const places = new Set<string>();
  const services: ServiceProcess[] = [];
  let sent = 0;
  let stepsDone = 0;
  const steps: string[] = [];

  /** Each step stands on those before it; without them it would only wait in vain. */
  const step = (title: string, work: () => Promise<void>): void => {
    it(
      title,
      async () => {
        const nth = steps.indexOf(title);
        if (stepsDone < nth) throw new Error(`"${steps[stepsDone]}" has failed`);
        await work();
        stepsDone = nth + 1;
      },
      SLOW_MS,
    );
    steps.push(title);
  };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'gravity-e2e-'));
    [kafka, registryUrl, endpoint] = await Promise.all([
      KafkaServer.start(),
      sharedRegistry(),
      clickHouseEndpoint(join(root, 'clickhouse')),
    ]);
    registry = await TcpProxy.before(registryUrl);
    database = await TcpProxy.before(endpoint.url);
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
    await Promise.all([consumer?.disconnect(), producer?.disconnect()]);
    await Promise.all([registry?.close(), database?.close(), clickhouse?.close()]);
    await Promise.all([kafka?.stop(), endpoint?.close()]);
    rmSync(root, { recursive: true, force: true });
  }, SLOW_MS);

  const service = (name: string): ServiceProcess => {
    const found = services.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  };

  /** A schema text of ours, registered by the plain client under the topic's subject. */
  async function schemaId(kind: SourceKind, extra: readonly object[] = []): Promise<number> {
    const key = `${kind} ${JSON.stringify(extra)}`;
    const known = schemaIds.get(key);
    if (known !== undefined) return known;
    const topic = SOURCE_TOPICS[kind];
    const schema = JSON.parse(SchemaCatalog.load().current(topic).text) as { fields: object[] };
    schema.fields.push(...extra);
    const registered = { type: SchemaType.AVRO, schema: JSON.stringify(schema) } as const;
    const { id } = await client.register(registered, { subject: subjectOf(topic) });
    schemaIds.set(key, id);
    return id;
  }

  async function produce(kind: SourceKind, records: readonly Fields[], id?: number): Promise<void> {
    const known = id ?? (await schemaId(kind));
    const messages = [];
    for (const fields of records) {
      sent += 1;
      const now = Date.now();
      const head = { event_id: `${BRAND}-${sent}`, brand: BRAND, occurred_at: now, sent_at: now };
      const value = await client.encode(known, { ...head, ...fields });
      messages.push({ key: String(fields['person']), value });
    }
    await producer.send({ topic: SOURCE_TOPICS[kind], messages, acks: -1 });
  }

  const joins = (people: readonly string[]) =>
    produce(
      'relation',
      people.map((person) => ({ person, link: 'MEMBER', on: true, occurred_at: Date.now() - 60_000 })),
    );
  const buys = (people: readonly string[], daysAgo = 0, id?: number) => {
    const occurred_at = Date.now() - daysAgo * DAY_MS;
    // Recorded days are taken as they are; live ones would be put right by the clock.
    const origin = daysAgo === 0 ? 'LIVE' : 'REPLAY';
    const order = (person: string) => `${person}-${daysAgo}-${sent}`;
    return produce(
      'order',
      people.map((person) => ({
        person,
        kind: 'PAID',
        order_id: order(person),
        amount_minor: 1_000,
        occurred_at,
        origin,
      })),
      id,
    );
  };

  const transitions = (schemeId = 'rolling:30d') => changes.filter(({ scheme_id }) => scheme_id === schemeId);
  const count = async (sql: string): Promise<number> => {
    const [row] = await clickhouse.query({ sql, row: (found) => found as { n: string } });
    return Number(row?.n);
  };
  const rowsWithTier = async (tier: number): Promise<number> =>
    (await persons(clickhouse, { brand: BRAND, schemeId: 'rolling:30d', tier, limit: 10_000 })).length;

  step('are set up by `gravity`, twice without a difference', async () => {
    const env = {
      HOME: root,
      KAFKA_BROKERS: kafka.brokers.join(','),
      SCHEMA_REGISTRY_URL: registryUrl,
    };
    const apply = ['topics', 'apply', '--log-partitions', '3', '--source-partitions', '2'];
    expect(await runGravity(apply, env)).toMatchObject({ code: 0 });
    expect((await runGravity(apply, env)).out).not.toMatch(/ (create|alter|conflict) /);
    expect(await runGravity(['schemas', 'register'], env)).toMatchObject({ code: 0 });
  });

  step('wait for a registry and a ClickHouse that are away at the start, and say so', async () => {
    registry.down();
    database.down();
    for (const name of ['intake', 'relationship', 'archive']) {
      const one = new ServiceProcess(name, {
        KAFKA_BROKERS: kafka.brokers.join(','),
        SCHEMA_REGISTRY_URL: registry.url,
        CLICKHOUSE_URL: database.url,
        CLICKHOUSE_USER: endpoint.username,
        CLICKHOUSE_PASSWORD: endpoint.password,
        GRAVITY_DATA_DIR: join(root, name),
        ...(name === 'relationship' ? { GRAVITY_CHECKPOINT: '1s' } : {}),
      });
      services.push(one);
      one.start();
    }
    for (const one of services) await one.notReady(/waiting for schema registry/, PATIENT_MS);
    registry.up();
    for (const one of services) await one.notReady(/waiting for clickhouse/, PATIENT_MS);
    database.up();
    for (const one of services) await one.ready(PATIENT_MS);
    await consumer.connect();
    await consumer.subscribe({ topic: 'tier-changes', fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        const place = `${partition} ${message.offset}`;
        if (message.value === null || places.has(place)) return;
        const change = (await client.decode(message.value)) as Omit<Change, 'place'>;
        places.add(place);
        changes.push({ place, ...change });
      },
    });
  });

  step('make tiers, rows and dead letters of what a plain producer sends', async () => {
    const people = Array.from({ length: 20 }, (_, i) => `a${i}`);
    await joins(people);
    await eventually(
      () => expect(transitions().filter(({ to_tier }) => to_tier === 2)).toHaveLength(20),
      PATIENT_MS,
    );
    await buys(people.slice(0, 12));
    // Members who bought on a day before they joined did not buy as members.
    await buys(people.slice(0, 5), 3);
    await producer.send({
      topic: SOURCE_TOPICS.order,
      messages: [
        { key: 'bad', value: 'no Avro at all' },
        { key: 'bad', value: Buffer.of(0, 0, 0, 0) },
      ],
    });
    await produce('order', [{ person: 'a0', kind: 'PAID', order_id: 'minus', amount_minor: -5 }]);
    await eventually(
      () => expect(transitions().filter(({ to_tier }) => to_tier === 3)).toHaveLength(12),
      PATIENT_MS,
    );
    await eventually(async () => {
      expect(await rowsWithTier(2)).toBe(8);
      expect(await rowsWithTier(3)).toBe(12);
      expect(await count('SELECT count() AS n FROM gravity.dead_letters FINAL')).toBe(3);
      expect(await count('SELECT uniqExact(event_id) AS n FROM gravity.touchpoints')).toBe(37);
      expect(await count('SELECT count() AS n FROM gravity.tier_changes FINAL')).toBe(changes.length);
    }, PATIENT_MS);
    const reasons = await clickhouse.query({
      sql: 'SELECT reason FROM gravity.dead_letters FINAL ORDER BY reason',
      row: (found) => (found as { reason: string }).reason,
    });
    expect(reasons).toEqual(['NEGATIVE_AMOUNT', 'TRUNCATED', 'UNFRAMED']);
    // A pseudonym may begin with any letter; none is as short as a name.
    expect(await count(`SELECT countIf(match(person, '^a[0-9]+$')) AS n FROM gravity.touchpoints`)).toBe(0);
  });

  step('move time on while nothing happens', async () => {
    await eventually(async () => {
      expect(
        await count("SELECT uniqExact(partition) AS n FROM gravity.window_heartbeats WHERE window = '5m'"),
      ).toBe(3);
    }, PATIENT_MS);
    const newest = () =>
      count(
        "SELECT toUnixTimestamp64Milli(min(newest)) AS n FROM (SELECT max(end) AS newest FROM gravity.window_heartbeats WHERE window = '5m' GROUP BY partition)",
      );
    const before = await newest();
    await eventually(async () => expect(await newest()).toBeGreaterThan(before), PATIENT_MS);
  });

  step('publish tier changes while ClickHouse is away, and catch up when it is back', async () => {
    const stored = await count('SELECT count() AS n FROM gravity.tier_changes FINAL');
    database.down();
    const people = Array.from({ length: 10 }, (_, i) => `b${i}`);
    await joins(people);
    await eventually(
      () => expect(transitions().filter(({ to_tier }) => to_tier === 2)).toHaveLength(30),
      PATIENT_MS,
    );
    await service('relationship').notReady(/waiting for clickhouse/, PATIENT_MS);
    await service('archive').notReady(/waiting for clickhouse/, PATIENT_MS);
    database.up();
    for (const one of services) await one.ready(PATIENT_MS);
    await eventually(async () => {
      expect(await rowsWithTier(2)).toBe(18);
      expect(await count('SELECT count() AS n FROM gravity.tier_changes FINAL')).toBe(stored + 20);
    }, PATIENT_MS);
  });

  step('wait for a registry that is away in the middle, and lose nothing', async () => {
    const id = await schemaId('order', [{ name: 'note', type: ['null', 'string'], default: null }]);
    registry.down();
    await buys(['b0', 'b1'], 0, id);
    await service('intake').notReady(/waiting for schema registry/, PATIENT_MS);
    expect(service('intake').isRunning).toBe(true);
    registry.up();
    await service('intake').ready(PATIENT_MS);
    await eventually(
      () => expect(transitions().filter(({ to_tier }) => to_tier === 3)).toHaveLength(14),
      PATIENT_MS,
    );
    expect(await count('SELECT count() AS n FROM gravity.dead_letters FINAL')).toBe(3);
  });

  step('publish each tier change once, though the fold is killed in the middle', async () => {
    const people = Array.from({ length: 1_500 }, (_, i) => `c${i}`);
    const before = transitions().length;
    const buyers = () => transitions().filter(({ to_tier }) => to_tier === 3);
    for (let from = 0; from < people.length; from += 250) {
      await joins(people.slice(from, from + 250));
      await buys(people.slice(from, from + 250));
      if (from === 500)
        await eventually(() => expect(transitions().length).toBeGreaterThan(before + 20), PATIENT_MS);
      if (from === 500) await service('relationship').end('SIGKILL');
      if (from === 1_000) service('relationship').start();
    }
    await service('relationship').ready(PATIENT_MS);
    await eventually(() => expect(buyers().length).toBeGreaterThanOrEqual(1_514), PATIENT_MS);
    await eventually(async () => expect(await rowsWithTier(3)).toBe(1_514), PATIENT_MS);
    // kafkajs now and then hands out records of the transaction that the kill has cut off; the Java client never does.
    const committed = new Set(await kafka.committedPlaces('tier-changes'));
    await eventually(
      () => expect([...committed].filter((place) => !places.has(place))).toEqual([]),
      PATIENT_MS,
    );
    changes = changes.filter(({ place }) => committed.has(place));
    expect(changes).toHaveLength(committed.size);
    // Nothing twice, and each change begins where the one before has ended.
    const ids = changes.map(
      ({ person, scheme_id, period_id, version }) => `${person} ${scheme_id} ${period_id} ${version}`,
    );
    expect(new Set(ids).size).toBe(changes.length);
    expect(buyers()).toHaveLength(1_514);
    const last = new Map<string, number>();
    const wrong = changes.filter(({ person, scheme_id, from_tier, to_tier }) => {
      const key = `${scheme_id} ${person}`;
      const before = last.get(key) ?? 0;
      last.set(key, to_tier);
      return from_tier !== before;
    });
    expect(wrong).toEqual([]);
  });

  step('end cleanly when they are told to, and go on from where they were', async () => {
    const codes = await Promise.all(services.map((one) => one.end('SIGTERM')));
    expect(codes).toEqual([0, 0, 0]);
    const before = changes.length;
    await buys(['b2']);
    for (const one of services) one.start();
    for (const one of services) await one.ready(PATIENT_MS);
    await eventually(() => expect(changes.length).toBe(before + 2), PATIENT_MS);
    await eventually(async () => expect(await rowsWithTier(3)).toBe(1_515), PATIENT_MS);
  });

  step('stop a topic of which too much is rejected, and no other; let it pass when told to', async () => {
    const intake = service('intake');
    await intake.end('SIGTERM');
    const env = { ...intake.env, GRAVITY_BREAKER_RECORDS: '20', GRAVITY_BREAKER_RETRY: '1s' };
    const careful = new ServiceProcess('intake', env);
    services.push(careful);
    careful.start();
    await careful.ready(PATIENT_MS);
    const letters = 'SELECT count() AS n FROM gravity.dead_letters FINAL';
    const before = await count(letters);
    const orders = Array.from({ length: 60 }, (_, i) => {
      return { person: 'b3', kind: 'PAID', order_id: `minus-${i}`, amount_minor: -5 };
    });
    await produce('order', orders);
    await careful.notReady(/touchpoint\.order is stopped since .*: 60 of 60/, PATIENT_MS);
    expect(await careful.metric('gravity_held_records')).toMatch(/topic="touchpoint\.order"} 60$/m);
    // What stands behind the rejected ones waits with them; the other topics do not.
    await buys(['b3']);
    const members = () => transitions().filter(({ to_tier }) => to_tier === 2).length;
    const membersBefore = members();
    await joins(['d0', 'd1']);
    await eventually(() => expect(members()).toBe(membersBefore + 2), PATIENT_MS);
    expect(await count(letters)).toBe(before);
    expect(await rowsWithTier(3)).toBe(1_515);

    await careful.end('SIGTERM');
    const told = new ServiceProcess('intake', { ...env, GRAVITY_BREAKER_EXEMPT_TOPICS: 'touchpoint.order' });
    services.push(told);
    told.start();
    await told.ready(PATIENT_MS);
    await eventually(async () => {
      expect(await count(letters)).toBe(before + 60);
      expect(await rowsWithTier(3)).toBe(1_516);
    }, PATIENT_MS);
    expect(await told.end('SIGTERM')).toBe(0);
  });
});

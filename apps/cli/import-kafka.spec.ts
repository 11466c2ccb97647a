/** `gravity import` beside the running services, on a real broker and a real registry. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfluentSchemaRegistry, SchemaCatalog, SOURCE_TOPICS, openCodecs, type Codecs } from '#contracts';
import type { LogEntry, SourceTouchpoint, TierChanged } from '#domain';
import { KafkaLog } from '#kafka';
import { TOPICS } from '#pipeline';
import { eventually, GravityHost, type GravityOutcome } from '#testing';
import { sourceJoin, sourceOrder } from '../../libs/testing/source-kit.js';
import { ServiceProcess } from '../../test/integration/service-process.js';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../../test/servers/clickhouse-facade.js';
import { KafkaServer } from '../../test/servers/kafka-server.js';
import { describeWithOwnServers, sharedRegistry } from '../../test/servers/servers.js';
import { timeOfAll } from '../simulator/recorded/replay-log.js';

const SLOW_MS = 300_000;
const PATIENT_MS = 120_000;
const ROWS = 3_000;
const PERSONS = 100;

describeWithOwnServers('gravity import on Kafka', () => {
  const host = new GravityHost();
  let root: string;
  let kafka: KafkaServer;
  let registryUrl: string;
  let endpoint: ClickHouseEndpoint;
  let log: KafkaLog;
  let codecs: Codecs;
  let file: string;
  const services: ServiceProcess[] = [];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'gravity-import-kafka-'));
    [kafka, registryUrl, endpoint] = await Promise.all([
      KafkaServer.start(),
      sharedRegistry(),
      clickHouseEndpoint(join(root, 'clickhouse')),
    ]);
    log = new KafkaLog({ brokers: kafka.brokers, clientId: 'spec' });
    const from = Date.now() - 800 * 86_400_000;
    const rows = Array.from({ length: ROWS }, (_, index) => {
      const at = new Date(from + index * 6 * 3_600_000).toISOString();
      // The first ten are members by live traffic; the amounts tell the orders apart.
      return `m${index % PERSONS},${at},${index + 1},o${index}\n`;
    });
    file = join(root, 'orders.csv');
    writeFileSync(file, `person,time,amount,order\n${rows.join('')}m0,1970-01-02,5,bad\n`);
    for (const argv of [
      ['topics', 'apply', '--log-partitions', '2', '--source-partitions', '1'],
      ['schemas', 'register'],
    ]) {
      expect(await gravity(argv)).toMatchObject({ code: 0 });
    }
    const registered = { url: registryUrl, auth: null, register: true, timeoutMs: 10_000 };
    codecs = await openCodecs(new ConfluentSchemaRegistry(registered), SchemaCatalog.load());
  }, SLOW_MS);

  afterAll(async () => {
    await host.stop();
    for (const service of services) await service.end('SIGKILL');
    await log?.close();
    await Promise.all([kafka?.stop(), endpoint?.close()]);
    rmSync(root, { recursive: true, force: true });
  }, SLOW_MS);

  const servers = (): Record<string, string> => ({
    KAFKA_BROKERS: kafka.brokers.join(','),
    SCHEMA_REGISTRY_URL: registryUrl,
  });
  const gravity = (argv: readonly string[]): Promise<GravityOutcome> =>
    host.run(argv, { HOME: root, ...servers() });
  const importFile = (...more: readonly string[]): Promise<GravityOutcome> =>
    gravity([
      ...['import', file, '--data-dir', join(root, 'cli'), '--order', 'order', '--brand', 'shop'],
      ...['--time-zone', 'UTC', '--summary', 'json', ...more],
    ]);

  async function values(topic: string): Promise<readonly Buffer[]> {
    const found: Buffer[] = [];
    for (const { partition, start } of await log.ends(topic)) {
      for await (const { records } of log.read({ topic, partition }, start)) {
        for (const { value } of records) if (value !== null) found.push(Buffer.from(value));
      }
    }
    return found;
  }
  const changes = async (): Promise<readonly TierChanged[]> =>
    (await values(TOPICS.tierChanges)).map((value) => codecs.tierChanged.decode(value));
  const entries = async (): Promise<readonly LogEntry[]> =>
    (await values(TOPICS.relationshipLog)).map((value) => codecs.log.decode(value));

  async function produce(events: readonly SourceTouchpoint[]): Promise<void> {
    await log.append(
      events.map((event) => ({
        ...{ topic: SOURCE_TOPICS[event.type], partition: 0, key: event.person },
        value: codecs.sourceEncoder.encode(event),
      })),
    );
  }
  const head = (person: string) => ({ person, brand: 'shop', occurredAt: Date.now() });
  /** Live changes of the default scheme, published so far. */
  const risenLive = async (): Promise<number> =>
    (await changes()).filter(({ cause, schemeId }) => cause === 'EVENT' && schemeId === 'rolling:30d').length;

  it(
    'is refused by a log in which no time has passed, and with a key or a currency that are not those of intake',
    async () => {
      const early = await importFile();
      expect(early).toMatchObject({ code: 1, out: '' });
      expect(early.err).toContain('no time has passed in this log yet');
      const ends = await log.ends(SOURCE_TOPICS.order);
      expect(ends.map(({ end }) => end)).toEqual([0]);
      expect(await importFile('--pseudonymise', join(root, 'a.key'))).toMatchObject({ code: 2 });
      expect(await importFile('--currency', 'EUR')).toMatchObject({ code: 2 });
    },
    SLOW_MS,
  );

  it(
    'goes on beside live traffic, which it neither stops nor is taken for',
    async () => {
      for (const name of ['intake', 'relationship', 'archive']) {
        const service = new ServiceProcess(name, {
          ...servers(),
          CLICKHOUSE_URL: endpoint.url,
          CLICKHOUSE_USER: endpoint.username,
          CLICKHOUSE_PASSWORD: endpoint.password,
          GRAVITY_DATA_DIR: join(root, name),
        });
        services.push(service);
        service.start();
      }
      for (const service of services) await service.ready(PATIENT_MS);
      const members = Array.from({ length: 10 }, (_, index) => `m${index}`);
      await produce(members.map((person) => sourceJoin(head(person))));
      await eventually(async () => expect(await risenLive()).toBe(10), PATIENT_MS);
      await eventually(async () => expect(await timeOfAll(log, codecs.log)).not.toBeNull(), PATIENT_MS);

      const ended: GravityOutcome[] = [];
      const running = importFile('--rate', '200').then((outcome) => ended.push(outcome));
      await eventually(async () => {
        expect((await entries()).some((entry) => 'origin' in entry && entry.origin === 'BACKFILL')).toBe(
          true,
        );
      }, PATIENT_MS);
      let rounds = 0;
      while (ended.length === 0 && rounds < 4) {
        const before = await risenLive();
        await produce([sourceJoin(head(`new${rounds}`))]);
        await eventually(async () => expect(await risenLive()).toBe(before + 1), PATIENT_MS);
        if (ended.length === 0) rounds += 1;
      }
      expect(rounds).toBeGreaterThanOrEqual(2);
      await running;
      expect(ended[0]).toMatchObject({ code: 0 });
      expect(JSON.parse(ended[0]?.out ?? '')).toMatchObject({
        ...{ status: 'imported', rows_read: ROWS + 1, accepted: ROWS, persons: PERSONS, brand: null },
        rejected: { TIME_TOO_EARLY: { count: 1, rows: [`orders.csv#${ROWS + 2}`] } },
      });

      const imported = (await entries()).filter((entry) => 'origin' in entry && entry.origin === 'BACKFILL');
      const ids = imported.map((entry) => ('eventId' in entry ? entry.eventId : ''));
      expect([ids.length, new Set(ids).size]).toEqual([ROWS + PERSONS, ROWS + PERSONS]);
      // One change a person and scheme, from nothing to member; those who were members live are told nothing.
      const restated = (await changes()).filter(({ cause }) => cause === 'RESTATE');
      expect(restated.filter(({ from, to }) => from !== 0 || to !== 2)).toEqual([]);
      expect(restated).toHaveLength(2 * (PERSONS - 10));
      expect(new Set((await changes()).map(({ cause }) => cause))).toEqual(new Set(['EVENT', 'RESTATE']));
      expect(await values(TOPICS.deadLetters)).toEqual([]);
    },
    SLOW_MS,
  );

  it(
    'has moved no time, stopped none, and changes nothing the second time',
    async () => {
      const time = (await timeOfAll(log, codecs.log)) ?? Infinity;
      // Behind the marks of its transactions the source partitions are read to their ends all the same.
      await eventually(
        async () => expect(await timeOfAll(log, codecs.log)).toBeGreaterThan(time),
        PATIENT_MS,
      );
      const before = (await entries()).length;
      const again = await importFile();
      expect(again).toMatchObject({ code: 0 });
      expect(JSON.parse(again.out)).toMatchObject({ status: 'unchanged', accepted: ROWS });
      const after = (await entries()).slice(before);
      expect(after.filter((entry) => 'origin' in entry)).toEqual([]);

      // Of years ago and of now: one person.
      const at = Date.now();
      await produce([sourceOrder({ ...head('m3'), occurredAt: at, orderId: 'live', amountMinor: 700 })]);
      interface Row {
        readonly tier: number;
        readonly orders: number;
      }
      const persons = async (): Promise<readonly Row[]> =>
        JSON.parse((await gravity(['tiers', '--brand', 'shop', '--format', 'json'])).out) as readonly Row[];
      await eventually(async () => {
        expect((await persons()).filter(({ tier }) => tier === 3)).toMatchObject([
          { orders: ROWS / PERSONS + 1 },
        ]);
      }, PATIENT_MS);
      expect((await persons()).reduce((sum, { orders }) => sum + orders, 0)).toBe(ROWS + 1);
    },
    SLOW_MS,
  );
});

/** The command against a real broker and a real registry. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaServer } from '../../test/servers/kafka-server.js';
import { RegistryServer } from '../../test/servers/registry-server.js';
import { describeWithOwnServers } from '../../test/servers/servers.js';
import { ConfluentSchemaRegistry, SchemaCatalog, openCodecs } from '#contracts';
import { KafkaLog } from '#kafka';
import { pseudonymisation } from '../intake/judgement-settings.js';
import { refuseOrders } from '../../test/integration/refuse-orders.js';
import { GravityHost, runGravity, type GravityOutcome } from '#testing';

const SLOW_MS = 240_000;

describeWithOwnServers('gravity on Kafka', () => {
  const host = new GravityHost();
  let root: string;
  let kafka: KafkaServer;
  let registry: RegistryServer;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'gravity-kafka-'));
    [kafka, registry] = await Promise.all([KafkaServer.start(), RegistryServer.start()]);
  }, SLOW_MS);
  afterAll(async () => {
    await host.stop();
    await Promise.all([kafka.stop(), registry.stop()]);
    rmSync(root, { recursive: true, force: true });
  }, SLOW_MS);

  function onKafka(...argv: string[]): Promise<GravityOutcome> {
    const servers = { KAFKA_BROKERS: kafka.brokers.join(','), SCHEMA_REGISTRY_URL: registry.url };
    return host.run(argv, { HOME: root, ...servers });
  }

  it(
    'sets up topics and schemas, twice without a difference',
    async () => {
      const plan = await onKafka('topics', 'apply', '--dry-run', '--log-partitions', '3');
      expect(plan).toMatchObject({ code: 0 });
      expect(plan.out).toMatch(/relationship-log +create/);
      expect((await onKafka('topics', 'apply', '--log-partitions', '3')).out).toMatch(
        /relationship-log +create/,
      );
      const again = await onKafka('topics', 'apply', '--log-partitions', '3');
      expect(again).toMatchObject({ code: 0 });
      expect(again.out).not.toMatch(/ (create|alter|conflict) /);

      expect((await onKafka('schemas', 'check')).out).toMatch(/relationship-log-value +1 +new/);
      expect(await onKafka('schemas', 'register')).toMatchObject({ code: 0 });
      const checked = await onKafka('schemas', 'check');
      expect(checked.out).toMatch(/relationship-log-value +1 +registered/);
      expect(checked.out).not.toContain(' new ');
    },
    SLOW_MS,
  );

  it(
    'replays to the same tiers as on the embedded log',
    async () => {
      const rows = Array.from({ length: 3_000 }, (_, index) => {
        const at = Date.UTC(2024, 0, 1) + ((index * 7_919) % 3_000) * 900_000;
        return `p${(index * 31) % 170},${new Date(at).toISOString()},${index % 9 === 0 ? -5 : index % 100}\n`;
      });
      const path = join(root, 'rows.csv');
      writeFileSync(path, `person,time,amount\n${rows.join('')}`);
      const options = ['--time-zone', 'UTC', '--summary', 'json', '--fine-hours', '1'];
      const replayed = await onKafka(
        'replay',
        path,
        '--data-dir',
        join(root, 'kafka'),
        '--fold-here',
        ...options,
      );
      const embedded = await host.run(['replay', path, '--data-dir', join(root, 'embedded'), ...options], {
        HOME: root,
      });
      for (const outcome of [replayed, embedded]) {
        expect(outcome.err).not.toContain('gravity:');
        expect(outcome.code).toBe(0);
      }
      const [left, right] = [replayed, embedded].map(({ out }): unknown => JSON.parse(out));
      expect(left).toEqual({ ...Object(right), wall_seconds: expect.anything() });
      const again = await onKafka(
        'replay',
        path,
        '--data-dir',
        join(root, 'kafka'),
        '--fold-here',
        ...options,
      );
      expect(JSON.parse(again.out)).toMatchObject({ status: 'unchanged', accepted: 3_000 });

      const tiers = await onKafka('tiers', '--at', '2024-01-20', '--scheme', 'calendar:month');
      expect(tiers.out.split('\n')).toHaveLength(172);
      const expected = [
        'tiers',
        '--data-dir',
        join(root, 'embedded'),
        '--at',
        '2024-01-20',
        '--scheme',
        'calendar:month',
      ];
      expect(tiers.out).toBe((await host.run(expected, { HOME: root })).out);
    },
    SLOW_MS,
  );

  it(
    'replays dead letters with the key of intake, and once',
    async () => {
      const pseudonymKeyFile = join(root, 'intake.key');
      const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'spec' });
      try {
        const registered = new ConfluentSchemaRegistry({
          ...{ url: registry.url, auth: null, register: true, timeoutMs: 10_000 },
        });
        const codecs = await openCodecs(registered, SchemaCatalog.load());
        const settings = {
          pseudonymKeyFile,
          dataDir: root,
          earliestEvent: 0,
          futureMaxMs: 0,
          currency: 'CNY',
        };
        const pseudonymise = pseudonymisation(settings);
        const at = Date.UTC(2024, 0, 10);
        await refuseOrders({ log, codecs, pseudonymise, persons: ['ann', 'bob'], at });
      } finally {
        await log.close();
      }
      const servers = { KAFKA_BROKERS: kafka.brokers.join(','), SCHEMA_REGISTRY_URL: registry.url };
      const fixed = { HOME: root, ...servers, GRAVITY_CURRENCY: 'EUR' };
      const replay = ['dead-letters', 'replay', '--reason', 'WRONG_CURRENCY'];
      const keyless = await host.run(replay, fixed);
      expect(keyless).toMatchObject({ code: 2, err: expect.stringContaining('GRAVITY_PSEUDONYM_KEY_FILE') });
      const keyed = { ...fixed, GRAVITY_PSEUDONYM_KEY_FILE: pseudonymKeyFile };
      const listed = await host.run(['dead-letters', 'list', '--format', 'json'], keyed);
      expect(JSON.parse(listed.out)).toHaveLength(3);
      // In a process of its own, as users have it.
      expect(await runGravity(replay, keyed)).toMatchObject({
        code: 0,
        err: expect.stringContaining('2 replayed, 0 known'),
      });
      expect(await host.run(replay, keyed)).toMatchObject({
        code: 0,
        err: expect.stringContaining('0 replayed, 2 known'),
      });
      const tiers = await onKafka('tiers', '--brand', 'shop', '--format', 'json');
      expect(JSON.parse(tiers.out)).toMatchObject([
        { orders: 1, own_value_minor: 700 },
        { orders: 1, own_value_minor: 700 },
      ]);
    },
    SLOW_MS,
  );
});

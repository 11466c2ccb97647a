/** The console as a process of its own: figures from ClickHouse over HTTP, tier changes from Kafka. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ClickHouseFigureSink, createClickHouse, type ClickHouse } from '#clickhouse';
import { ConfluentSchemaRegistry, SchemaCatalog, TierChangedCodec, topicSpecs } from '#contracts';
import { KafkaLog } from '#kafka';
import { partitionOf, TOPICS } from '#pipeline';
import { eventually, TempDir } from '#testing';
import { EventReader } from '../../apps/console/spec-support/event-reader.js';
import { BRAND, change, figureRows } from '../../apps/console/spec-support/stored-figures.js';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { describeWithServers } from '../servers/servers.js';
import { uniqueName } from '../servers/unique-name.js';
import { ServiceProcess } from './service-process.js';

const SLOW_MS = 180_000;
const PARTITIONS = 2;

await describeWithServers('the console on Kafka', ({ brokers, registryUrl }) => {
  const directory = new TempDir('console-on-kafka');
  let log: KafkaLog;
  let codec: TierChangedCodec;
  let endpoint: ClickHouseEndpoint;
  let clickhouse: ClickHouse;
  let service: ServiceProcess;

  beforeAll(async () => {
    const registry = new ConfluentSchemaRegistry({
      ...{ url: registryUrl, auth: null, register: true, timeoutMs: 10_000 },
    });
    codec = await TierChangedCodec.open(registry, SchemaCatalog.load());
    log = new KafkaLog({ brokers: [...brokers], clientId: uniqueName('console') });
    await log.applyTopics(topicSpecs({ relationshipLogPartitions: PARTITIONS }), false);
    endpoint = await clickHouseEndpoint(directory.join('clickhouse'));
    const { url, username, password } = endpoint;
    clickhouse = await createClickHouse({ url, username, password });
    service = new ServiceProcess('console', {
      ...{
        KAFKA_BROKERS: brokers.join(','),
        SCHEMA_REGISTRY_URL: registryUrl,
        GRAVITY_FIGURES_EVERY: '100ms',
      },
      ...{ CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password },
      GRAVITY_DATA_DIR: directory.join('data'),
    });
    service.start();
  }, SLOW_MS);

  afterAll(async () => {
    await service?.end('SIGKILL');
    await Promise.all([log?.close(), clickhouse?.close()]);
    await endpoint?.close();
    directory.remove();
  }, SLOW_MS);

  async function publish(person: string): Promise<void> {
    const { key, value } = codec.encode(change(person, 1));
    const topic = TOPICS.tierChanges;
    const partitions = (await log.ends(topic)).length;
    await log.append([{ topic, partition: partitionOf(key, partitions), key, value }]);
  }

  it(
    'tells pages the figures and, as they are published, the tier changes',
    async () => {
      await service.ready(SLOW_MS);
      const url = /"url":"([^"]+)"/.exec(service.lines.join('\n'))?.[1] ?? '';
      await new ClickHouseFigureSink(clickhouse).write(figureRows(10));
      const figures = await eventually(async () => {
        const response = await fetch(`${url}/api/v1/figures?brand=${encodeURIComponent(BRAND)}`);
        expect(response.status).toBe(200);
        return await response.json();
      });
      expect(figures).toMatchObject({ visitors: 10, stamp: { partitions_reporting: 2, status: 'closed' } });
      const status: unknown = await (await fetch(`${url}/api/v1/status`)).json();
      expect(status).toMatchObject({ ready: true, log: { partitions: { length: PARTITIONS } } });

      const page = await EventReader.open(
        `${url}/api/v1/events?brand=${encodeURIComponent(BRAND)}&window=5m`,
      );
      await page.next('figures');
      const person = uniqueName('p');
      await publish(person);
      const isOurs = (data: unknown): boolean => JSON.stringify(data).includes(person);
      expect((await page.next('tier-changes', isOurs)).data).toMatchObject({ skipped: 0 });

      const ended = page.next('bye');
      expect(await service.end('SIGTERM')).toBe(0);
      await ended;
    },
    SLOW_MS,
  );
});

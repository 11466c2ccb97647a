import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '#runtime';
import { breakerSettings } from './breaker-settings.js';
import { intakeConfig } from './config.js';

const SERVERS = {
  KAFKA_BROKERS: '127.0.0.1:9092',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081',
  CLICKHOUSE_URL: 'http://127.0.0.1:8123',
};
const settings = (env: Readonly<Record<string, string>> = {}) =>
  breakerSettings(loadConfig(intakeConfig, { ...SERVERS, ...env }));

describe('the settings of the breaker', () => {
  it('stop a topic of which more than half is rejected, unless they say otherwise', () => {
    expect(settings()).toEqual({
      ...{ rejectedPercentMax: 50, recentRecords: 1_000, retryMs: 60_000, exemptTopics: new Set() },
    });
    expect(
      settings({
        GRAVITY_BREAKER_REJECTED_PERCENT: '0',
        GRAVITY_BREAKER_RECORDS: '10',
        GRAVITY_BREAKER_RETRY: '5s',
        GRAVITY_BREAKER_EXEMPT_TOPICS: 'touchpoint.order,touchpoint.visit',
      }),
    ).toEqual({
      ...{ rejectedPercentMax: 0, recentRecords: 10, retryMs: 5_000 },
      exemptTopics: new Set(['touchpoint.order', 'touchpoint.visit']),
    });
  });

  it.each([
    [{ GRAVITY_BREAKER_REJECTED_PERCENT: '101' }, /from 0 to 100/],
    [{ GRAVITY_BREAKER_RECORDS: '1' }, /GRAVITY_BREAKER_RECORDS/],
    [{ GRAVITY_BREAKER_EXEMPT_TOPICS: 'touchpoint.orders' }, /touchpoint.orders is none of/],
  ])('refuse what makes no sense: %j', (env, message) => {
    expect(() => settings(env)).toThrow(message);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { ConsumerHealth } from '#pipeline';
import { AppLogger } from '../logging/app-logger.js';
import { Dependency } from './dependency.js';
import { HealthRegistry } from './health-registry.js';

const logger = AppLogger.create({ service: 'test', level: 'silent' });
const polling: ConsumerHealth = {
  joined: true,
  lastPollAt: 100_000,
  assigned: [{ topic: 't', partition: 2 }],
  crashed: null,
};
const registry = (now: number) => new HealthRegistry({ pollAgeMaxMs: 60_000 }, () => now);
const find = <Item extends { name: string }>(items: readonly Item[], name: string) =>
  items.find((item) => item.name === name);

describe('HealthRegistry', () => {
  it('is live while the consumer polls, not after', () => {
    const health = registry(160_000);
    health.registerConsumer('good', () => polling);
    health.registerConsumer('stuck', () => ({ ...polling, lastPollAt: 99_000 }));
    health.registerConsumer('new', () => ({ ...polling, lastPollAt: 0, joined: false }));
    expect(find(health.live(), 'good')?.isUp).toBe(true);
    expect(find(health.live(), 'stuck')).toMatchObject({ isUp: false, reason: 'has not polled for 61 s' });
    expect(find(health.live(), 'new')?.isUp).toBe(true);
  });

  it('tells of a crash', async () => {
    const health = registry(160_000);
    health.registerConsumer('good', () => polling);
    expect(health.crash()).toBeNull();
    health.registerConsumer('bad', () => ({ ...polling, crashed: new Error('no offsets') }));
    expect(health.crash()).toMatchObject({ name: 'bad' });
    expect(find(health.live(), 'bad')).toMatchObject({ isUp: false, reason: 'crashed: no offsets' });
    expect(find(await health.ready(), 'bad')?.isUp).toBe(false);
  });

  it('is ready once joined, with dependencies, not while starting or ending', async () => {
    const health = registry(160_000);
    health.registerConsumer('good', () => polling);
    health.registerConsumer('new', () => ({ ...polling, joined: false }));
    health.registerReadiness('state', () => 'rebuilding');
    health.registerReadiness('broken', () => Promise.reject(new Error('no store')));
    health.setStartup('opening the store');
    expect(await health.ready()).toEqual([
      { name: 'process', isUp: false, reason: 'opening the store' },
      { name: 'good', isUp: true, reason: 'joined', details: { assigned: ['t/2'] } },
      { name: 'new', isUp: false, reason: 'has not joined its group' },
      { name: 'state', isUp: false, reason: 'rebuilding' },
      { name: 'broken', isUp: false, reason: 'no store' },
    ]);
    health.setStartup(null);
    expect(find(await health.ready(), 'process')?.isUp).toBe(true);
    health.startShuttingDown();
    expect(find(await health.ready(), 'process')?.reason).toBe('shutting down');
  });
});

describe('Dependency', () => {
  it('waits, says since when and why, then is ready', async () => {
    const now = Date.UTC(2026, 10, 11);
    const registryUrl = new Dependency('registry', logger, { pauseMs: 1, pauseMaxMs: 2 }, () => now);
    const health = registry(now);
    health.registerDependency('registry', () => registryUrl.status());
    const seen: unknown[] = [];
    const value = await registryUrl.waitFor(async () => {
      seen.push(find(await health.ready(), 'registry')?.reason);
      if (seen.length < 3) throw new Error('ECONNREFUSED');
      return 42;
    }, AbortSignal.timeout(10_000));
    expect(value).toBe(42);
    expect(seen).toEqual([
      'waiting for registry since 2026-11-11T00:00:00.000Z',
      'waiting for registry since 2026-11-11T00:00:00.000Z: ECONNREFUSED',
      'waiting for registry since 2026-11-11T00:00:00.000Z: ECONNREFUSED',
    ]);
    expect(find(await health.ready(), 'registry')?.isUp).toBe(true);
    registryUrl.down(new Error('reset'));
    expect(registryUrl.status()).toMatchObject({ isReady: false, lastError: 'reset', attempts: 1 });
  });

  it('stops waiting when told so', async () => {
    const stop = new AbortController();
    const clickhouse = new Dependency('clickhouse', logger, { pauseMs: 60_000, pauseMaxMs: 60_000 });
    const waiting = clickhouse.waitFor(() => {
      setImmediate(() => stop.abort(new Error('shutting down')));
      return Promise.reject(new Error('no'));
    }, stop.signal);
    await expect(waiting).rejects.toThrow();
  });
});

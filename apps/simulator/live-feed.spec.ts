import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  LocalSchemaRegistry,
  SchemaCatalog,
  SOURCE_TOPICS,
  SourceDecoder,
  SourceEncoder,
  topicSpecs,
} from '#contracts';
import type { SourceTouchpoint } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { eventually, TempDir } from '#testing';
import { LiveFeed, type FeedTarget } from './live-feed.js';
import { PromotionNight } from './night/promotion-night.js';

const SEED = 9;
/** Each append waits for the disk, and a busy one takes its time. */
const PATIENT_MS = 100_000;
jest.setTimeout(120_000);

describe('the live feed', () => {
  let directory: TempDir;
  let log: EmbeddedLog;
  let target: FeedTarget;
  let decoder: SourceDecoder;
  const errors: unknown[] = [];

  beforeEach(async () => {
    errors.length = 0;
    directory = new TempDir('live-feed');
    log = EmbeddedLog.open({ path: directory.join('log') });
    await log.applyTopics(topicSpecs({ relationshipLogPartitions: 2 }), false);
    const catalog = SchemaCatalog.load();
    const registry = new LocalSchemaRegistry(catalog);
    const encoder = await SourceEncoder.open(registry, catalog);
    decoder = new SourceDecoder(registry, catalog);
    target = { log, encoder };
  });
  afterEach(async () => {
    await log.close();
    directory.remove();
  });

  function feedAt(eventsPerSecond: number): LiveFeed {
    const onError = (error: unknown): void => void errors.push(error);
    return new LiveFeed(target, new PromotionNight(SEED), { eventsPerSecond, seed: SEED, onError });
  }

  /** What has been produced: events, and the number of records that are none. */
  async function produced(): Promise<{ readonly events: SourceTouchpoint[]; readonly broken: number }> {
    const events: SourceTouchpoint[] = [];
    let broken = 0;
    for (const topic of Object.values(SOURCE_TOPICS)) {
      for (const { partition } of await log.ends(topic)) {
        for await (const { records } of log.read({ topic, partition }, 0)) {
          await decoder.prepare(records.map(({ value }) => value));
          for (const { value } of records) {
            const decoded = decoder.decode(topic, value);
            if (decoded.ok) events.push(decoded.event);
            else broken += 1;
          }
        }
      }
    }
    return { events, broken };
  }

  it('produces live events of now to the topics of their kinds, a few of them twice, some late, some broken', async () => {
    const startedAt = Date.now();
    // The night has played a minute and a half at this rate before it begins.
    const feed = feedAt(500);
    await feed.start();
    await eventually(() => expect(feed.produced).toBeGreaterThan(2_000), PATIENT_MS);
    await feed.stop();
    const { events, broken } = await produced();
    const endedAt = Date.now();

    expect(events.length + broken).toBe(feed.produced);
    expect(broken).toBeLessThan(feed.produced / 50);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBeLessThan(events.length);
    expect(events.every(({ origin }) => origin === 'LIVE')).toBe(true);
    expect(events.every(({ sentAt }) => sentAt >= startedAt && sentAt <= endedAt)).toBe(true);
    const late = events.filter(({ occurredAt, sentAt }) => sentAt - occurredAt > 30_000);
    expect(late.length).toBeGreaterThan(0);
    // Where the disk stood still, the whole feed is late.
    const isStalled = endedAt - startedAt > 30_000;
    expect(late.length).toBeLessThan(isStalled ? Infinity : events.length / 20);
    expect(errors).toEqual([]);
  });

  it('is still after a stop, with the last step done', async () => {
    const feed = feedAt(500);
    await feed.start();
    await eventually(() => expect(feed.produced).toBeGreaterThan(0), PATIENT_MS);
    await feed.stop();
    const { produced: count } = feed;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(feed.produced).toBe(count);
    const { events, broken } = await produced();
    expect(events.length + broken).toBe(count);
    await feed.stop();
  });

  it('says that the log cannot be written, and goes on trying', async () => {
    const feed = feedAt(500);
    await feed.start();
    await log.close();
    await eventually(() => expect(errors.length).toBeGreaterThanOrEqual(2));
    await feed.stop();
    log = EmbeddedLog.open({ path: directory.join('log') });
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  IntakeProgressCodec,
  LocalSchemaRegistry,
  RelationshipLogCodec,
  SchemaCatalog,
  topicSpecs,
} from '#contracts';
import type { LogEntry } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { initialiseLog, TOPICS } from '#pipeline';
import { TempDir } from '#testing';
import { historyObstacle } from './history-obstacle.js';
import { writeHistory, type HistoryObserver, type HistoryReport } from './history-writer.js';
import { PromotionNight } from './night/promotion-night.js';
import { simulatedRules } from './simulated-rules.js';

const HOUR = 3_600_000;
const ANCHOR = Date.UTC(2026, 10, 10, 12);
const DAYS = 3;
const EVENTS_PER_DAY = 3_000;
const PARTITIONS = 2;
const ALWAYS = new AbortController().signal;

describe('the history before the night', () => {
  const catalog = SchemaCatalog.load();
  const registry = new LocalSchemaRegistry(catalog);
  let codec: RelationshipLogCodec;
  let directory: TempDir;
  let log: EmbeddedLog;

  beforeEach(async () => {
    codec = await RelationshipLogCodec.open(registry, catalog);
    directory = new TempDir('history');
    log = await openLog('log');
  });
  afterEach(async () => {
    await log.close();
    directory.remove();
  });

  async function openLog(name: string): Promise<EmbeddedLog> {
    const opened = EmbeddedLog.open({ path: directory.join(name) });
    await opened.applyTopics(topicSpecs({ relationshipLogPartitions: PARTITIONS }), false);
    await initialiseLog(opened, codec, { newLogId: 'log', now: () => ANCHOR, rules: simulatedRules(ANCHOR) });
    return opened;
  }

  function write(to: EmbeddedLog, observer: HistoryObserver = {}, signal = ALWAYS): Promise<HistoryReport> {
    return writeHistory(
      { log: to, codec, partitions: PARTITIONS },
      new PromotionNight(5),
      {
        anchor: ANCHOR,
        days: DAYS,
        eventsPerDay: EVENTS_PER_DAY,
        rules: simulatedRules(ANCHOR),
        pseudonymise: (event) => event,
      },
      observer,
      signal,
    );
  }

  async function entriesOf(from: EmbeddedLog, partition: number): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for await (const batch of from.read({ topic: TOPICS.relationshipLog, partition }, 0)) {
      for (const { value } of batch.records) entries.push(codec.decode(value));
    }
    return entries;
  }

  it('ends at the anchor, in order of time, with a tick at least every hour in every partition', async () => {
    const { events, cutOff } = await write(log);
    expect(cutOff).toBeNull();
    expect(events / DAYS / EVENTS_PER_DAY).toBeCloseTo(1, 0);
    let found = 0;
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const entries = (await entriesOf(log, partition)).filter((entry) => 'at' in entry);
      const times = entries.map(({ at }) => at);
      expect(times).toEqual([...times].sort((left, right) => left - right));
      expect(times.at(-1)).toBe(ANCHOR);
      const ticks = entries.filter(({ type }) => type === 'tick').map(({ at }) => at);
      const gaps = ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(HOUR);
      expect(ticks[0]).toBe(ANCHOR - DAYS * 24 * HOUR);
      found += entries.length - ticks.length;
    }
    expect(found).toBe(events);
  });

  it('is written once: a second start adds nothing', async () => {
    await write(log);
    const before = await log.ends(TOPICS.relationshipLog);
    expect(await write(log)).toEqual({ events: 0, cutOff: null });
    expect(await log.ends(TOPICS.relationshipLog)).toEqual(before);
  });

  it('goes on where it was stopped, and comes out as if it had not been', async () => {
    const undisturbed = await openLog('undisturbed');
    await write(undisturbed);

    const stops: number[] = [];
    for (let isDone = false; !isDone;) {
      const stop = new AbortController();
      const committed = (hours: number): void => {
        stops.push(hours);
        stop.abort(new Error('killed'));
      };
      isDone = await write(log, { committed }, stop.signal).then(
        () => true,
        () => false,
      );
    }

    expect(stops.length).toBeGreaterThanOrEqual(2);
    expect(stops.at(-1)).toBe(DAYS * 24);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      expect(await entriesOf(log, partition)).toEqual(await entriesOf(undisturbed, partition));
    }
    await undisturbed.close();
  });

  it('stops, and says so, once something stands in the way', async () => {
    const asked: (string | null)[] = [null, 'intake has begun'];
    const report = await write(log, { obstacle: () => Promise.resolve(asked.shift() ?? null) });
    expect(report.cutOff).toBe('intake has begun');
    const touchpoints = (await Promise.all([entriesOf(log, 0), entriesOf(log, 1)]))
      .flat()
      .filter((entry) => 'eventId' in entry);
    expect(touchpoints).toHaveLength(report.events);
    expect(report.events).toBeGreaterThan(0);
  });

  describe('is not begun', () => {
    const obstacle = (of: EmbeddedLog): Promise<string | null> => historyObstacle(of, codec, DAYS * 24);

    it('unless the log is fresh', async () => {
      expect(await obstacle(log)).toBeNull();
      const value = codec.encode({ type: 'tick', at: 1, arrivedAt: 1 });
      await log.append([{ topic: TOPICS.relationshipLog, partition: 1, key: null, value }]);
      expect(await obstacle(log)).toBe('the log holds events already');
    });

    it('unless the log was begun with the rules of a simulation', async () => {
      const foreign = EmbeddedLog.open({ path: directory.join('foreign') });
      await foreign.applyTopics(topicSpecs({ relationshipLogPartitions: PARTITIONS }), false);
      await initialiseLog(foreign, codec, { newLogId: 'log', now: () => ANCHOR });
      expect(await obstacle(foreign)).toContain('rules that are not the simulator’s');
      await foreign.close();
    });

    it('once intake has reported, and nothing is asked once the history is there', async () => {
      const complete = await openLog('complete');
      await write(complete);
      const progress = await IntakeProgressCodec.open(registry, catalog);
      const record = progress.encode({
        topic: 'touchpoint.visit',
        partition: 0,
        nextOffset: 1,
        readTo: ANCHOR,
        eventTo: null,
        caughtUp: true,
      });
      for (const one of [log, complete]) {
        await one.append([{ topic: TOPICS.intakeProgress, partition: 0, ...record }]);
      }
      expect(await obstacle(log)).toContain('intake has reported');
      expect(await obstacle(complete)).toBeNull();
      await complete.close();
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_WINDOWS, defaultRules, type LogEntry } from '#domain';
import {
  epochRaised,
  eventually,
  feed,
  feedFrom,
  follow,
  instant,
  join,
  PATIENT,
  pay,
  PipelineWorld,
  rulesSet,
  tick,
  WORLD_GROUP,
} from '#testing';
import { FaultPlan, faultyLog, faultySink } from '../testing/faulty-ports.js';
import { LogCorruptError } from './codecs.js';
import { OwnershipLostError, type TopicPartition } from './log.js';
import type { RelationshipPorts } from './owned-partition.js';
import type { BatchReport } from './process-batch.js';
import { TOPICS } from './topics.js';

/** Three dues a tick, and windows that have few rows. */
const RULES = defaultRules({
  duesPerTick: 3,
  windows: DEFAULT_WINDOWS.filter(({ id }) => id === '1h' || id === '30d').map((window) =>
    window.id === '1h' ? { ...window, slideMs: 600_000 } : window,
  ),
});
const START: readonly LogEntry[] = [epochRaised(), rulesSet(RULES)];
/** Ten members who bought on one day: thirty days later all of them fall at one midnight. */
const BUYERS = Array.from({ length: 10 }, (_, i) => `p${i}`).flatMap((person) => [
  join('2024-11-10 09:00', { person }),
  pay(`o-${person}`, '2024-11-10 10:00', { person }),
]);

describe('the relationship worker', () => {
  let world: PipelineWorld;
  let readTo: number | null;
  beforeEach(async () => {
    world = await PipelineWorld.open(2);
    world.clock = instant('2024-11-10 12:00');
    readTo = null;
  });
  afterEach(() => world.close());

  const live = (): Partial<RelationshipPorts> => ({ progress: { readTo: () => readTo } });
  const ticksOf = async (partition = 0) =>
    (await world.entries(partition)).flatMap((entry) => (entry.type === 'tick' ? [entry.at] : []));

  describe('ownership', () => {
    const takeOver = async (input: TopicPartition) => (await world.log.writer(WORLD_GROUP, input)).close();

    it('lost while nothing comes makes the consumer let go', async () => {
      await world.lay(START);
      const lost: Error[] = [];
      const closed: number[] = [];
      const worker = world.worker(live(), {}, { closed: ({ partition }) => closed.push(partition) });
      const from = await worker.assigned(world.input(), { lost: (error) => lost.push(error) });
      await feedFrom(world.log, worker, world.input(), from);
      await takeOver(world.input());
      readTo = instant('2024-11-10 10:00');
      await expect(worker.maintainAll()).rejects.toThrow(OwnershipLostError);
      expect(lost).toHaveLength(1);
      expect(closed).toEqual([0]);
      expect(worker.states()).toEqual([]);
      // Nothing is left that could be written: not by the timer, not by a batch, not on the way out.
      await worker.maintainAll();
      expect(lost).toHaveLength(1);
      const batch = { ...world.input(), records: [], nextOffset: 3, endOffset: 3 };
      await expect(worker.batch(batch, PATIENT)).rejects.toThrow(OwnershipLostError);
      await worker.revoked(world.input());
      expect(closed).toEqual([0]);
      // The store is free for the next assignment.
      expect(await worker.assigned(world.input())).toBe(0);
      await worker.revoked(world.input());
    });

    it('is got back through a consumer of the real log', async () => {
      await world.lay(START);
      const worker = world.worker(live());
      const consumer = world.log.consumer({
        group: WORLD_GROUP,
        topics: [TOPICS.relationshipLog],
        batchRecordsMax: 10,
      });
      await world.lay(START, 1);
      await consumer.start(worker);
      await eventually(() => expect(worker.states().map(({ position }) => position)).toEqual([2, 2]));
      await takeOver(world.input());
      readTo = instant('2024-11-10 10:00');
      await expect(worker.maintainAll()).rejects.toThrow(OwnershipLostError);
      await eventually(async () => {
        await worker.maintainAll();
        expect(await ticksOf()).toEqual([readTo]);
        expect(await ticksOf(1)).toEqual([readTo]);
      });
      expect(consumer.health().crashed).toBeNull();
      await consumer.stop();
    });

    it('lost in a batch drops the memory, and the next owner publishes the facts once', async () => {
      await world.lay([...START, join('2024-11-10 09:00')]);
      const worker = world.worker();
      await worker.assigned(world.input());
      await takeOver(world.input());
      await expect(feedFrom(world.log, worker, world.input(), 0)).rejects.toThrow(OwnershipLostError);
      expect(worker.states()).toEqual([]);
      await worker.revoked(world.input());
      expect(await world.facts()).toEqual([]);
      await feed(world.log, worker, world.input());
      expect(await world.facts()).toHaveLength(2);
      await worker.revoked(world.input());
    });
  });

  it('does not let the trouble of one partition starve the others', async () => {
    for (const partition of [0, 1]) await world.lay([...START, follow('2024-11-10 10:00')], partition);
    const worker = world.worker(live());
    for (const partition of [0, 1]) await feed(world.log, worker, world.input(partition));
    await (await world.log.writer(WORLD_GROUP, world.input(0))).close();
    readTo = instant('2024-11-10 11:00');
    await expect(worker.maintainAll()).rejects.toThrow(OwnershipLostError);
    expect(await ticksOf(1)).toEqual([readTo]);
    for (const partition of [0, 1]) await worker.revoked(world.input(partition));
  });

  it('stops loudly at a record of our own log that cannot be read, and publishes nothing of its batch', async () => {
    await world.lay([...START, join('2024-11-10 09:00')]);
    await world.log.append([{ ...world.input(), key: null, value: Buffer.from('garbage') }]);
    const worker = world.worker();
    await expect(feed(world.log, worker, world.input())).rejects.toThrow(LogCorruptError);
    expect(await world.facts()).toEqual([]);
    await worker.revoked(world.input());
    expect(await world.log.committed(WORLD_GROUP, world.input())).toBeNull();
    const consumer = world.log.consumer({
      group: WORLD_GROUP,
      topics: [TOPICS.relationshipLog],
      batchRecordsMax: 10,
    });
    await consumer.start(world.worker());
    await eventually(() => expect(consumer.health().crashed).toBeInstanceOf(LogCorruptError), 60_000);
    await consumer.stop();
  }, 90_000);

  it('accepts figures of a brand for which no tick has come yet, also over a restart', async () => {
    await world.lay([...START, join('2024-11-10 09:00'), pay('o', '2024-11-10 10:00', { amount: 700 })]);
    const first = world.worker({}, { drainMs: 1_000 });
    await feed(world.log, first, world.input());
    await first.revoked(world.input());
    const all = world.sink
      .rows('period_figures')
      .filter(({ channel, scheme_id }) => channel === 'all' && scheme_id === 'rolling:30d');
    expect(all).toMatchObject([
      { day: '2024-11-10', status: 'provisional', watermark: 0, capital: 1, gmv_gross_minor: 700, orders: 1 },
    ]);
    expect(all[0]?.tiers).toEqual([0, 0, 0, 1, 0, 0]);
    expect(world.sink.rows('persons').map(({ tier }) => tier)).toEqual([3, 3]);
    expect(world.sink.rows('window_figures')).toEqual([]);
    world.reopenStore();
    await world.lay([pay('o2', '2024-11-11 10:00', { amount: 300 }), tick('2024-11-11 10:01')]);
    const second = world.worker({}, { drainMs: 1_000 });
    await feed(world.log, second, world.input());
    await second.revoked(world.input());
    expect(world.sink.rows('persons').map(({ tier }) => tier)).toEqual([4, 4]);
    const hours = world.sink
      .rows('window_figures')
      .filter(({ window, channel }) => window === '1h' && channel === 'all');
    expect(hours.some(({ gmv_gross_minor }) => gmv_gross_minor === 300)).toBe(true);
  });

  it('gives way between its partitions', async () => {
    const worker = world.worker(live());
    for (const partition of [0, 1]) {
      await world.lay(START, partition);
      const input = world.input(partition);
      await feedFrom(world.log, worker, input, await worker.assigned(input));
    }
    readTo = instant('2024-11-10 10:00');
    const ticksMeanwhile: (readonly number[])[] = [];
    await worker.maintainAll(async () => {
      ticksMeanwhile.push(await ticksOf(1));
    });
    expect(ticksMeanwhile).toEqual([[]]);
    expect(await ticksOf(0)).toEqual([readTo]);
    expect(await ticksOf(1)).toEqual([readTo]);
    for (const partition of [0, 1]) await worker.revoked(world.input(partition));
  });

  it('keeps rows that the sink does not take for the process that comes after', async () => {
    await world.lay([...START, join('2024-11-10 09:00'), tick('2024-11-10 09:01')]);
    const away = new FaultPlan(
      Array.from({ length: 50 }, (_, nth) => ({ call: 'sink.write', nth, fault: 'error' }) as const),
    );
    const errors: string[] = [];
    const first = world.worker(
      { sink: faultySink(world.sink, away) },
      { drainMs: 50 },
      { pumped: (_, { error }) => error !== null && errors.push(error.message) },
    );
    await feed(world.log, first, world.input());
    await first.revoked(world.input());
    expect(errors).toContain('ClickHouse is away');
    expect(world.sink.rows('persons')).toEqual([]);
    world.reopenStore();
    const second = world.worker({}, { flushIntervalMs: 0 });
    await second.assigned(world.input());
    expect(second.states()[0]?.outbox.size).toBeGreaterThan(0);
    await second.maintainAll();
    await eventually(() => expect(second.states()[0]?.outbox.size).toBe(0));
    expect(world.sink.rows('persons')).toHaveLength(2);
    expect(world.sink.rows('window_heartbeats').length).toBeGreaterThan(0);
    await second.revoked(world.input());
  });

  it('stops reading while too many rows wait, and goes on when the sink is back', async () => {
    await world.lay([...START, ...BUYERS]);
    const plan = new FaultPlan(
      [0, 1, 2].map((nth) => ({ call: 'sink.write', nth, fault: 'error' }) as const),
    );
    const worker = world.worker(
      { sink: faultySink(world.sink, plan), now: Date.now },
      { outboxRowsMax: 5, flushIntervalMs: 0, checkpointIntervalMs: 0 },
    );
    await feed(world.log, worker, world.input());
    expect(plan.counts.get('sink.write')).toBeGreaterThan(3);
    expect(worker.states()[0]?.outbox.size).toBeLessThanOrEqual(5);
    await worker.revoked(world.input());
  });

  it('lets go of a partition while rows are on their way', async () => {
    await world.lay([...START, ...BUYERS]);
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const worker = world.worker(
      { sink: { write: () => gate }, now: Date.now },
      { flushIntervalMs: 0, drainMs: 60, rowsPerInsertMax: 3 },
    );
    await feed(world.log, worker, world.input());
    await worker.revoked(world.input());
    letGo();
    await new Promise((resolve) => setTimeout(resolve, 20));
    // The store holds all rows that were not acknowledged before it was closed.
    const store = world.store.open(0);
    expect([...store.outbox()].length).toBeGreaterThan(3);
    store.close();
  });

  it('gives the store back where opening fails half way', async () => {
    await world.lay(START);
    const plan = new FaultPlan([{ call: 'log.ends', nth: 0, fault: 'error' }]);
    const worker = world.worker({ log: faultyLog(world.log, plan) });
    await expect(worker.assigned(world.input())).rejects.toThrow('does not answer');
    expect(await worker.assigned(world.input())).toBe(0);
    await worker.revoked(world.input());
  });

  it('frees the partition though the last checkpoint fails', async () => {
    await world.lay([...START, follow('2024-11-10 10:00')]);
    const store = world.store;
    const failing = {
      open: (partition: number) => {
        const open = store.open(partition);
        return Object.assign(Object.create(open) as typeof open, {
          write: () => {
            throw new Error('no space left on the device');
          },
        });
      },
      stored: () => store.stored(),
      drop: (partition: number) => store.drop(partition),
      setAside: (partition: number) => store.setAside(partition),
      close: () => undefined,
    };
    const worker = world.worker({ store: failing });
    await feed(world.log, worker, world.input());
    await expect(worker.revoked(world.input())).rejects.toThrow('no space left');
    // Folded again by the next owner, muted: what was published stays as it is.
    const reports: BatchReport[] = [];
    const next = world.worker({}, {}, { batch: (_, report) => reports.push(report) });
    await feed(world.log, next, world.input());
    expect(reports.map(({ muted }) => muted)).toEqual([true]);
    expect(await world.facts()).toHaveLength(2);
    await next.revoked(world.input());
  });
});

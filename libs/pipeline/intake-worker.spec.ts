import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SOURCE_TOPICS } from '#contracts';
import { DEFAULT_ADMISSION_LIMITS, type SourceTouchpoint } from '#domain';
import { batchesOf, eventually, PATIENT, PipelineWorld, SILENT_INTAKE } from '#testing';
import { FaultPlan, faultyLog } from '../testing/faulty-ports.js';
import { sourceJoin, sourceOrder, sourceVisit } from '../testing/source-kit.js';
import {
  RegistryUnavailableError,
  type IntakeProgress,
  type SourceCodec,
  type StoredDeadLetter,
} from './codecs.js';
import type { IntakePorts } from './intake-batch.js';
import { IntakeWorker, TopicStoppedError } from './intake-worker.js';
import { OwnershipLostError, type TopicPartition } from './log.js';
import { NO_BREAKER, type RejectBreakerSettings } from './reject-breaker.js';
import { TOPICS } from './topics.js';

const GROUP = 'intake';
const ORDERS: TopicPartition = { topic: SOURCE_TOPICS.order, partition: 0 };
const VISITS: TopicPartition = { topic: SOURCE_TOPICS.visit, partition: 0 };

describe('the intake worker', () => {
  let world: PipelineWorld;
  /** The broker's clock, ms. */
  let clock: number;
  beforeEach(async () => {
    clock = 1_700_000_000_000;
    world = await PipelineWorld.open(2, () => clock);
  });
  afterEach(() => world.close());

  const waits: string[] = [];
  const told: string[] = [];
  function intake(
    changes: Partial<IntakePorts> = {},
    breaker: Partial<RejectBreakerSettings> = NO_BREAKER,
  ): IntakeWorker {
    waits.length = 0;
    told.length = 0;
    return new IntakeWorker(
      {
        log: world.log,
        group: GROUP,
        sourceCodec: world.codecs.source,
        logCodec: world.codecs.log,
        progressCodec: world.codecs.intakeProgress,
        deadLetterCodec: world.codecs.deadLetter,
        pseudonymise: (_, event) => event,
        limits: DEFAULT_ADMISSION_LIMITS,
        partitions: { relationshipLog: 2, intakeProgress: 1, deadLetters: 1 },
        ...changes,
      },
      {
        ...SILENT_INTAKE,
        waiting: (_, error) => waits.push(error.message),
        topicStopped: ({ topic }, { rejected }) =>
          told.push(`${topic} stopped: ${[...rejected].map(String).join()}`),
        topicResumed: ({ topic }) => told.push(`${topic} goes on`),
      },
      () => clock,
      { ...NO_BREAKER, retryMs: 1, ...breaker },
    );
  }

  async function send(...events: readonly SourceTouchpoint[]): Promise<void> {
    const topicOf = (event: SourceTouchpoint) => SOURCE_TOPICS[event.type];
    for (const event of events) {
      const value = world.codecs.sourceEncoder.encode(event);
      await world.log.append([{ topic: topicOf(event), partition: 0, key: null, value }]);
    }
  }

  async function take(worker: IntakeWorker, input: TopicPartition, from?: number): Promise<void> {
    const position = from ?? (await worker.assigned(input));
    for await (const batch of batchesOf(world.log, input, position, () => 100))
      await worker.batch(batch, PATIENT);
  }

  const progress = async (): Promise<IntakeProgress[]> =>
    (await world.values(TOPICS.intakeProgress)).map((value) => world.codecs.intakeProgress.decode(value));
  const letters = async (): Promise<StoredDeadLetter[]> =>
    (await world.values(TOPICS.deadLetters)).map((value) => world.codecs.deadLetter.decode(value));
  const accepted = async () => [...(await world.entries(0)), ...(await world.entries(1))];

  it('makes each record an entry or a dead letter, with the progress and the position, once', async () => {
    await send(
      sourceOrder({ occurredAt: clock - 5_000 }),
      sourceOrder({ occurredAt: clock - 9_000, amountMinor: -1 }),
    );
    const worker = intake();
    await take(worker, ORDERS);
    expect(await accepted()).toMatchObject([{ type: 'orderPaid', at: clock - 5_000 }]);
    expect(await letters()).toMatchObject([{ reason: 'NEGATIVE_AMOUNT', source: { ...ORDERS, offset: 1 } }]);
    expect(await progress()).toMatchObject([
      { ...ORDERS, nextOffset: 2, readTo: clock, eventTo: clock - 5_000, caughtUp: false },
    ]);
    expect(await world.log.committed(GROUP, ORDERS)).toBe(2);
    // The same batch once more, as after a failure further on.
    for await (const batch of batchesOf(world.log, ORDERS, 0, () => 100)) await worker.batch(batch, PATIENT);
    expect(await accepted()).toHaveLength(1);
    expect(await world.log.committed(GROUP, ORDERS)).toBe(2);
    // The largest event time stays, though this batch is older.
    await send(sourceOrder({ occurredAt: clock - 60_000 }));
    await take(worker, ORDERS, 2);
    expect((await progress()).at(-1)).toMatchObject({ eventTo: clock - 5_000, nextOffset: 3 });
    await worker.revoked(ORDERS);
  });

  it('takes half a batch in where the other half is known', async () => {
    await send(...[1, 2, 3].map((n) => sourceOrder({ occurredAt: clock - n })));
    const first = intake();
    await first.assigned(ORDERS);
    for await (const batch of batchesOf(world.log, ORDERS, 0, () => 2)) {
      await first.batch(batch, PATIENT);
      break;
    }
    const second = intake();
    expect(await second.assigned(ORDERS)).toBe(2);
    await take(second, ORDERS, 0);
    expect(await accepted()).toHaveLength(3);
  });

  it('judges ids as they came, not the pseudonyms made of them', async () => {
    const pseudonymise = (_: string, event: SourceTouchpoint): SourceTouchpoint => ({
      ...event,
      person: 'pseudonym',
    });
    await send(
      sourceVisit({ occurredAt: clock, person: 'x'.repeat(500) }),
      sourceVisit({ occurredAt: clock, person: 'order:7' }),
      sourceVisit({ occurredAt: clock, person: '' }),
      sourceVisit({ occurredAt: clock, person: 'bell\u0007' }),
      sourceVisit({ occurredAt: clock, person: 'good' }),
    );
    await take(intake({ pseudonymise }), VISITS);
    expect((await letters()).map(({ reason }) => reason)).toEqual([
      'TOO_LONG',
      'RESERVED_NAME',
      'EMPTY_ID',
      'BAD_CHARACTER',
    ]);
    expect(await accepted()).toMatchObject([{ person: 'pseudonym' }]);
  });

  it('waits for a registry that is away, and loses nothing', async () => {
    let away = 2;
    const sourceCodec: SourceCodec = {
      prepare: async (values) => {
        away -= 1;
        if (away >= 0) throw new RegistryUnavailableError('connection refused');
        await world.codecs.source.prepare(values);
      },
      decode: (topic, value) => world.codecs.source.decode(topic, value),
    };
    await send(sourceJoin({ occurredAt: clock }));
    await take(intake({ sourceCodec }), { topic: SOURCE_TOPICS.relation, partition: 0 });
    expect(waits).toEqual(['connection refused', 'connection refused']);
    expect(await accepted()).toHaveLength(1);
    // Not longer than the partition is ours.
    away = 100;
    const worker = intake({ sourceCodec });
    const input = { topic: SOURCE_TOPICS.relation, partition: 0 };
    await worker.assigned(input);
    await send(sourceJoin({ occurredAt: clock }));
    const stale = { heartbeat: () => Promise.resolve(), isStale: () => true };
    for await (const batch of batchesOf(world.log, input, 1, () => 100)) {
      await expect(worker.batch(batch, stale)).rejects.toThrow(RegistryUnavailableError);
    }
    expect(await world.log.committed(GROUP, input)).toBe(1);
  });

  it('forgets a partition that somebody else has taken over', async () => {
    await send(sourceVisit({ occurredAt: clock }));
    const worker = intake();
    await worker.assigned(VISITS);
    await (await world.log.writer(GROUP, VISITS)).close();
    await expect(take(worker, VISITS, 0)).rejects.toThrow(OwnershipLostError);
    await expect(take(worker, VISITS, 0)).rejects.toThrow(/is not assigned here/);
    expect(await accepted()).toEqual([]);
    await worker.heartbeat();
    expect(await progress()).toEqual([]);
  });

  it('can be assigned again after opening has failed', async () => {
    const plan = new FaultPlan([{ call: 'log.committed', nth: 0, fault: 'error' }]);
    const worker = intake({ log: faultyLog(world.log, plan) });
    await expect(worker.assigned(VISITS)).rejects.toThrow('does not answer');
    expect(await worker.assigned(VISITS)).toBe(0);
    await worker.revoked(VISITS);
  });

  describe('its heartbeat', () => {
    it('claims for what is read to its end the broker time of the heartbeat before', async () => {
      const worker = intake();
      await worker.assigned(VISITS);
      await worker.heartbeat();
      expect(await progress()).toMatchObject([{ ...VISITS, readTo: 0, caughtUp: false }]);
      const first = clock;
      clock += 2_000;
      await worker.heartbeat();
      expect((await progress()).at(-1)).toMatchObject({ readTo: first, caughtUp: true, nextOffset: 0 });
      const second = clock;
      clock += 2_000;
      await worker.heartbeat();
      expect((await progress()).at(-1)).toMatchObject({ readTo: second, caughtUp: true });
    });

    it('claims nothing for what was not read, however late it asks', async () => {
      const worker = intake();
      await worker.assigned(VISITS);
      await worker.heartbeat();
      clock += 1_000;
      const arrived = clock;
      await send(sourceVisit({ occurredAt: clock }));
      clock += 9_000;
      await worker.heartbeat();
      await worker.heartbeat();
      for (const { readTo } of await progress()) expect(readTo).toBeLessThan(arrived);
      await take(worker, VISITS, 0);
      expect((await progress()).at(-1)).toMatchObject({ readTo: arrived });
      const since = clock;
      clock += 2_000;
      await worker.heartbeat();
      expect((await progress()).at(-1)).toMatchObject({ readTo: since, caughtUp: true });
    });

    it('never goes back behind what a batch has said', async () => {
      const worker = intake();
      await worker.assigned(VISITS);
      await worker.heartbeat();
      clock += 1_000;
      await send(sourceVisit({ occurredAt: clock }));
      await take(worker, VISITS, 0);
      await worker.heartbeat();
      const all = (await progress()).map(({ readTo }) => readTo);
      expect(all).toEqual([...all].sort((a, b) => a - b));
    });

    it('holds nobody up for a partition that retention has emptied', async () => {
      const emptied = Object.assign(Object.create(world.log) as typeof world.log, {
        ends: () => Promise.resolve([{ partition: 0, start: 70, end: 70 }]),
      });
      const worker = intake({ log: emptied });
      await worker.assigned(VISITS);
      await worker.heartbeat();
      const since = clock;
      clock += 2_000;
      await worker.heartbeat();
      expect((await progress()).at(-1)).toMatchObject({ readTo: since, caughtUp: true });
    });

    it('says nothing while it holds nothing', async () => {
      const worker = intake();
      await worker.heartbeat();
      expect(await progress()).toEqual([]);
    });
  });

  describe('a topic of which too much is rejected', () => {
    const BREAKER = { rejectedPercentMax: 50, recentRecords: 10 };
    const bad = (count: number) =>
      Array.from({ length: count }, () => sourceOrder({ occurredAt: clock, amountMinor: -1 }));
    const euro = (count: number) =>
      Array.from({ length: count }, () => sourceOrder({ occurredAt: clock, currency: 'EUR' }));
    const batchOf = async (input: TopicPartition) => {
      for await (const batch of batchesOf(world.log, input, 0, () => 1_000)) return batch;
      throw new Error('nothing to read');
    };

    it('is stopped: nothing of the batch is written, and its position stays', async () => {
      await send(...bad(20));
      const worker = intake({}, BREAKER);
      await worker.assigned(ORDERS);
      let rounds = 0;
      const control = { heartbeat: () => Promise.resolve(), isStale: () => (rounds += 1) > 12 };
      await expect(worker.batch(await batchOf(ORDERS), control)).rejects.toThrow(TopicStoppedError);
      expect(await letters()).toEqual([]);
      expect(await accepted()).toEqual([]);
      expect(await progress()).toEqual([]);
      expect(await world.log.committed(GROUP, ORDERS)).toBeNull();
      expect(told).toEqual([`${ORDERS.topic} stopped: NEGATIVE_AMOUNT,20`]);
      expect(worker.stoppedTopics()).toMatchObject([{ topic: ORDERS.topic, rejected: 20, records: 20 }]);
      await worker.revoked(ORDERS);
      expect(worker.stoppedTopics()).toEqual([]);
    });

    it('holds time back, and no other topic', async () => {
      await send(...bad(20), sourceVisit({ occurredAt: clock }));
      const worker = intake({}, BREAKER);
      for (const input of [ORDERS, VISITS]) await worker.assigned(input);
      let isOver = false;
      const control = { heartbeat: () => Promise.resolve(), isStale: () => isOver };
      const held = worker.batch(await batchOf(ORDERS), control);
      await eventually(() => expect(worker.stoppedTopics()).toHaveLength(1));
      await worker.batch(await batchOf(VISITS), PATIENT);
      expect(await accepted()).toMatchObject([{ type: 'visit' }]);
      for (let beat = 0; beat < 2; beat += 1) {
        clock += 60_000;
        await worker.heartbeat();
      }
      const last = (topic: string) =>
        progress().then((all) => all.filter((one) => one.topic === topic).at(-1));
      expect(await last(VISITS.topic)).toMatchObject({ caughtUp: true, readTo: clock - 60_000 });
      expect(await last(ORDERS.topic)).toMatchObject({ caughtUp: false, readTo: 0, nextOffset: 0 });
      isOver = true;
      await expect(held).rejects.toThrow(TopicStoppedError);
    });

    it('goes on by itself once what it holds has become good', async () => {
      const currencies = new Map<string, string>();
      const limits = { ...DEFAULT_ADMISSION_LIMITS, currencies };
      await send(...euro(20), sourceOrder({ occurredAt: clock, currency: 'CNY' }));
      const worker = intake({ limits }, BREAKER);
      await worker.assigned(ORDERS);
      const taken = worker.batch(await batchOf(ORDERS), PATIENT);
      await eventually(() => expect(told).toHaveLength(1));
      currencies.set('brand', 'EUR');
      await taken;
      expect(told.at(-1)).toBe(`${ORDERS.topic} goes on`);
      expect(await accepted()).toHaveLength(20);
      expect(await letters()).toHaveLength(1);
      expect(await world.log.committed(GROUP, ORDERS)).toBe(21);
    });

    it('is let through where it is exempt, and where the breaker is off', async () => {
      await send(...bad(20));
      for (const breaker of [{ ...BREAKER, exemptTopics: new Set([ORDERS.topic]) }, NO_BREAKER]) {
        const worker = intake({ group: `${GROUP}-${told.length}-${breaker.recentRecords}` }, breaker);
        await worker.assigned(ORDERS);
        await worker.batch(await batchOf(ORDERS), PATIENT);
        expect(told).toEqual([]);
      }
      expect(await letters()).toHaveLength(40);
    });
  });
});

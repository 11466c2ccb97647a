import { describe, expect, it } from '@jest/globals';
import { OwnershipLostError, type Assignment, type ConsumerOptions } from '#pipeline';
import { eventually, RecordingHandler, values, type LogProbe } from './log-probe.js';

/** One consumer: where it starts, what it is given, failures, pausing, stopping. */
export function consumerContract(probe: () => LogProbe, timeoutMs: number): void {
  const optionsFor = (topic: string, changes: Partial<ConsumerOptions> = {}): ConsumerOptions => ({
    group: probe().group(),
    topics: [topic],
    batchRecordsMax: 100,
    ...changes,
  });

  describe('a consumer', () => {
    it(
      'is given every record of each partition in order, then what comes',
      async () => {
        const topic = await probe().topic(2);
        await probe().appendNumbered(topic, 0, 0, 250);
        await probe().appendNumbered(topic, 1, 1_000, 30);
        const handler = new RecordingHandler({ onBatch: (_, control) => control.heartbeat() });
        const consumer = probe().log.consumer(optionsFor(topic));
        expect(consumer.health()).toMatchObject({ joined: false, lastPollAt: 0, crashed: null });
        await consumer.start(handler);
        await eventually(() => expect(handler.records).toHaveLength(280));
        const health = consumer.health();
        expect(health).toMatchObject({ joined: true, crashed: null });
        expect(health.assigned.map(({ partition }) => partition).sort()).toEqual([0, 1]);
        expect(health.lastPollAt).toBeGreaterThan(0);
        await probe().appendNumbered(topic, 0, 250, 5);
        await eventually(() => expect(handler.records).toHaveLength(285));
        await consumer.stop();
        expect(handler.valuesOf(0)).toEqual(values(0, 255));
        expect(handler.valuesOf(1)).toEqual(values(1_000, 30));
        expect(handler.callsOf(0)).toEqual(['assigned', 'batch', 'revoked']);
        expect(handler.overlaps).toEqual([]);
        for (const { count, first, nextOffset, endOffset } of handler.batches) {
          expect(count).toBeLessThanOrEqual(100);
          expect(nextOffset).toBeGreaterThanOrEqual(first + count);
          expect(endOffset).toBeGreaterThanOrEqual(nextOffset);
        }
      },
      timeoutMs,
    );

    it(
      'may hold records back to fill a batch, and stops, pauses and goes on while it does',
      async () => {
        const topic = await probe().topic();
        const handler = new RecordingHandler();
        const consumer = probe().log.consumer(optionsFor(topic, { batchRecordsMax: 50, fillMs: 60_000 }));
        await consumer.start(handler);
        await probe().appendNumbered(topic, 0, 0, 60);
        await eventually(() => expect(handler.records.length).toBeGreaterThanOrEqual(50));
        await eventually(() => expect(consumer.health().assigned).toHaveLength(1));
        consumer.pause({ topic, partition: 0 });
        consumer.resume({ topic, partition: 0 });
        await consumer.stop();
        expect(handler.callsOf(0)).toEqual(['assigned', 'batch', 'revoked']);
        const hasty = new RecordingHandler();
        const other = probe().log.consumer(optionsFor(topic, { batchRecordsMax: 50, fillMs: 1 }));
        await other.start(hasty);
        await eventually(() => expect(hasty.valuesOf(0)).toEqual(values(0, 60)));
        await other.stop();
      },
      timeoutMs,
    );

    it(
      'may keep a pace, and stops, pauses and goes on while it does',
      async () => {
        const topic = await probe().topic();
        const handler = new RecordingHandler();
        const consumer = probe().log.consumer(optionsFor(topic, { paceMs: 60_000 }));
        await probe().appendNumbered(topic, 0, 0, 60);
        await consumer.start(handler);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 60)));
        consumer.pause({ topic, partition: 0 });
        consumer.resume({ topic, partition: 0 });
        await consumer.stop();
        const hasty = new RecordingHandler();
        const other = probe().log.consumer(optionsFor(topic, { paceMs: 20 }));
        await other.start(hasty);
        await probe().appendNumbered(topic, 0, 60, 60);
        await eventually(() => expect(hasty.valuesOf(0)).toEqual(values(0, 120)));
        await other.stop();
      },
      timeoutMs,
    );

    it(
      'starts where `assigned` says, and goes on past what a transaction has left behind',
      async () => {
        const topic = await probe().topic();
        const writer = await probe().log.writer(probe().group(), { topic, partition: 0 });
        for (let i = 0; i < 4; i += 1) {
          const records = values(i * 10, 10).map((value) => ({
            topic,
            partition: 0,
            key: null,
            value: Buffer.from(value),
          }));
          await writer.commit({ records, positions: [] });
        }
        await probe().valuesOf(topic, 0, 40);
        const startAt = (await probe().readAll(topic, 0))[15]?.offset ?? -1;
        const handler = new RecordingHandler({ startAt: () => startAt });
        const consumer = probe().log.consumer(optionsFor(topic));
        await consumer.start(handler);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(15, 25)));
        await writer.commit({
          records: [{ topic, partition: 0, key: null, value: Buffer.from('v40') }],
          positions: [],
        });
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(15, 26)));
        await consumer.stop();
        await writer.close();
      },
      timeoutMs,
    );

    it(
      'starts at the committed position when `assigned` answers null',
      async () => {
        const topic = await probe().topic();
        const options = optionsFor(topic);
        await probe().appendNumbered(topic, 0, 0, 50);
        const offset = (await probe().readAll(topic, 0))[20]?.offset ?? -1;
        const writer = await probe().log.writer(options.group, { topic, partition: 0 });
        await writer.commit({ records: [], positions: [{ topic, partition: 0, offset }] });
        const handler = new RecordingHandler();
        const consumer = probe().log.consumer(options);
        await consumer.start(handler);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(20, 30)));
        await consumer.stop();
        await writer.close();
      },
      timeoutMs,
    );

    it.each([
      ['any error', () => new Error('the handler failed')],
      ['a lost ownership', () => new OwnershipLostError('somebody else writes')],
    ])(
      'offers the batch again after %s, once the partition was revoked and assigned again',
      async (_, fault) => {
        const topic = await probe().topic();
        await probe().appendNumbered(topic, 0, 0, 10);
        let failuresLeft = 2;
        const handler = new RecordingHandler({
          onBatch: () => {
            failuresLeft -= 1;
            if (failuresLeft >= 0) throw fault();
          },
        });
        const consumer = probe().log.consumer(optionsFor(topic));
        await consumer.start(handler);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 10)));
        await consumer.stop();
        const once = ['assigned', 'batch', 'failed', 'revoked'];
        expect(handler.callsOf(0)).toEqual([...once, ...once, 'assigned', 'batch', 'revoked']);
        expect(new Set(handler.batches.slice(0, 3).map(({ first }) => first)).size).toBe(1);
        expect(consumer.health().crashed).toBeNull();
      },
      timeoutMs,
    );

    it(
      'assigns a partition anew that the handler has lost outside of a batch',
      async () => {
        const topic = await probe().topic();
        const assignments: Assignment[] = [];
        const handler = new RecordingHandler({
          startAt: (_, assignment) => {
            assignments.push(assignment);
            return null;
          },
        });
        const consumer = probe().log.consumer(optionsFor(topic));
        await consumer.start(handler);
        await eventually(() => expect(assignments).toHaveLength(1));
        assignments[0]?.lost(new OwnershipLostError('somebody else writes'));
        await eventually(() => expect(assignments).toHaveLength(2));
        await probe().appendNumbered(topic, 0, 0, 3);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 3)));
        // It was revoked: the partition is somebody else's business.
        assignments[0]?.lost(new OwnershipLostError('too late'));
        await probe().appendNumbered(topic, 0, 3, 3);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 6)));
        await consumer.stop();
        expect(handler.callsOf(0)).toEqual(['assigned', 'revoked', 'assigned', 'batch', 'revoked']);
        expect(consumer.health().crashed).toBeNull();
      },
      timeoutMs,
    );

    it(
      'gives nothing of a paused partition and goes on with the others',
      async () => {
        const topic = await probe().topic(2);
        const handler = new RecordingHandler();
        const consumer = probe().log.consumer(optionsFor(topic));
        await consumer.start(handler);
        await probe().appendNumbered(topic, 0, 0, 1);
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 1)));
        consumer.pause({ topic, partition: 0 });
        await probe().appendNumbered(topic, 0, 1, 5);
        await probe().appendNumbered(topic, 1, 100, 5);
        await eventually(() => expect(handler.valuesOf(1)).toEqual(values(100, 5)));
        expect(handler.valuesOf(0)).toEqual(values(0, 1));
        consumer.resume({ topic, partition: 0 });
        await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 6)));
        await consumer.stop();
      },
      timeoutMs,
    );

    it(
      'counts as alive while its handler says so, however long it is at work',
      async () => {
        const topic = await probe().topic();
        await probe().appendNumbered(topic, 0, 0, 1);
        let isDone = false;
        const handler = new RecordingHandler({
          onBatch: async (_, control) => {
            while (!isDone) {
              await new Promise((resolve) => setTimeout(resolve, 10));
              await control.heartbeat();
            }
          },
        });
        const consumer = probe().log.consumer(optionsFor(topic));
        await consumer.start(handler);
        await eventually(() => expect(handler.batches).toHaveLength(1));
        for (let round = 0; round < 3; round += 1) {
          const now = Date.now();
          await eventually(() => expect(consumer.health().lastPollAt).toBeGreaterThan(now));
        }
        isDone = true;
        await consumer.stop();
      },
      timeoutMs,
    );

    it(
      'finishes the batch in hand before it is revoked and stops',
      async () => {
        const topic = await probe().topic();
        await probe().appendNumbered(topic, 0, 0, 300);
        let letGo = (): void => {};
        const gate = new Promise<void>((resolve) => (letGo = resolve));
        let stale = (): boolean => false;
        const handler = new RecordingHandler({
          onBatch: async (_, control) => {
            stale = () => control.isStale();
            await gate;
          },
        });
        const consumer = probe().log.consumer(optionsFor(topic));
        await consumer.start(handler);
        await eventually(() => expect(handler.batches).toHaveLength(1));
        expect(stale()).toBe(false);
        const stopped = consumer.stop();
        await eventually(() => expect(stale()).toBe(true));
        expect(handler.callsOf(0)).toEqual(['assigned', 'batch']);
        letGo();
        await stopped;
        expect(handler.batches).toHaveLength(1);
        expect(handler.records.length).toBe(handler.batches[0]?.count);
        expect(handler.callsOf(0)).toEqual(['assigned', 'batch', 'revoked']);
        expect(consumer.health()).toMatchObject({ joined: false, assigned: [] });
        await consumer.stop();
      },
      timeoutMs,
    );
  });
}

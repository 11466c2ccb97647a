import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_WINDOWS, defaultRules, type LogEntry } from '#domain';
import {
  epochRaised,
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
  visit,
} from '#testing';
import { FaultPlan, faultyLog } from '../testing/faulty-ports.js';
import { CommitUnknownError } from './log.js';
import type { RelationshipPorts } from './owned-partition.js';
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

describe('a partition in hand', () => {
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

  describe('ticks', () => {
    it('go as far as intake has read, and no further', async () => {
      await world.lay([...START, follow('2024-11-10 10:00')]);
      const worker = world.worker(live());
      await feed(world.log, worker, world.input());
      await worker.maintainAll();
      expect(await ticksOf()).toEqual([]);
      readTo = instant('2024-11-10 11:00');
      await worker.maintainAll();
      // It has not been read back, and is not appended again.
      await worker.maintainAll();
      expect(await ticksOf()).toEqual([readTo]);
      await feedFrom(world.log, worker, world.input(), 3);
      await worker.maintainAll();
      readTo = instant('2024-11-10 11:00:09');
      await worker.maintainAll();
      expect(await ticksOf()).toHaveLength(1);
      readTo = instant('2024-11-10 11:00:10');
      await worker.maintainAll();
      expect(await ticksOf()).toHaveLength(2);
      await worker.revoked(world.input());
    });

    it('stand at each midnight and hour after a long silence, some at a time', async () => {
      await world.lay([...START, tick('2024-01-01 12:00')]);
      const worker = world.worker(live());
      await feed(world.log, worker, world.input());
      readTo = instant('2024-01-09 12:00');
      await worker.maintainAll();
      const first = await ticksOf();
      expect(first).toHaveLength(101);
      expect(first[1]).toBe(instant('2024-01-01 13:00'));
      expect(first).toContain(instant('2024-01-02 00:00'));
      await worker.maintainAll();
      const all = await ticksOf();
      expect(all).toHaveLength(1 + 8 * 24);
      expect(all.at(-1)).toBe(readTo);
      expect(all).toEqual([...all].sort((a, b) => a - b));
      await worker.revoked(world.input());
    });

    it.each(['unknown, done', 'unknown, not done'] as const)(
      'leave no gap where the outcome of the first one is %s',
      async (fault) => {
        await world.lay([...START, follow('2024-11-10 10:00')]);
        const plan = new FaultPlan([{ call: 'writer.commit', nth: 1, fault }]);
        const worker = world.worker({ ...live(), log: faultyLog(world.log, plan) });
        await feed(world.log, worker, world.input());
        const first = instant('2024-11-10 11:00');
        readTo = first;
        await expect(worker.maintainAll()).rejects.toThrow(CommitUnknownError);
        // A day later; the first may stand in the log, so the midnight between must, too.
        readTo = instant('2024-11-11 11:00');
        await worker.maintainAll();
        await worker.maintainAll();
        await feedFrom(world.log, worker, world.input(), 3);
        await worker.maintainAll();
        const ticks = await ticksOf();
        const hours = [...new Set(ticks)];
        expect(hours).toEqual(Array.from({ length: 25 }, (_, nth) => first + nth * 3_600_000));
        expect(hours.at(-1)).toBe(readTo);
        await worker.revoked(world.input());
      },
    );

    it('go on after a restart without any new record', async () => {
      await world.lay([...START, follow('2024-11-10 10:00'), tick('2024-11-10 10:01')]);
      const first = world.worker(live());
      await feed(world.log, first, world.input());
      await first.revoked(world.input());
      world.reopenStore();
      const second = world.worker(live());
      expect(await second.assigned(world.input())).toBe(4);
      readTo = instant('2024-11-10 10:05');
      await second.maintainAll();
      expect(await ticksOf()).toEqual([instant('2024-11-10 10:01'), readTo]);
      await second.revoked(world.input());
    });

    it('wait until what lies behind the checkpoint has been read: it may hold ticks', async () => {
      await world.lay(START);
      const first = world.worker(live());
      await feed(world.log, first, world.input());
      await first.revoked(world.input());
      await world.lay([tick('2024-11-10 10:01'), tick('2024-11-10 10:02')]);
      const second = world.worker(live());
      const from = await second.assigned(world.input());
      readTo = instant('2024-11-10 10:02:20');
      await second.maintainAll();
      expect(await ticksOf()).toHaveLength(2);
      await feedFrom(world.log, second, world.input(), from);
      await second.maintainAll();
      expect(await ticksOf()).toHaveLength(3);
      await second.revoked(world.input());
    });

    it('do not pile up far behind the end of the log, nor in a log without its first records', async () => {
      const worker = world.worker(live());
      await worker.assigned(world.input());
      readTo = instant('2024-11-10 10:00');
      await worker.maintainAll();
      expect(await world.end(TOPICS.relationshipLog)).toBe(0);
      await world.lay([...START, follow('2024-11-10 09:00')]);
      const batch = { ...world.input(), records: [], nextOffset: 0, endOffset: 30_000 };
      for await (const read of world.log.read(world.input(), 0)) {
        await worker.batch({ ...read, endOffset: batch.endOffset }, PATIENT);
      }
      await worker.maintainAll();
      expect(await ticksOf()).toEqual([]);
      await worker.revoked(world.input());
    });

    it('follow each other at one time until nobody is due any more', async () => {
      await world.lay([...START, tick('2024-11-10 00:00'), ...BUYERS, tick('2024-11-10 12:00')]);
      const worker = world.worker(live());
      await feed(world.log, worker, world.input());
      const midnight = instant('2024-12-10 00:00');
      await world.lay([tick(midnight)]);
      await feedFrom(world.log, worker, world.input(), 3 + BUYERS.length + 1);
      const rolling = (await world.facts()).filter(
        ({ schemeId, cause }) => schemeId === 'rolling:30d' && cause === 'TIME',
      );
      expect(rolling.map(({ from, to }) => `${from}→${to}`)).toEqual(Array<string>(10).fill('3→2'));
      expect(new Set(rolling.map(({ person }) => person)).size).toBe(10);
      expect(rolling.every(({ effectiveAt }) => effectiveAt === midnight)).toBe(true);
      expect((await ticksOf()).filter((at) => at === midnight).length).toBeGreaterThanOrEqual(4);
      expect(worker.states()[0]?.moreDue).toBe(false);
      await worker.revoked(world.input());
    });

    it('follow though the record that made persons due was not the last one', async () => {
      await world.lay([...START, tick('2024-11-10 00:00'), ...BUYERS, tick('2024-11-10 12:00')]);
      await world.lay([tick('2024-12-10 00:00'), visit('2024-12-10 00:00:01', { person: 'v' })]);
      const worker = world.worker(live());
      // The batch with the tick ends before the end of the log, the last one has no tick.
      await feed(world.log, worker, world.input(), () => 1);
      expect(worker.states()[0]?.moreDue).toBe(false);
      const falls = (await world.facts()).filter(
        ({ cause, schemeId }) => cause === 'TIME' && schemeId === 'rolling:30d',
      );
      expect(falls).toHaveLength(10);
      await worker.revoked(world.input());
    });

    it('follow after a restart that has lost the continuation', async () => {
      await world.lay([
        ...START,
        tick('2024-11-10 00:00'),
        ...BUYERS,
        tick('2024-11-10 12:00'),
        tick('2024-12-10 00:00'),
      ]);
      const end = await world.end(TOPICS.relationshipLog);
      const first = world.worker();
      await first.assigned(world.input());
      // As if more records had stood behind: nothing is continued in the middle of a log.
      for await (const read of world.log.read(world.input(), 0)) {
        await first.batch({ ...read, endOffset: read.nextOffset + 1 }, PATIENT);
      }
      await first.revoked(world.input());
      expect(await world.end(TOPICS.relationshipLog)).toBe(end);
      const second = world.worker();
      expect(await second.assigned(world.input())).toBe(end);
      expect(second.states()[0]?.moreDue).toBe(true);
      await second.maintainAll();
      await second.maintainAll();
      expect(await world.end(TOPICS.relationshipLog)).toBe(end + 1);
      await feedFrom(world.log, second, world.input(), end);
      expect(second.states()[0]?.moreDue).toBe(false);
      await second.revoked(world.input());
    });
  });

  describe('checkpoints', () => {
    const DAY = 86_400_000;
    const never = {
      checkpointIntervalMs: DAY,
      checkpointRecordsMax: 1_000,
      dirtyStatesMax: 1_000,
    };
    /** Where a successor goes on when this one is killed after eight records, six of them persons. */
    const reached = async (settings: Partial<typeof never>): Promise<number> => {
      const persons = Array.from({ length: 6 }, (_, i) => follow('2024-11-10 10:00', { person: `p${i}` }));
      await world.lay([...START, ...persons]);
      const killed = world.worker({}, { ...never, ...settings });
      await feed(world.log, killed, world.input());
      // The rows go first.
      await killed.maintainAll();
      await killed.maintainAll();
      world.reopenStore();
      return world.worker().assigned(world.input());
    };

    it('come by time', async () => expect(await reached({ checkpointIntervalMs: 0 })).toBe(8));
    it('come by records', async () => expect(await reached({ checkpointRecordsMax: 8 })).toBe(8));
    it('come by persons', async () => expect(await reached({ dirtyStatesMax: 6 })).toBe(8));
    it('come for nothing else', async () => expect(await reached({ checkpointRecordsMax: 9 })).toBe(0));
  });
});

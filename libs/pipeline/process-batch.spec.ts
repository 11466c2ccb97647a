import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry } from '#domain';
import { epochRaised, join, pay, PipelineWorld, refund, rulesSet, tick, WORLD_GROUP } from '#testing';
import { FaultPlan, faultyLog } from '../testing/faulty-ports.js';
import { CommitAbortedError, type RecordBatch, type TransactionalWriter } from './log.js';
import { openPartition } from './open-partition.js';
import type { PartitionState } from './partition-state.js';
import { processBatch, type BatchPorts } from './process-batch.js';

const RULES = defaultRules();
const ENTRIES: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(RULES),
  join('2024-11-10 09:00', { person: 'a' }),
  pay('o1', '2024-11-10 10:00', { person: 'a' }),
  pay('o2', '2024-11-11 10:00', { person: 'a' }),
  refund('o2', '2024-11-11 11:00', { person: 'a', full: true, amount: 10_000 }),
];

describe('a batch of the relationship log', () => {
  let world: PipelineWorld;
  let state: PartitionState;
  let writer: TransactionalWriter;
  beforeEach(async () => {
    world = await PipelineWorld.open();
  });
  afterEach(async () => {
    state.close();
    await writer.close();
    await world.close();
  });

  async function open(plan = new FaultPlan()): Promise<BatchPorts> {
    const log = faultyLog(world.log, plan);
    writer = await log.writer(WORLD_GROUP, world.input());
    ({ state } = await openPartition(world.input(), world.ports({ log })));
    return { ...world.ports({ log }), writer };
  }

  async function batch(from = 0, to?: number): Promise<RecordBatch> {
    const records = [];
    for await (const read of world.log.read(world.input(), from, to)) records.push(...read.records);
    const endOffset = (await world.log.ends(world.input().topic))[0]?.end ?? 0;
    return { ...world.input(), records, nextOffset: to ?? endOffset, endOffset };
  }

  it('publishes each change, the last tier of each scheme, and its position, together', async () => {
    await world.lay(ENTRIES);
    const ports = await open();
    const report = await processBatch(await batch(), state, ports);
    expect(report).toMatchObject({ records: 6, touchpoints: 4, facts: 8, muted: false, continued: false });
    const facts = await world.facts();
    expect(facts.filter(({ schemeId }) => schemeId === 'rolling:30d').map(({ to }) => to)).toEqual([
      2, 3, 4, 3,
    ]);
    expect(facts.map(({ version }) => version & 0xffffn)).toEqual([2n, 2n, 3n, 3n, 4n, 4n, 5n, 5n]);
    const tiers = [...(await world.tiers()).values()];
    expect(tiers.map(({ schemeId, tier }) => `${schemeId} ${tier}`).sort()).toEqual([
      'calendar:month 3',
      'rolling:30d 3',
    ]);
    expect(await world.log.committed(WORLD_GROUP, world.input())).toBe(6);
    expect(state.position).toBe(6);
    expect(state.dirtyStates).toBe(1);
  });

  it('leaves no trace in memory when its transaction fails, and says the same when it comes again', async () => {
    await world.lay(ENTRIES);
    const ports = await open(
      new FaultPlan([{ call: 'writer.commit', nth: 0, fault: 'aborted again and again' }]),
    );
    const all = await batch();
    await expect(processBatch(all, state, ports)).rejects.toThrow(CommitAbortedError);
    expect(state).toMatchObject({ position: 0, dirtyStates: 0, statesInMemory: 0 });
    expect(state.frame.logId).toBeNull();
    state.flush(true);
    expect(state.outbox.size).toBe(0);
    expect(state.checkpoint()).toBe(false);
    await processBatch(all, state, ports);
    expect(await world.facts()).toHaveLength(8);
    state.flush(true);
    expect(state.outbox.size).toBeGreaterThan(0);
  });

  it('that was folded before changes nothing, the committed position least of all', async () => {
    await world.lay(ENTRIES);
    const ports = await open();
    await processBatch(await batch(), state, ports);
    const again = await processBatch(await batch(0, 4), state, ports);
    expect(again).toMatchObject({ records: 0, facts: 0 });
    expect(state.position).toBe(6);
    expect(await world.log.committed(WORLD_GROUP, world.input())).toBe(6);
    // Half of it known, half of it new.
    await world.lay([pay('o3', '2024-11-12 10:00', { person: 'a' })]);
    const half = await processBatch(await batch(2), state, ports);
    expect(half).toMatchObject({ records: 1, facts: 2 });
    expect(await world.facts()).toHaveLength(10);
  });

  it('without records moves the position on, past what transactions leave behind', async () => {
    await world.lay(ENTRIES);
    const ports = await open();
    await processBatch(await batch(), state, ports);
    await processBatch({ ...world.input(), records: [], nextOffset: 9, endOffset: 9 }, state, ports);
    expect(state.position).toBe(9);
    expect(await world.log.committed(WORLD_GROUP, world.input())).toBe(9);
  });

  it('goes only part of the way where very many persons are due at once', async () => {
    const persons = Array.from({ length: 1_200 }, (_, i) => `p${i}`);
    const rules = defaultRules({ duesPerTick: 500, windows: RULES.windows.slice(3) });
    await world.lay([epochRaised(), rulesSet(rules)]);
    await world.lay(
      persons.flatMap((person) => [
        join('2024-11-10 09:00', { person }),
        pay(person, '2024-11-10 10:00', { person }),
      ]),
    );
    await world.lay([tick('2024-11-10 12:00')]);
    const ports = await open();
    let breaths = 0;
    const breathe = () => Promise.resolve(void (breaths += 1));
    let clock = 0;
    const busy = { ...ports, now: () => (clock += 7) };
    await processBatch(await batch(), state, busy, breathe);
    expect(breaths).toBeGreaterThan(2);
    const from = state.position;
    await world.lay(Array<LogEntry>(4).fill(tick('2024-12-10 00:00')));
    const ticks = await batch(from);
    const facts: number[] = [];
    for (let step = 1; step <= 3; step += 1) {
      const report = await processBatch(ticks, state, ports);
      expect(report.continued).toBe(false);
      facts.push(report.facts);
      const position = step === 3 ? from + 4 : from + step;
      expect(state.position).toBe(position);
      expect(await world.log.committed(WORLD_GROUP, world.input())).toBe(position);
    }
    expect(facts).toEqual([1_000, 1_000, 400]);
    expect(state.moreDue).toBe(false);
  });
});

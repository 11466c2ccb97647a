/**
 * Every call of a port goes wrong once, in every way it can, and random runs of several faults: whatever happens,
 * the facts, the last tiers, the final rows and the states are those of an undisturbed run.
 *
 * CRASH_SEED chooses the log, CRASH_CALLS at how many calls each fault is tried, CRASH_RUNS how many random runs.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogEntry, Rules, TierChanged } from '#domain';
import { epochRaised, FoldHarness, PipelineWorld, rulesSet } from '#testing';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import {
  FaultPlan,
  FAULTS,
  faultyLog,
  faultySink,
  faultyStore,
  KilledError,
  PORT_CALLS,
  type PlannedFault,
} from '../testing/faulty-ports.js';
import { batchesOf, feedFrom, PATIENT } from '../testing/pipeline-world.js';
import { figureRows, storedStates, type PlainRow } from '../testing/world-outcome.js';
import type { RelationshipWorker } from './relationship-worker.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Few dues a tick, so that ticks of one time have to follow each other; slow windows, which have few rows. */
const RULES: Rules = {
  ...LOG_RULES,
  duesPerTick: 2,
  windows: [
    { id: '6h', widthMs: 6 * HOUR, slideMs: HOUR, latenessMs: HOUR },
    { id: '2d', widthMs: 48 * HOUR, slideMs: 6 * HOUR, latenessMs: 24 * HOUR },
  ],
};
const RESTARTS_MAX = 40;

const ENTRIES_MAX = 400;

/** A log with all the ticks that it takes until nobody is due: the longest of some that are short enough. */
function wholeLog(seed: number): readonly LogEntry[] {
  let longest: readonly LogEntry[] = [];
  for (const log of fc.sample(personLog(50 * MINUTE), { seed, numRuns: 8 })) {
    const entries: LogEntry[] = [];
    const harness = new FoldHarness(null);
    for (const entry of [epochRaised(), rulesSet(RULES), ...arrivals(log, 0)]) {
      entries.push(entry);
      while (entries.length < ENTRIES_MAX && harness.fold([entry]).moreDue) entries.push(entry);
    }
    if (entries.length < ENTRIES_MAX && entries.length > longest.length) longest = entries;
  }
  return longest;
}

/** Repeatable, and different from call to call. */
function sizes(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 1 + ((state >>> 8) % 60);
  };
}

interface Outcome {
  readonly facts: readonly TierChanged[];
  readonly tiers: ReadonlyMap<string, unknown>;
  readonly rows: readonly PlainRow[];
  readonly states: ReadonlyMap<string, string>;
  readonly counts: ReadonlyMap<string, number>;
}

const worlds: PipelineWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** Runs a log through the worker to its end, restarting it as often as it dies. */
async function run(
  entries: readonly LogEntry[],
  seed: number,
  faults: readonly PlannedFault[],
): Promise<Outcome> {
  const world = await PipelineWorld.open();
  worlds.push(world);
  await world.lay(entries);
  const plan = new FaultPlan(faults);
  const size = sizes(seed);
  for (let starts = 0; ; starts += 1) {
    if (starts > RESTARTS_MAX) throw new Error('it does not come to an end');
    const worker = world.worker(
      {
        log: faultyLog(world.log, plan),
        store: faultyStore(world.store, plan),
        sink: faultySink(world.sink, plan),
      },
      // Every other batch makes rows, every third one a checkpoint.
      { flushIntervalMs: 2, catchUpFlushIntervalMs: 2, correctionIntervalMs: 4, checkpointIntervalMs: 3 },
    );
    if (await lives(world, worker, plan, size)) break;
    plan.reborn();
    world.reopenStore();
  }
  return {
    facts: await world.facts(),
    tiers: await world.tiers(),
    rows: figureRows(world.sink),
    states: storedStates(world.store, 0),
    counts: plan.counts,
  };
}

/** @returns false when the process died on the way */
async function lives(
  world: PipelineWorld,
  worker: RelationshipWorker,
  plan: FaultPlan,
  size: () => number,
): Promise<boolean> {
  const input = world.input();
  for (let failures = 0; failures < RESTARTS_MAX; failures += 1) {
    try {
      let position = await worker.assigned(input);
      for await (const batch of batchesOf(world.log, input, position, size)) {
        world.clock += 1;
        await worker.batch(batch, PATIENT);
        position = batch.nextOffset;
      }
      world.clock += 10;
      await worker.maintainAll();
      position = await feedFrom(world.log, worker, input, position, size);
      await worker.revoked(input);
      // What a bounded drain could not send is sent after the next start.
      await worker.assigned(input);
      world.clock += 10;
      await worker.maintainAll();
      await settled(worker);
      await worker.revoked(input);
      return !plan.isDead;
    } catch (error) {
      if (plan.isDead || error instanceof KilledError) return false;
      // As a consumer does after any failure.
      await worker.revoked(input).catch(() => undefined);
      if (plan.isDead) return false;
    }
  }
  throw new Error('it fails and fails');
}

/** Until the rows are with the sink. */
async function settled(worker: RelationshipWorker): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (worker.states().every(({ outbox }) => outbox.size === 0)) return;
  }
  throw new Error('rows are left in the outbox');
}

function expectSame(found: Outcome, undisturbed: Outcome): void {
  expect(found.facts).toEqual(undisturbed.facts);
  expect(found.tiers).toEqual(undisturbed.tiers);
  expect(found.rows).toEqual(undisturbed.rows);
  expect(found.states).toEqual(undisturbed.states);
}

/** Every fault at every call that an undisturbed run makes, the calls thinned to at most `perFault`. */
function* everyFault(counts: ReadonlyMap<string, number>, perFault: number): Generator<PlannedFault> {
  for (const call of PORT_CALLS) {
    const calls = counts.get(call) ?? 0;
    const step = Math.max(1, Math.ceil(calls / perFault));
    for (const [shift, fault] of FAULTS[call].entries()) {
      for (let nth = shift % step; nth < calls; nth += step) yield { call, nth, fault };
    }
  }
}

const BASE = Number(process.env['CRASH_SEED'] ?? 1_111);
const RUNS = Number(process.env['CRASH_RUNS'] ?? 3);
/** Calls at which each fault is tried. */
const FAULTS_EACH = Number(process.env['CRASH_CALLS'] ?? 2);

describe('a partition that fails', () => {
  it('at any call of any port gives what an undisturbed one gives', async () => {
    const entries = wholeLog(BASE);
    const undisturbed = await run(entries, BASE, []);
    expect(undisturbed.facts.length).toBeGreaterThan(10);
    let runs = 0;
    for (const fault of everyFault(undisturbed.counts, FAULTS_EACH)) {
      try {
        expectSame(await run(entries, BASE, [fault]), undisturbed);
      } catch (error) {
        throw new Error(`CRASH_SEED=${BASE}, ${JSON.stringify(fault)}`, { cause: error });
      }
      runs += 1;
      for (const world of worlds.splice(1)) await world.close();
    }
    expect(runs).toBeGreaterThan(10);
  }, 900_000);

  it('several times in one life gives what an undisturbed one gives', async () => {
    for (let seed = BASE; seed < BASE + RUNS; seed += 1) {
      const entries = wholeLog(seed);
      const undisturbed = await run(entries, seed, []);
      const all = [...everyFault(undisturbed.counts, 1_000)];
      const pick = sizes(seed * 7);
      const faults = Array.from(
        { length: 6 },
        () => all[(pick() * 61 + pick()) % all.length] ?? all[0],
      ).flatMap((fault) => (fault === undefined ? [] : [fault]));
      try {
        // Batches are cut elsewhere, too.
        expectSame(await run(entries, seed + 1, faults), undisturbed);
      } catch (error) {
        throw new Error(`CRASH_SEED=${seed} CRASH_RUNS=1, ${JSON.stringify(faults)}`, { cause: error });
      }
      for (const world of worlds.splice(0)) await world.close();
    }
  }, 900_000);
});

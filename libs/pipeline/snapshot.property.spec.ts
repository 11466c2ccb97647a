/**
 * A snapshot and the tail of the log are the whole log: after the disk was lost, at any point and with any snapshot,
 * the tier changes, states, persons and rows are those of an undisturbed fold, and so is all that comes afterwards.
 * SNAPSHOT_SEED repeats a run, SNAPSHOT_RUNS makes more.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeState, personSummaries, type LogEntry, type PersonSummary, type Rules } from '#domain';
import { SnapshotDirectory } from '#state-store';
import { epochRaised, feed, feedFrom, FoldHarness, PipelineWorld, rulesSet, TempDir } from '#testing';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import { batchesOf, PATIENT } from '../testing/pipeline-world.js';
import { figureRows, storedStates, type PlainRow } from '../testing/world-outcome.js';
import type { RelationshipWorker } from './relationship-worker.js';

const HOUR = 3_600_000;
const RULES: Rules = {
  ...LOG_RULES,
  windows: [
    { id: '6h', widthMs: 6 * HOUR, slideMs: HOUR, latenessMs: HOUR },
    { id: '2d', widthMs: 48 * HOUR, slideMs: 6 * HOUR, latenessMs: 24 * HOUR },
  ],
};
const HEAD: readonly LogEntry[] = [epochRaised(), rulesSet(RULES)];
const seed = process.env['SNAPSHOT_SEED'];
const RUNS = {
  numRuns: Number(process.env['SNAPSHOT_RUNS'] ?? 8),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
};

interface Outcome {
  readonly facts: readonly unknown[];
  readonly tiers: ReadonlyMap<string, unknown>;
  readonly rows: readonly PlainRow[];
  readonly states: ReadonlyMap<string, string>;
  readonly persons: readonly PersonSummary[];
}

/** Where it happens, as shares of the log. */
interface Story {
  readonly snapshotAt: number;
  readonly lostAt: number;
  /** So much of the log is there when the disk is lost; the rest comes later. */
  readonly knownAt: number;
  readonly size: number;
}

const story = fc
  .record({
    shares: fc.uniqueArray(fc.double({ min: 0.05, max: 0.95, noNaN: true }), { minLength: 3, maxLength: 3 }),
    size: fc.integer({ min: 1, max: 60 }),
  })
  .map(({ shares, size }): Story => {
    const [snapshotAt = 0, lostAt = 0, knownAt = 0] = [...shares].sort((a, b) => a - b);
    return { snapshotAt, lostAt, knownAt, size };
  });

async function outcomeOf(world: PipelineWorld, worker: RelationshipWorker): Promise<Outcome> {
  const [state] = worker.states();
  const { rules, watermark } = state?.frame ?? { rules: null, watermark: 0 };
  await worker.flushAll();
  await worker.revoked(world.input());
  const states = storedStates(world.store, 0);
  const persons = [...states.values()]
    .flatMap((bytes) => personSummaries(decodeState(Buffer.from(bytes, 'latin1')), rules ?? RULES, watermark))
    .sort((a, b) => (`${a.person} ${a.scheme_id}` < `${b.person} ${b.scheme_id}` ? -1 : 1));
  const tiers = [...(await world.tiers())].map(
    ([key, { tier, periodId }]) => [key, { tier, periodId }] as const,
  );
  return { facts: await world.facts(), tiers: new Map(tiers), rows: figureRows(world.sink), states, persons };
}

async function undisturbed(entries: readonly LogEntry[]): Promise<Outcome> {
  const world = await PipelineWorld.open();
  try {
    await world.lay(entries);
    const worker = world.worker({}, { drainMs: 1_000 });
    await feed(world.log, worker, world.input());
    return await outcomeOf(world, worker);
  } finally {
    await world.close();
  }
}

/** Folds on to an offset, in batches. */
async function foldTo(
  world: PipelineWorld,
  worker: RelationshipWorker,
  to: number,
  size: number,
): Promise<void> {
  const from = worker.states()[0]?.position ?? 0;
  const log = { read: world.log.read.bind(world.log), ends: () => Promise.resolve(ENDS(to)) };
  for await (const batch of batchesOf(log, world.input(), from, () => size)) {
    await worker.batch(batch, PATIENT);
  }
}
const ENDS = (end: number) => [{ partition: 0, start: 0, end }];

async function afterLostDisk(
  entries: readonly LogEntry[],
  { snapshotAt, lostAt, knownAt, size }: Story,
): Promise<Outcome> {
  const world = await PipelineWorld.open();
  const dir = new TempDir('snapshots');
  const at = (share: number): number => Math.max(HEAD.length, Math.floor(entries.length * share));
  try {
    await world.lay(entries.slice(0, at(knownAt)));
    let takenAt: number | null = null;
    const failures: Error[] = [];
    const now = (): number => (world.clock += 1);
    const settings = {
      ...{ drainMs: 1_000, flushIntervalMs: 3, checkpointIntervalMs: 5, snapshotIntervalMs: 1_000_000 },
    };
    const ports = { now, snapshots: new SnapshotDirectory(dir.path, () => 0) };
    const snapshots = {
      found: () => undefined,
      taken: ({ checkpoint }: { checkpoint: { offset: number } }) => void (takenAt = checkpoint.offset),
      failed: (_: number, error: Error) => void failures.push(error),
    };
    const first = world.worker(ports, settings, { snapshots });
    await first.assigned(world.input());
    await foldTo(world, first, at(snapshotAt), size);
    for (let turn = 0; takenAt === null && failures.length === 0 && turn < 2_000; turn += 1) {
      await first.maintainAll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(failures).toEqual([]);
    expect(takenAt).not.toBeNull();
    await foldTo(world, first, at(lostAt), size);
    // It is killed, and its machine with it.
    world.loseDisk();
    const second = world.worker(ports, settings, { snapshots });
    const from = await second.assigned(world.input());
    expect(from).toBe(takenAt);
    await feedFrom(world.log, second, world.input(), from, () => size);
    await world.lay(entries.slice(at(knownAt)));
    await feedFrom(world.log, second, world.input(), at(knownAt), () => size);
    return await outcomeOf(world, second);
  } finally {
    await world.close();
    dir.remove();
  }
}

/** With the ticks that it takes until nobody is due. */
function withAllTicks(log: readonly LogEntry[]): readonly LogEntry[] {
  const harness = new FoldHarness(null);
  harness.fold(HEAD);
  const entries = [...HEAD];
  for (const entry of log) {
    entries.push(entry);
    while (harness.fold([entry]).moreDue) entries.push(entry);
  }
  return entries;
}

describe('a snapshot and the tail of the log', () => {
  it('are the whole log, and all that follows is the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        personLog(HOUR / 2).filter((log) => arrivals(log, 0, RULES).length < 300),
        story,
        async (log, told) => {
          const entries = withAllTicks(arrivals(log, 0, RULES));
          const whole = await undisturbed(entries);
          const back = await afterLostDisk(entries, told);
          expect(back.facts).toEqual(whole.facts);
          expect(back).toEqual(whole);
        },
      ),
      RUNS,
    );
  }, 900_000);
});

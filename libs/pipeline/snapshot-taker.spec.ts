import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, FOLD_VERSION, type LogEntry } from '#domain';
import {
  epochRaised,
  feed,
  feedFrom,
  follow,
  MemorySnapshotStore,
  PipelineWorld,
  rulesSet,
  tick,
} from '#testing';
import { entriesOf } from './restore-snapshot.js';
import type { SnapshotDraft, SnapshotManifest } from './snapshot-store.js';
import { SnapshotTaker, type SnapshotSource } from './snapshot-taker.js';
import type { StoreEntry } from './state-store.js';

const HISTORY: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(defaultRules()),
  ...Array.from({ length: 50 }, (_, i) => follow('2024-11-10 10:00', { person: `p${i}` })),
  tick('2024-11-10 10:01'),
];
const MINUTE = 60_000;

describe('snapshots of a partition', () => {
  let world: PipelineWorld;
  let place: MemorySnapshotStore;
  let told: string[];
  let taken: SnapshotManifest[];
  beforeEach(async () => {
    world = await PipelineWorld.open();
    world.clock = Date.UTC(2026, 10, 11);
    place = new MemorySnapshotStore();
    told = [];
    taken = [];
    await world.lay(HISTORY);
  });
  afterEach(() => world.close());

  const observer = {
    found: ({ checkpoint }: SnapshotManifest) => told.push(`found ${checkpoint.offset}`),
    taken: (manifest: SnapshotManifest) => {
      told.push(`taken ${manifest.checkpoint.offset}`);
      taken.push(manifest);
    },
    failed: (partition: number, error: Error) => told.push(`failed ${partition}: ${error.message}`),
  };
  const taker = (keep = 2) =>
    new SnapshotTaker(place, { everyMs: 10 * MINUTE, recordsMax: 20, keep }, () => world.clock, observer);
  const folded = async (): Promise<ReturnType<PipelineWorld['worker']>> => {
    const worker = world.worker({}, { checkpointIntervalMs: 1 });
    world.clock += 10;
    await feed(world.log, worker, world.input());
    await settle(worker);
    return worker;
  };
  /** Rows are sent first, and then the store is written. */
  const settle = async (worker: ReturnType<PipelineWorld['worker']>): Promise<void> => {
    for (let second = 0; second < 3; second += 1) {
      world.clock += 1_000;
      await worker.maintainAll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  /** As the worker's partition is one. */
  const sourceOf = (worker: ReturnType<PipelineWorld['worker']>): SnapshotSource => ({
    partition: 0,
    isHeld: true,
    position: worker.states()[0]?.position ?? 0,
    freeze: () => worker.states()[0]?.freeze() ?? null,
  });
  const more = async (worker: ReturnType<PipelineWorld['worker']>, person: string): Promise<void> => {
    const from = worker.states()[0]?.position ?? 0;
    await world.lay([follow('2024-11-10 10:02', { person })]);
    world.clock += 2_000;
    await feedFrom(world.log, worker, world.input(), from);
    await settle(worker);
  };

  it('are taken when it is time, hold all that the store has, and say what they are', async () => {
    const worker = await folded();
    const snapshots = taker();
    const source = sourceOf(worker);
    await snapshots.maintain(source);
    expect(told).toEqual([`taken ${HISTORY.length}`]);
    await more(worker, 'late');
    world.clock += 5 * MINUTE;
    await snapshots.maintain(source);
    expect(told).toHaveLength(1);
    world.clock += 5 * MINUTE;
    await snapshots.maintain(source);
    expect(told).toEqual([`taken ${HISTORY.length}`, `taken ${HISTORY.length + 1}`]);
    const newest = taken.at(-1);
    if (newest === undefined) throw new Error('nothing was taken');
    expect(newest).toMatchObject({
      partition: 0,
      takenAt: world.clock,
      checkpoint: { logId: 'log', epoch: 1, generation: 1, foldVersion: FOLD_VERSION },
    });
    const entries: StoreEntry[] = [];
    for await (const some of entriesOf(newest, place)) entries.push(...some);
    await worker.revoked(world.input());
    const store = world.store.open(0);
    expect(newest.checkpoint).toEqual(store.checkpoint());
    expect(entries.filter(([kind]) => kind === 'state').map(([, key, value]) => [key, value])).toEqual([
      ...store.states(),
    ]);
    expect(entries.filter(([kind]) => kind === 'blob').length).toBeGreaterThan(0);
    store.close();
  });

  it('come earlier where many records were folded since the last, after a pause', async () => {
    const worker = await folded();
    place = new Slow(() => (world.clock += 1_000));
    const snapshots = taker();
    await snapshots.maintain(sourceOf(worker));
    const from = worker.states()[0]?.position ?? 0;
    await world.lay(Array.from({ length: 20 }, (_, i) => follow('2024-11-10 10:02', { person: `q${i}` })));
    await feedFrom(world.log, worker, world.input(), from);
    await settle(worker);
    await snapshots.maintain(sourceOf(worker));
    expect(taken).toHaveLength(1);
    world.clock += 37_000;
    await snapshots.maintain(sourceOf(worker));
    expect(told).toEqual([`taken ${HISTORY.length}`, `taken ${HISTORY.length + 20}`]);
    world.clock += MINUTE;
    await more(worker, 'one more');
    await snapshots.maintain(sourceOf(worker));
    expect(taken).toHaveLength(2);
    await worker.revoked(world.input());
  });

  it('are of one instant, though the partition goes on while they are written', async () => {
    const worker = await folded();
    const before = worker.states()[0]?.position;
    const taking = taker().maintain(sourceOf(worker));
    for (let i = 0; i < 5; i += 1) await more(worker, `meanwhile ${i}`);
    await taking;
    const [manifest] = taken;
    if (manifest === undefined) throw new Error('nothing was taken');
    expect(manifest.checkpoint.offset).toBe(before);
    const keys: string[] = [];
    for await (const some of entriesOf(manifest, place)) keys.push(...some.map(([, key]) => key));
    expect(keys.filter((key) => key.includes('meanwhile'))).toEqual([]);
    expect(keys.filter((key) => /p\d/.test(key))).not.toEqual([]);
    await worker.revoked(world.input());
  });

  it('stay as many as are wanted, of one log and fold; those of others are left alone', async () => {
    const worker = await folded();
    const other = place.keep(
      { partition: 0, takenAt: 0, checkpoint: { ...CHECKPOINT, logId: 'other' } },
      EMPTY,
    );
    const older = place.keep(
      { partition: 0, takenAt: 0, checkpoint: { ...CHECKPOINT, foldVersion: 0 } },
      EMPTY,
    );
    const snapshots = taker(2);
    for (let round = 0; round < 4; round += 1) {
      await more(worker, `p-${round}`);
      world.clock += 11 * MINUTE;
      await snapshots.maintain(sourceOf(worker));
    }
    expect(taken).toHaveLength(4);
    const ids = (await place.list(0)).map(({ id }) => id);
    expect(ids.sort()).toEqual([other.id, older.id, ...taken.slice(-2).map(({ id }) => id)].sort());
    await worker.revoked(world.input());
  });

  it('are not taken anew because of a restart or a move', async () => {
    const worker = await folded();
    await taker().maintain(sourceOf(worker));
    world.clock += 9 * MINUTE;
    await taker().maintain(sourceOf(worker));
    expect(told).toEqual([`taken ${HISTORY.length}`, `found ${HISTORY.length}`]);
    world.clock += MINUTE;
    await taker().maintain(sourceOf(worker));
    expect(told.at(-1)).toMatch(/^taken/);
    await worker.revoked(world.input());
  });

  it('fail without a word to the partition, and are tried again', async () => {
    const worker = await folded();
    const snapshots = taker();
    place.obstacle = new Error('ENOSPC: no space left on device');
    await snapshots.maintain(sourceOf(worker));
    expect(told).toEqual(['failed 0: ENOSPC: no space left on device']);
    await snapshots.maintain(sourceOf(worker));
    expect(told).toHaveLength(1);
    world.clock += 20_000;
    await snapshots.maintain(sourceOf(worker));
    expect(told).toHaveLength(2);
    // The pauses grow.
    world.clock += 20_000;
    await snapshots.maintain(sourceOf(worker));
    expect(told).toHaveLength(2);
    place.obstacle = null;
    world.clock += 20_000;
    await snapshots.maintain(sourceOf(worker));
    expect(told.at(-1)).toMatch(/^taken/);
    await worker.revoked(world.input());
  });

  it('are not taken more often because an old one cannot be removed', async () => {
    const worker = await folded();
    const snapshots = new SnapshotTaker(
      new Sealed(),
      { everyMs: 10 * MINUTE, recordsMax: Infinity, keep: 1 },
      () => world.clock,
      observer,
    );
    for (let round = 0; round < 2; round += 1) {
      await snapshots.maintain(sourceOf(worker));
      world.clock += 10 * MINUTE;
    }
    world.clock -= 9 * MINUTE;
    await snapshots.maintain(sourceOf(worker));
    const taken53 = `taken ${HISTORY.length}`;
    expect(told).toEqual([taken53, taken53, 'failed 0: EPERM']);
    await worker.revoked(world.input());
  });

  it('of a partition that leaves in the middle are nothing, and no failure', async () => {
    const worker = world.worker({ snapshots: place }, { checkpointIntervalMs: 1 }, { snapshots: observer });
    await feed(world.log, worker, world.input());
    world.clock += 2_000;
    await worker.maintainAll();
    world.clock += 2_000;
    // It begins, and its next block comes too late.
    await worker.maintainAll();
    await worker.revoked(world.input());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told.filter((one) => one.startsWith('failed'))).toEqual([]);
    expect((await place.list(0)).length).toBe(taken.length);
    world.reopenStore();
    const again = await folded();
    expect(again.states()[0]?.position).toBe(HISTORY.length);
    await again.revoked(world.input());
  });

  it('come of the worker by themselves', async () => {
    const worker = world.worker({ snapshots: place }, {}, { snapshots: observer });
    await feed(world.log, worker, world.input());
    for (let second = 0; second < 30; second += 1) {
      world.clock += 1_000;
      await worker.maintainAll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(told).toEqual([`taken ${HISTORY.length}`]);
    await worker.revoked(world.input());
  });
});

/** By the clock of the taker, each takes some time. */
class Slow extends MemorySnapshotStore {
  constructor(private readonly pass: () => void) {
    super();
  }

  override put(draft: SnapshotDraft, blocks: Iterable<Buffer>): Promise<SnapshotManifest> {
    this.pass();
    return super.put(draft, blocks);
  }
}

/** Takes in and lists, but lets nothing be removed. */
class Sealed extends MemorySnapshotStore {
  override remove(): Promise<void> {
    return Promise.reject(new Error('EPERM'));
  }
}

const EMPTY = Buffer.alloc(0);
const CHECKPOINT = {
  ...{ logId: 'log', epoch: 1, generation: 1, foldVersion: FOLD_VERSION, offset: 10, lastApplied: null },
  watermark: 0,
};

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules, type LogEntry } from '#domain';
import { epochRaised, follow, MemorySnapshotStore, PipelineWorld, rulesSet, tick } from '#testing';
import { ForeignLogError } from './log-identity.js';
import type { Log } from './log.js';
import { openPartition } from './open-partition.js';
import type { SnapshotManifest } from './snapshot-store.js';
import { SnapshotTaker } from './snapshot-taker.js';
import type { PartitionStore } from './state-store.js';

const HISTORY: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(defaultRules()),
  follow('2024-11-10 10:00'),
  tick('2024-11-10 10:01'),
];

describe('opening a partition without a good store', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open();
  });
  afterEach(() => world.close());

  const open = (changes: Parameters<PipelineWorld['ports']>[0] = {}) =>
    openPartition(world.input(), world.ports(changes));

  const place = new MemorySnapshotStore();
  let clock = 0;
  beforeEach(async () => {
    for (const one of await place.list(null)) await place.remove(one);
  });

  /** Folds what is there and takes a snapshot of it; then the disk is gone. */
  async function snapshot(): Promise<SnapshotManifest> {
    const taken: SnapshotManifest[] = [];
    await world.foldAll();
    const store = world.store.open(0);
    const snapshots = new SnapshotTaker(
      place,
      { everyMs: 1, recordsMax: Infinity, keep: 9 },
      () => (clock += 10),
      {
        found: () => undefined,
        taken: (manifest) => taken.push(manifest),
        failed: (_, error) => expect(error).toBeUndefined(),
      },
    );
    await snapshots.maintain({ partition: 0, isHeld: true, position: 0, freeze: () => store.freeze() });
    store.close();
    const [manifest] = taken;
    if (manifest === undefined) throw new Error('nothing was taken');
    return manifest;
  }
  async function twoSnapshots(): Promise<readonly [SnapshotManifest, SnapshotManifest]> {
    await world.lay(HISTORY);
    const older = await snapshot();
    await world.lay([follow('2024-11-10 10:02', { person: 'p2' }), tick('2024-11-10 10:03')]);
    const newer = await snapshot();
    world.loseDisk();
    return [older, newer];
  }
  const restore = (changes: Parameters<PipelineWorld['ports']>[0] = {}) =>
    open({ snapshots: place, ...changes });

  it('comes back from the newest snapshot', async () => {
    const [, newer] = await twoSnapshots();
    const { state, origin } = await restore();
    expect(origin).toEqual({ snapshot: newer, refused: [], setAside: null });
    expect(state).toMatchObject({ position: 6, mutedTo: 6 });
    expect(state.frame.watermark).toBe(Date.parse('2024-11-10T10:03+08:00'));
    state.close();
    // It is a store like any other from here on.
    const again = await restore();
    expect(again.origin).toEqual({ snapshot: null, refused: [], setAside: null });
    expect(again.state.position).toBe(6);
    again.state.close();
  });

  it.each(['flip a bit', 'cut the end', 'lose the entries', 'flip a bit of the manifest'] as const)(
    'passes one over that is torn (%s), names it, and takes the next older one',
    async (how) => {
      const [older, newer] = await twoSnapshots();
      place.damage(newer.id, how);
      const { state, origin } = await restore();
      expect(origin.snapshot).toEqual(older);
      expect(origin.refused.map(({ id }) => id)).toEqual([newer.id]);
      expect(state).toMatchObject({ position: 4, mutedTo: 6 });
      state.close();
    },
  );

  it('is folded from the start where every snapshot is torn, with nothing left of them', async () => {
    const both = await twoSnapshots();
    for (const { id } of both) place.damage(id, 'cut the end');
    const { state, origin } = await restore();
    expect(origin.refused.map(({ id }) => id)).toEqual(both.map(({ id }) => id).reverse());
    expect(state).toMatchObject({ position: 0, mutedTo: 6, statesInMemory: 0 });
    state.close();
    const store = world.store.open(0);
    expect([...store.states()]).toEqual([]);
    store.close();
  });

  it('is folded from the start where the place does not answer, and says so', async () => {
    await twoSnapshots();
    place.obstacle = new Error('EIO: i/o error');
    const { state, origin } = await restore();
    place.obstacle = null;
    expect(origin.refused).toEqual([{ id: 'memory', reason: 'EIO: i/o error' }]);
    expect(state).toMatchObject({ position: 0, mutedTo: 6 });
    state.close();
  });

  it.each([
    ['of another log', { logId: 'other' }, /was folded from log other, but this is log log/],
    [
      'of another fold',
      { foldVersion: 1 },
      /by version 1 of the fold, this is version \d+; only that release/,
    ],
    ['with another last record', { lastApplied: { offset: 5, hash: 'x' } }, /record 5 .* another one/],
    ['newer than the log', { lastApplied: { offset: 50, hash: 'x' } }, /record 50 .* gone/],
    ['ahead of what is committed', { offset: 7 }, /at offset 7, ahead of the committed offset 6 of group/],
  ])('passes one over that is %s', async (_, change, reason) => {
    const [older, newer] = await twoSnapshots();
    place.relabel(newer.id, (one) => ({ ...one, checkpoint: { ...one.checkpoint, ...change } }));
    const { state, origin } = await restore();
    expect(origin.snapshot).toEqual(older);
    expect(origin.refused.map(({ id }) => id)).toEqual([newer.id]);
    expect(origin.refused[0]?.reason).toMatch(reason);
    state.close();
  });

  it('refuses where nobody knows what was published since the snapshot', async () => {
    const [, newer] = await twoSnapshots();
    await expect(restore({ group: 'other' })).rejects.toThrow(
      new RegExp(
        `Snapshot ${newer.id} .* no committed offset.* Commit offset 6 .* remove the snapshots`,
        's',
      ),
    );
    await expect(restore({ group: 'other' })).rejects.toThrow(ForeignLogError);
  });

  it('refuses with the way out where the start of the log is gone and no snapshot reaches behind it', async () => {
    const [older, newer] = await twoSnapshots();
    place.damage(newer.id, 'flip a bit');
    const cut: Log = Object.assign(Object.create(world.log) as Log, {
      ends: () => Promise.resolve([{ partition: 0, start: 5, end: 6 }]),
    });
    await expect(restore({ log: cut })).rejects.toThrow(
      new RegExp(
        `begins at offset 5.*GRAVITY_SNAPSHOT_DIR.*Snapshot ${newer.id} .*Snapshot ${older.id} is at offset 4`,
        's',
      ),
    );
    await expect(restore({ log: cut })).rejects.toThrow(ForeignLogError);
  });

  it('comes back from a snapshot where the start of the log is gone', async () => {
    await twoSnapshots();
    const cut: Log = Object.assign(Object.create(world.log) as Log, {
      ends: () => Promise.resolve([{ partition: 0, start: 5, end: 6 }]),
    });
    const { state } = await restore({ log: cut });
    expect(state.position).toBe(6);
    state.close();
  });

  it('throws away what a restore has left that was broken off', async () => {
    const [, newer] = await twoSnapshots();
    const store = world.store.open(0);
    store.load([['state', 'nobody', Buffer.from('half')]]);
    store.close();
    const { state, origin } = await restore();
    expect(origin.snapshot).toEqual(newer);
    state.close();
    const whole = world.store.open(0);
    expect([...whole.states()].map(([key]) => key)).not.toContain('nobody');
    whole.close();
  });

  it('throws it away also where it is folded from the start', async () => {
    await world.lay(HISTORY);
    const store = world.store.open(0);
    store.load([['state', 'nobody', Buffer.from('half')]]);
    store.close();
    const { state } = await open();
    state.close();
    const empty = world.store.open(0);
    expect([...empty.states()]).toEqual([]);
    empty.close();
  });

  /** As it was before the partition went to another machine for a while. */
  async function leaveBehind(): Promise<void> {
    await world.lay(HISTORY);
    await world.foldAll();
    const store = world.store.open(0);
    const frozen = store.freeze();
    const then = frozen?.read(Infinity) ?? [];
    const checkpoint = frozen?.checkpoint;
    frozen?.close();
    store.close();
    await world.lay([follow('2024-11-10 10:02', { person: 'p2' }), tick('2024-11-10 10:03')]);
    await snapshot();
    world.loseDisk();
    const old = world.store.open(0);
    if (checkpoint === undefined) throw new Error('no checkpoint');
    old.load(then);
    old.write({ checkpoint, states: [], blobs: [], outbox: [] });
    old.close();
  }

  it.each([
    [2, 6, 'is ahead by so much'],
    [3, 4, 'is not'],
  ])('asked for a lead of %i records begins at %i: the snapshot %s', async (lead, position) => {
    await leaveBehind();
    const { state, origin } = await restore({ snapshotLeadMin: lead });
    expect(origin).toMatchObject({ refused: [], setAside: null });
    expect(origin.snapshot === null).toBe(position === 4);
    expect(state).toMatchObject({ position, mutedTo: 6 });
    state.close();
  });

  it('keeps an old store where the snapshots that are ahead of it are torn, or do not answer', async () => {
    await leaveBehind();
    const [newest] = place.ids();
    if (newest === undefined) throw new Error('no snapshot');
    place.damage(newest, 'cut the end');
    for (const obstacle of [null, new Error('away')]) {
      place.obstacle = obstacle;
      const { state, origin } = await restore({ snapshotLeadMin: 1 });
      expect(origin).toEqual({ snapshot: null, refused: [], setAside: null });
      expect(state.position).toBe(4);
      state.close();
    }
    place.obstacle = null;
  });

  it('prefers a store that is there and good', async () => {
    await world.lay(HISTORY);
    await snapshot();
    const { state, origin } = await restore();
    expect(origin.snapshot).toBeNull();
    expect(state.position).toBe(4);
    state.close();
  });

  it.each([
    ['the checkpoint', { checkpoint: 'offset' }],
    ['the rules', { blobs: 'rules' }],
    ['a state', { states: 'short' }],
  ])('sets a store aside of which %s cannot be read, and keeps it', async (_, what) => {
    await world.lay(HISTORY);
    const newest = await snapshot();
    const store = world.store.open(0);
    const checkpoint = store.checkpoint();
    if (checkpoint === null) throw new Error('no checkpoint');
    const offset: unknown = 'checkpoint' in what ? 'four' : checkpoint.offset;
    store.write({
      checkpoint: Object.assign({}, checkpoint, { offset }),
      states: 'states' in what ? [['brand\0p', Buffer.from('?')]] : [],
      blobs: 'blobs' in what ? encodedBlobNames(store).map((name) => [name, Buffer.from('?')] as const) : [],
      outbox: [],
    });
    store.close();
    const { state, origin } = await restore();
    expect(origin.snapshot).toEqual(newest);
    expect(origin.setAside?.reason).toMatch(/cannot be read/);
    expect(origin.setAside?.kept).toContain(world.storeDirectory);
    expect(state.position).toBe(4);
    state.close();
  });

  it('sets it aside and folds from the start where there are no snapshots', async () => {
    await world.lay(HISTORY);
    await world.foldAll();
    const store = world.store.open(0);
    const checkpoint = store.checkpoint();
    if (checkpoint === null) throw new Error('no checkpoint');
    store.write({ checkpoint, states: [['brand\0p', Buffer.from('?')]], blobs: [], outbox: [] });
    store.close();
    const { state, origin } = await open();
    expect(origin.setAside?.reason).toMatch(/cannot be read/);
    expect(state).toMatchObject({ position: 0, mutedTo: 4 });
    state.close();
  });
});

function encodedBlobNames(store: PartitionStore): readonly string[] {
  const frozen = store.freeze();
  const names = (frozen?.read(Infinity) ?? []).flatMap(([kind, name]) => (kind === 'blob' ? [name] : []));
  frozen?.close();
  return names;
}

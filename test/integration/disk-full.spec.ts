/** A disk that is full under the local store: a real one, small enough to be filled. */
import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultRules } from '#domain';
import { StoreWriteError } from '#pipeline';
import { LmdbStateStore } from '#state-store';
import { epochRaised, feed, join as joins, PipelineWorld, rulesSet, TempDir, tick } from '#testing';
import { noteSkipped } from '../servers/servers.js';

const TITLE = 'a disk that is full';
const PERSONS = 6_000;
const HEADROOM_BYTES = 200_000;
const EAGER = { checkpointIntervalMs: 0, flushIntervalMs: 0, drainMs: 0 };

const disk = new TempDir('small-disk');
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk.path]).status === 0;
if (!mounted) {
  noteSkipped(TITLE, 'a small disk cannot be mounted here', true);
  disk.remove();
}

(mounted ? describe : describe.skip)(TITLE, () => {
  let world: PipelineWorld;
  let store: LmdbStateStore;
  const ballast = join(disk.path, 'ballast');

  beforeEach(async () => {
    world = await PipelineWorld.open();
    store = LmdbStateStore.open({ path: join(disk.path, 'state') });
  });
  afterEach(async () => {
    store.close();
    await world.close();
    spawnSync('umount', [disk.path]);
    disk.remove();
  });

  function fill(): void {
    const { bavail, bsize } = statfsSync(disk.path);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - HEADROOM_BYTES)));
  }
  const people = async (from: number, to: number) => {
    const entries = Array.from({ length: to - from }, (_, n) =>
      joins('2024-11-10 10:00', { id: `e${from + n}`, person: `p${from + n}` }),
    );
    await world.lay(entries);
  };

  it('stops the partition with a clear error; what was published stays so, and nothing is published twice', async () => {
    await world.lay([epochRaised(), rulesSet(defaultRules())]);
    await people(0, 1_000);
    const worker = world.worker({ store, now: () => (world.clock += 1) }, EAGER);
    await feed(world.log, worker, world.input());
    await worker.revoked(world.input());
    const before = store.stored();
    fill();
    await people(1_000, PERSONS);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const full = feed(world.log, worker, world.input(), () => 500);
      await expect(full).rejects.toThrow(StoreWriteError);
      await expect(full).rejects.toThrow(/could not be written \(is the disk full\?\)/);
    }
    expect(store.stored()).toEqual(before);

    rmSync(ballast);
    await world.lay([tick('2024-11-10 10:01')]);
    await feed(world.log, worker, world.input());
    await worker.revoked(world.input());
    expect(store.stored()).toEqual([{ partition: 0, offset: PERSONS + 3 }]);
    const facts = await world.facts();
    expect(new Set(facts.map(({ person, schemeId }) => `${schemeId} ${person}`)).size).toBe(2 * PERSONS);
    expect(facts).toHaveLength(2 * PERSONS);
  }, 120_000);
});

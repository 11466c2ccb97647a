import { rmSync, truncateSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FOLD_VERSION } from '#domain';
import { SnapshotTaker, type FrozenPartition, type StoreEntry } from '#pipeline';
import { SnapshotDirectory } from '#state-store';
import { GravityHost, type GravityOutcome, runGravity, TempDir } from '#testing';

describe('gravity snapshots', () => {
  const host = new GravityHost();
  let dir: TempDir;
  beforeEach(() => {
    dir = new TempDir('snapshots');
  });
  afterEach(() => dir.remove());
  afterAll(() => host.stop());

  const gravity = (...argv: readonly string[]): Promise<GravityOutcome> =>
    host.run(['snapshots', ...argv], { HOME: dir.path });
  const frozen = (offset: number, foldVersion: number): FrozenPartition => {
    const entries: StoreEntry[] = [['state', 'brand\0p', Buffer.alloc(1_000)]];
    const checkpoint = { logId: 'log-1', epoch: 1, generation: 1, foldVersion, offset };
    return {
      checkpoint: { ...checkpoint, lastApplied: null, watermark: 0 },
      read: () => entries.splice(0),
      close: () => undefined,
    };
  };

  /** @returns its id */
  async function take(partition: number, offset: number, foldVersion = FOLD_VERSION): Promise<string> {
    const ids: string[] = [];
    const taker = new SnapshotTaker(
      new SnapshotDirectory(dir.path),
      { everyMs: 1, recordsMax: Infinity, keep: 9 },
      Date.now,
      {
        found: () => undefined,
        taken: ({ id }) => ids.push(id),
        failed: (_, error) => {
          throw error;
        },
      },
    );
    await taker.maintain({ partition, isHeld: true, position: 0, freeze: () => frozen(offset, foldVersion) });
    return ids[0] ?? '';
  }

  it('lists what is there, and says what is torn when asked to read it', async () => {
    const good = await take(0, 100);
    const other = await take(3, 50, FOLD_VERSION + 1);
    const cut = await take(3, 70);
    const gnawed = await take(11, 10);
    truncateSync(dir.join(cut, 'entries.bin'), 500);
    rmSync(dir.join(gnawed, 'manifest.json'));

    const command = ['snapshots', 'list', '--dir', dir.path, '--format', 'json'];
    const list = await runGravity(command, { HOME: dir.path });
    expect(list.code).toBe(0);
    expect(JSON.parse(list.out)).toMatchObject([
      { snapshot: good, offset: 100, fold_version: FOLD_VERSION, log: 'log-1', state: 'ok' },
      { snapshot: gnawed, offset: null, state: 'torn' },
      { snapshot: other, offset: 50, state: 'of another release' },
      { snapshot: cut, offset: 70, state: 'ok' },
    ]);

    const verified = await gravity('verify', '--dir', dir.path);
    expect(verified.code).toBe(1);
    expect(verified.err).toContain('2 of 4 snapshots are torn');
    const stateOf = (id: string): string =>
      verified.out.split('\n').find((line) => line.startsWith(id)) ?? '';
    expect(stateOf(good)).toMatch(/ok$/);
    expect(stateOf(cut)).toMatch(/torn: has 500 bytes of \d+ in entries\.bin$/);
    expect(stateOf(gnawed)).toMatch(/torn: has a manifest that cannot be read/);

    rmSync(dir.join('partition-11'), { recursive: true });
    rmSync(dir.join(cut), { recursive: true });
    expect(await gravity('verify', '--dir', dir.path)).toMatchObject({ code: 0 });
  });

  it('asks for a folder where none is named, and shows nothing of an empty one', async () => {
    const unnamed = await gravity('list');
    expect(unnamed).toMatchObject({ code: 2, out: '' });
    expect(unnamed.err).toContain('GRAVITY_SNAPSHOT_DIR');
    const empty = await gravity('list', '--dir', dir.join('none'));
    expect(empty).toMatchObject({ code: 0 });
    expect(empty.out.split('\n')).toHaveLength(2);
  });
});

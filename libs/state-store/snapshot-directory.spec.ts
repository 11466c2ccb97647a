import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SnapshotDraft } from '#pipeline';
import { snapshotStoreContract, TempDir } from '#testing';
import { SnapshotDirectory } from './index.js';

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

snapshotStoreContract('directory', () => {
  const dir = new TempDir('snapshots');
  const place = dir.join('not', 'there', 'yet');
  return {
    store: new SnapshotDirectory(place),
    elsewhere: () => new SnapshotDirectory(place),
    damage(id, how) {
      const entries = join(place, id, 'entries.bin');
      if (how === 'flip a bit') flipBit(entries, 2_000_000);
      else if (how === 'cut the end') truncateSync(entries, 2_999_999);
      else if (how === 'lose the entries') rmSync(entries);
      else flipBit(join(place, id, 'manifest.json'), 90);
    },
    cleanup: () => dir.remove(),
  };
});

const DRAFT: SnapshotDraft = {
  partition: 2,
  checkpoint: {
    ...{ logId: 'log', epoch: 1, generation: 1, foldVersion: 1, offset: 81_225, lastApplied: null },
    watermark: 0,
  },
  takenAt: Date.UTC(2026, 10, 11),
};

describe('SnapshotDirectory', () => {
  let dir: TempDir;
  beforeEach(() => {
    dir = new TempDir('snapshots');
  });
  afterEach(() => dir.remove());

  it('names a snapshot by partition, offset and time', async () => {
    const { id } = await new SnapshotDirectory(dir.path).put(DRAFT, [Buffer.from('x')]);
    expect(id).toMatch(/^partition-2\/0000000000081225-20261111T000000Z-[0-9a-f]{8}$/);
    expect(readdirSync(dir.join('partition-2'))).toHaveLength(1);
    expect(readdirSync(dir.join(id)).sort()).toEqual(['entries.bin', 'manifest.json']);
    expect(readFileSync(dir.join(id, 'manifest.json'), 'utf8')).toContain('"offset": 81225');
  });

  it('clears away what a process has left that died while it wrote, and not what somebody writes now', async () => {
    const dead = dir.join('partition-2', '.writing-dead', 'entries.bin');
    const alive = dir.join('partition-2', '.writing-alive', 'entries.bin');
    for (const file of [dead, alive]) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'half of it');
    }
    utimesSync(dead, 1_000, 1_000);
    const store = new SnapshotDirectory(dir.path);
    expect(await store.list(2)).toEqual([]);
    await store.put(DRAFT, [Buffer.from('x')]);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(alive)).toBe(true);
    expect(await store.list(2)).toHaveLength(1);
  });

  it('leaves alone what is not its own', async () => {
    mkdirSync(dir.join('holiday-pictures', 'beach'), { recursive: true });
    writeFileSync(dir.join('README'), 'hello');
    expect(await new SnapshotDirectory(dir.path).list(null)).toEqual([]);
  });

  it('fails where the place is a file, or may not be written to, and says which', async () => {
    writeFileSync(dir.join('file'), '');
    const store = new SnapshotDirectory(dir.join('file'));
    await expect(store.put(DRAFT, [])).rejects.toThrow(/ENOTDIR|EEXIST/);
    await expect(store.list(2)).rejects.toThrow(/ENOTDIR/);
    chmodSync(dir.path, 0o500);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) await expect(new SnapshotDirectory(dir.join('x')).put(DRAFT, [])).rejects.toThrow(/EACCES/);
    chmodSync(dir.path, 0o700);
  });
});

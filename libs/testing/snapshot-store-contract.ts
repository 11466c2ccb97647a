import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  SnapshotTornError,
  type ListedSnapshot,
  type SnapshotDraft,
  type SnapshotManifest,
  type SnapshotStore,
} from '#pipeline';
import type { Damage } from './memory-snapshot-store.js';

export interface OpenedSnapshotStore {
  readonly store: SnapshotStore;
  /** What a second machine sees of the same place. */
  elsewhere(): SnapshotStore;
  /** Changes what is stored of a snapshot without its owner's doing. */
  damage(id: string, how: Damage): void;
  cleanup(): void;
}

const TAKEN_AT = Date.UTC(2026, 10, 11);

function draft(partition: number, offset: number): SnapshotDraft {
  const checkpoint = {
    ...{ logId: '8c1f2a0e-0000-4000-8000-000000000001', epoch: 3, generation: 1, foldVersion: 7, offset },
    lastApplied: { offset: offset - 1, hash: 'abc' },
    watermark: 1_762_876_800_000,
  };
  return { partition, checkpoint, takenAt: TAKEN_AT + offset };
}

const BLOCKS = [Buffer.alloc(100, 'a'), Buffer.alloc(0), Buffer.alloc(3_000_000, 'b'), Buffer.from('c')];

async function contentOf(store: SnapshotStore, manifest: SnapshotManifest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of store.get(manifest)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const offsets = (listed: readonly ListedSnapshot[]): readonly (number | undefined)[] =>
  listed.map(({ manifest }) => manifest?.checkpoint.offset).sort();

/** What every place for snapshots has to do. */
export function snapshotStoreContract(name: string, open: () => OpenedSnapshotStore): void {
  describe(`snapshot store contract: ${name}`, () => {
    let opened: OpenedSnapshotStore;
    let store: SnapshotStore;
    beforeEach(() => {
      opened = open();
      store = opened.store;
    });
    afterEach(() => opened.cleanup());

    it('has none at first', async () => {
      expect(await store.list(null)).toEqual([]);
      expect(await store.list(3)).toEqual([]);
    });

    it('gives back what was put, with all that the manifest says, also elsewhere', async () => {
      const put = await store.put(draft(3, 2 ** 40), BLOCKS);
      expect(put).toMatchObject(draft(3, 2 ** 40));
      expect(put.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(3_000_101);
      const elsewhere = opened.elsewhere();
      expect(await elsewhere.list(3)).toEqual([{ id: put.id, manifest: put }]);
      expect((await contentOf(elsewhere, put)).equals(Buffer.concat(BLOCKS))).toBe(true);
    });

    it('keeps several, of several partitions, and removes one', async () => {
      for (const [partition, offset] of [
        [0, 10],
        [0, 20],
        [0, 20],
        [11, 30],
      ] as const) {
        await store.put(draft(partition, offset), BLOCKS);
      }
      expect(offsets(await store.list(null))).toEqual([10, 20, 20, 30]);
      const [first] = await store.list(11);
      expect(offsets(await store.list(0))).toEqual([10, 20, 20]);
      if (first === undefined) throw new Error('nothing is listed');
      await store.remove(first);
      await store.remove(first);
      expect(await store.list(11)).toEqual([]);
      expect(offsets(await store.list(null))).toEqual([10, 20, 20]);
    });

    it('shows nothing of one that is being written, nor of one that has failed', async () => {
      let seen: readonly ListedSnapshot[] | null = null;
      let looking: Promise<void> | null = null;
      const failing = function* (): Generator<Buffer> {
        yield Buffer.alloc(1_000_000);
        looking = opened
          .elsewhere()
          .list(null)
          .then((listed) => void (seen = listed));
        yield Buffer.alloc(1_000_000);
        throw new Error('the partition has left');
      };
      await expect(store.put(draft(0, 10), failing())).rejects.toThrow('has left');
      await (looking ?? Promise.resolve());
      expect(seen).toEqual([]);
      expect(await store.list(null)).toEqual([]);
      await store.put(draft(0, 10), BLOCKS);
      expect(await store.list(null)).toHaveLength(1);
    });

    it.each(['flip a bit', 'cut the end', 'lose the entries'] as const)(
      'says that one is torn: %s',
      async (how) => {
        const whole = await store.put(draft(0, 10), BLOCKS);
        const torn = await store.put(draft(0, 20), BLOCKS);
        opened.damage(torn.id, how);
        await expect(contentOf(store, torn)).rejects.toThrow(
          how === 'lose the entries' ? undefined : SnapshotTornError,
        );
        expect((await contentOf(store, whole)).length).toBe(3_000_101);
      },
    );

    it('says which one has a manifest that is torn, and lists the others', async () => {
      const whole = await store.put(draft(0, 10), BLOCKS);
      const torn = await store.put(draft(0, 20), BLOCKS);
      opened.damage(torn.id, 'flip a bit of the manifest');
      const listed = await store.list(0);
      expect(listed).toHaveLength(2);
      expect(listed).toContainEqual({ id: whole.id, manifest: whole });
      const fault: unknown = expect.stringMatching(/manifest/);
      expect(listed).toContainEqual({ id: torn.id, manifest: null, fault });
      for (const one of listed) await store.remove(one);
      expect(await store.list(0)).toEqual([]);
    });
  });
}

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Checkpoint, CheckpointWrite, PartitionStore, StateStore, StoreEntry } from '#pipeline';

export interface OpenedStateStore {
  readonly store: StateStore;
  /** Closes the store and opens what it has stored anew. */
  reopen(): StateStore;
  cleanup(): void;
}

const CHECKPOINT: Checkpoint = {
  logId: '8c1f2a0e-0000-4000-8000-000000000001',
  epoch: 3,
  generation: 1,
  foldVersion: 7,
  offset: 2 ** 40 + 5,
  lastApplied: { offset: 2 ** 40 + 4, hash: 'abc' },
  watermark: 1_762_876_800_000,
};

function write(parts: Partial<CheckpointWrite>): CheckpointWrite {
  return { checkpoint: CHECKPOINT, states: [], blobs: [], outbox: [], ...parts };
}

function textsOf(entries: Iterable<readonly [string, Buffer]>): [string, string][] {
  return [...entries].map(([key, value]) => [key, value.toString('utf8')]);
}

/** What every state store has to do. */
export function stateStoreContract(name: string, open: () => OpenedStateStore): void {
  describe(`state store contract: ${name}`, () => {
    let opened: OpenedStateStore;
    let partition: PartitionStore;

    beforeEach(() => {
      opened = open();
      partition = opened.store.open(0);
    });
    afterEach(() => opened.cleanup());

    it('has nothing before the first write', () => {
      expect(partition.checkpoint()).toBeNull();
      expect(partition.get('a')).toBeUndefined();
      expect(partition.blob('a')).toBeUndefined();
      expect([...partition.states()]).toEqual([]);
      expect([...partition.outbox()]).toEqual([]);
    });

    it('gives back what was written, also after it was opened anew', () => {
      partition.write(
        write({
          states: [['b\0人', Buffer.from('state')]],
          blobs: [['rules', Buffer.from('{}')]],
          outbox: [{ key: 'row', value: Buffer.from('row') }],
        }),
      );
      const expectAll = (found: PartitionStore): void => {
        expect(found.checkpoint()).toEqual(CHECKPOINT);
        expect(found.get('b\0人')?.toString()).toBe('state');
        expect(found.blob('rules')?.toString()).toBe('{}');
        expect(textsOf(found.states())).toEqual([['b\0人', 'state']]);
        expect(textsOf(found.outbox())).toEqual([['row', 'row']]);
      };
      expectAll(partition);
      expectAll(opened.reopen().open(0));
    });

    it('says which partitions have a checkpoint and where it stands, open or not', () => {
      expect(opened.store.stored()).toEqual([]);
      partition.write(write({}));
      const other = opened.store.open(7);
      expect(opened.store.stored()).toEqual([{ partition: 0, offset: CHECKPOINT.offset }]);
      other.write(write({ checkpoint: { ...CHECKPOINT, offset: 99 } }));
      other.close();
      const both = [
        { partition: 0, offset: CHECKPOINT.offset },
        { partition: 7, offset: 99 },
      ];
      expect(opened.store.stored()).toEqual(both);
      const reopened = opened.reopen();
      expect(reopened.stored()).toEqual(both);
      reopened.drop(0);
      expect(reopened.stored()).toEqual(both.slice(1));
    });

    it('keeps states, blobs and outbox entries of one name apart', () => {
      const value = (text: string): Buffer => Buffer.from(text);
      partition.write(
        write({
          states: [['x', value('s')]],
          blobs: [['x', value('b')]],
          outbox: [{ key: 'x', value: value('o') }],
        }),
      );
      partition.write(write({ blobs: [['x', null]] }));
      expect(partition.get('x')?.toString()).toBe('s');
      expect(partition.blob('x')).toBeUndefined();
      expect(textsOf(partition.outbox())).toEqual([['x', 'o']]);
    });

    it('replaces and deletes', () => {
      const of = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
      partition.write(
        write({
          states: [
            ['a', of('1')],
            ['b', of('1')],
          ],
          outbox: [{ key: 'r', value: of('1') }],
        }),
      );
      partition.write(
        write({
          states: [
            ['a', of('2')],
            ['b', null],
            ['never there', null],
          ],
          outbox: [{ key: 'r', value: null }],
        }),
      );
      expect(textsOf(partition.states())).toEqual([['a', '2']]);
      expect([...partition.outbox()]).toEqual([]);
    });

    it('writes all or nothing', () => {
      partition.write(write({ states: [['a', Buffer.from('old')]] }));
      const failing = function* (): Generator<readonly [string, Buffer]> {
        yield ['a', Buffer.from('new')];
        throw new Error('the producer of states failed');
      };
      const next = { ...CHECKPOINT, offset: CHECKPOINT.offset + 1 };
      expect(() => partition.write(write({ checkpoint: next, states: failing() }))).toThrow('failed');
      expect(partition.get('a')?.toString()).toBe('old');
      expect(partition.checkpoint()).toEqual(CHECKPOINT);
    });

    it('refuses a key that it cannot hold, clearly, and writes nothing of that write', () => {
      const states: [string, Buffer][] = [
        ['short', Buffer.from('1')],
        ['人'.repeat(700), Buffer.from('1')],
      ];
      expect(() => partition.write(write({ states }))).toThrow(/key of 2100 bytes/);
      expect(partition.get('short')).toBeUndefined();
      const longest = `brand\0${'人'.repeat(200)}`;
      partition.write(write({ states: [[longest, Buffer.from('1')]] }));
      expect(textsOf(partition.states())).toEqual([[longest, '1']]);
    });

    it('hands out values that later reads and writes do not touch', () => {
      const states = ['a', 'b'].map((key): [string, Buffer] => [key, Buffer.alloc(100_000, key)]);
      partition.write(write({ states: [...states, ['c', Buffer.from('c')]] }));
      const a = partition.get('a');
      const c = partition.get('c');
      const iterated = [...partition.states()];
      partition.get('b');
      partition.write(write({ states: [['a', Buffer.alloc(100_000, 'z')]] }));
      expect(a?.equals(Buffer.alloc(100_000, 'a'))).toBe(true);
      expect(c?.toString()).toBe('c');
      expect(iterated.map(([key, value]) => [key, value.length, value.toString('latin1', 0, 1)])).toEqual([
        ['a', 100_000, 'a'],
        ['b', 100_000, 'b'],
        ['c', 1, 'c'],
      ]);
    });

    it('stores empty values and a checkpoint without a last record', () => {
      const first = { ...CHECKPOINT, offset: 0, lastApplied: null, watermark: -1 };
      partition.write(write({ checkpoint: first, states: [['empty', Buffer.alloc(0)]] }));
      expect(partition.checkpoint()).toEqual(first);
      expect(partition.get('empty')?.length).toBe(0);
    });

    it('goes through many states in order, and may be left half way', () => {
      const states = Array.from({ length: 3_000 }, (_, i): [string, Buffer] => [
        `p${String(i).padStart(5, '0')}`,
        Buffer.from(String(i)),
      ]);
      partition.write(write({ states }));
      expect(textsOf(partition.states())).toEqual(textsOf(states));
      for (const [key] of partition.states()) if (key === 'p00010') break;
      partition.write(write({ states: [['p00000', null]] }));
      expect([...partition.states()].length).toBe(2_999);
    });

    it('keeps partitions apart and drops one', () => {
      const other = opened.store.open(1);
      partition.write(write({ states: [['a', Buffer.from('0')]] }));
      other.write(write({ states: [['a', Buffer.from('1')]] }));
      expect(() => opened.store.drop(1)).toThrow();
      other.close();
      opened.store.drop(1);
      const again = opened.store.open(1);
      expect(again.checkpoint()).toBeNull();
      expect([...again.states()]).toEqual([]);
      again.write(write({ states: [['b', Buffer.from('2')]] }));
      expect(textsOf(again.states())).toEqual([['b', '2']]);
      expect(textsOf(partition.states())).toEqual([['a', '0']]);
    });

    it('has nothing to freeze before the first checkpoint', () => {
      expect(partition.freeze()).toBeNull();
      partition.load([['state', 'a', Buffer.from('1')]]);
      expect(partition.freeze()).toBeNull();
    });

    it('freezes what it holds, whatever is written meanwhile, and gives it out bit by bit', async () => {
      const value = (of: number): Buffer => Buffer.from(String(of).padStart(100, '.'));
      const states = Array.from({ length: 500 }, (_, i): [string, Buffer] => [`p${i}`, value(i)]);
      const [rules, row] = [Buffer.from('{}'), Buffer.from('row')];
      partition.write(write({ states, blobs: [['rules', rules]], outbox: [{ key: 'row', value: row }] }));
      const frozen = partition.freeze();
      const seen: StoreEntry[] = [];
      for (let round = 0; ; round += 1) {
        const next = { ...CHECKPOINT, offset: CHECKPOINT.offset + 1 + round };
        partition.write(
          write({ checkpoint: next, states: states.map(([key]) => [key, round % 2 ? null : value(-round)]) }),
        );
        await new Promise((resolve) => setTimeout(resolve, 1));
        const entries = frozen?.read(5_000) ?? [];
        if (entries.length === 0) break;
        seen.push(...entries);
      }
      expect(frozen?.checkpoint).toEqual(CHECKPOINT);
      expect(seen.slice(0, 2)).toEqual([
        ['blob', 'rules', rules],
        ['outbox', 'row', row],
      ]);
      const byKey = [...states].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(seen.slice(2).map(([kind, key, stored]) => [kind, key, stored.toString()])).toEqual(
        byKey.map(([key, stored]) => ['state', key, stored.toString()]),
      );
      frozen?.close();
      frozen?.close();
      expect(() => frozen?.read(1)).toThrow(/closed/);
    });

    it('ends what is frozen when it is closed', () => {
      partition.write(write({ states: [['a', Buffer.from('1')]] }));
      const [one, other] = [partition.freeze(), partition.freeze()];
      expect(one?.read(1)).toHaveLength(1);
      other?.close();
      partition.close();
      expect(() => one?.read(1)).toThrow(/closed/);
      one?.close();
      expect(opened.reopen().open(0).get('a')?.toString()).toBe('1');
    });

    it('loads entries, which are nothing until there is a checkpoint', () => {
      partition.load([
        ['blob', 'rules', Buffer.from('{}')],
        ['state', 'a', Buffer.from('1')],
        ['outbox', 'row', Buffer.from('row')],
      ]);
      partition.load([['state', 'b', Buffer.from('2')]]);
      expect(partition.checkpoint()).toBeNull();
      partition.write(write({}));
      const again = opened.reopen().open(0);
      expect(again.checkpoint()).toEqual(CHECKPOINT);
      expect(again.blob('rules')?.toString()).toBe('{}');
      expect(textsOf(again.states())).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
      expect(textsOf(again.outbox())).toEqual([['row', 'row']]);
      expect(() => again.load([])).toThrow(/checkpoint already/);
    });

    it('sets a partition aside and begins it anew, more than once', () => {
      const kept = ['first', 'second', 'third'].map((name) => {
        const store = name === 'first' ? partition : opened.store.open(0);
        expect(store.checkpoint()).toBeNull();
        store.write(write({ states: [[name, Buffer.from(name)]] }));
        expect(() => opened.store.setAside(0)).toThrow(/is open/);
        store.close();
        return opened.store.setAside(0);
      });
      expect(new Set(kept).size).toBe(3);
      const again = opened.reopen();
      const anew = again.open(0);
      expect([...anew.states()]).toEqual([]);
      anew.write(write({ states: [['last', Buffer.from('last')]] }));
      expect(textsOf(anew.states())).toEqual([['last', 'last']]);
      expect(again.open(1).checkpoint()).toBeNull();
    });

    it('opens a partition once at a time and refuses to work when closed', () => {
      expect(() => opened.store.open(0)).toThrow(/open already/);
      partition.write(write({ states: [['a', Buffer.from('1')]] }));
      partition.close();
      partition.close();
      expect(() => partition.get('a')).toThrow(/closed/);
      expect(() => partition.write(write({}))).toThrow(/closed/);
      const again = opened.store.open(0);
      expect(again.get('a')?.toString()).toBe('1');
      opened.store.close();
      opened.store.close();
      expect(() => again.get('a')).toThrow(/closed/);
      expect(() => opened.store.open(2)).toThrow(/closed/);
    });
  });
}

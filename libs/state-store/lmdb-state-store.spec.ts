import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { stateStoreContract, TempDir } from '#testing';
import { open as openLmdb } from 'lmdb';
import { LmdbStateStore, TornStoreError } from './index.js';

stateStoreContract('LMDB', () => {
  const dir = new TempDir('state');
  let store = LmdbStateStore.open({ path: dir.path });
  return {
    store,
    reopen() {
      store.close();
      store = LmdbStateStore.open({ path: dir.path });
      return store;
    },
    cleanup() {
      store.close();
      dir.remove();
    },
  };
});

describe('LmdbStateStore', () => {
  const dir = new TempDir('state');
  afterAll(() => dir.remove());

  it('refuses a directory with a file that is not LMDB', () => {
    const path = dir.join('foreign');
    mkdirSync(path);
    writeFileSync(
      dir.join('foreign', 'data.mdb'),
      'a letter to somebody, which is no database. '.repeat(500),
    );
    expect(() => LmdbStateStore.open({ path })).toThrow(/not an LMDB data file/);
  });

  it('refuses an LMDB directory of something else and leaves it as it was', async () => {
    const path = dir.join('other');
    const other = openLmdb({ path });
    const theirs = other.openDB({ name: 'theirs' });
    await theirs.put('a', 1);
    await other.close();
    expect(() => LmdbStateStore.open({ path })).toThrow(/something else \(theirs\)/);
    const again = openLmdb({ path });
    expect([...again.getKeys()].length).toBe(1);
    await again.close();
  });

  describe('of which a part is missing', () => {
    const written = (name: string, count = 3_000): string => {
      const path = dir.join(name);
      const store = LmdbStateStore.open({ path });
      const partition = store.open(0);
      const checkpoint = {
        ...{
          logId: 'log',
          epoch: 1,
          generation: 1,
          foldVersion: 1,
          offset: 5,
          lastApplied: null,
          watermark: 0,
        },
      };
      for (let round = 0; round < 3; round += 1) {
        const states = Array.from({ length: count }, (_, i): [string, Buffer] => [
          `p${i}`,
          Buffer.alloc(500, round),
        ]);
        partition.write({ checkpoint, states, blobs: [], outbox: [] });
      }
      store.close();
      return join(path, 'data.mdb');
    };

    it('is said to be torn where the end is gone, at any place', () => {
      const file = written('cut');
      const whole = readFileSync(file);
      for (const share of [0.9, 0.5, 0.1, 0.0001]) {
        writeFileSync(file, whole.subarray(0, Math.floor(whole.length * share)));
        expect(() => LmdbStateStore.open({ path: dir.join('cut') })).toThrow(TornStoreError);
      }
      writeFileSync(file, whole);
      const store = LmdbStateStore.open({ path: dir.join('cut') });
      expect([...store.open(0).states()]).toHaveLength(3_000);
      store.close();
    });

    it('is said to be torn also where it is small, and little is missing', () => {
      const file = written('small', 200);
      const whole = readFileSync(file);
      expect(whole.length).toBeLessThan(200 * 4_096);
      for (const share of [0.8, 0.5, 0.1]) {
        writeFileSync(file, whole.subarray(0, Math.floor(whole.length * share)));
        expect(() => LmdbStateStore.open({ path: dir.join('small') })).toThrow(TornStoreError);
      }
    });

    it('is opened where only pages are missing that a commit had given up, and does not end the process', () => {
      const file = written('short');
      const whole = readFileSync(file);
      writeFileSync(file, whole.subarray(0, whole.length - 3 * 4_096));
      const store = LmdbStateStore.open({ path: dir.join('short') });
      const partition = store.open(0);
      // Here they had not been given up, so they cannot be read; that is an error, and no more than that.
      try {
        expect([...partition.states()].length).toBeLessThanOrEqual(3_000);
      } catch (error) {
        expect(String(error)).toMatch(/MDB_/);
      }
      store.close();
    });
  });

  it('opens a directory once in a process', () => {
    const path = dir.join('twice');
    const store = LmdbStateStore.open({ path });
    expect(() => LmdbStateStore.open({ path })).toThrow(/open already/);
    store.close();
    LmdbStateStore.open({ path }).close();
  });

  it('starts anew in a directory where a kill has left an empty file', () => {
    const path = dir.join('empty');
    mkdirSync(path);
    writeFileSync(dir.join('empty', 'data.mdb'), '');
    const store = LmdbStateStore.open({ path });
    expect(store.open(0).checkpoint()).toBeNull();
    store.close();
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { stateStoreContract, TempDir } from '#testing';
import { open as openLmdb } from 'lmdb';
import { LmdbStateStore } from './index.js';

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

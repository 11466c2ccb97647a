import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeState, type Relationship } from '#domain';
import { LmdbStateStore } from '#state-store';
import { follow, FoldHarness, TempDir } from '#testing';
import { StateCache } from './state-cache.js';
import type { PartitionStore } from './state-store.js';

const dir = new TempDir('cache');
const stores = LmdbStateStore.open({ path: dir.join('state') });
afterAll(() => {
  stores.close();
  dir.remove();
});

function stateOf(person: string, at: string): Relationship {
  const harness = new FoldHarness();
  harness.fold([follow(at, { person })]);
  const state = harness.state(person);
  if (state === undefined) throw new Error('no state');
  return state;
}

const checkpoint = {
  logId: 'log',
  epoch: 1,
  generation: 1,
  foldVersion: 1,
  offset: 1,
  lastApplied: null,
  watermark: 0,
};

describe('the cache of states', () => {
  let store: PartitionStore;
  beforeEach(() => {
    store?.close();
    stores.drop(0);
    store = stores.open(0);
  });

  /** As a checkpoint does, which begins with a flush. */
  function save(cache: StateCache): void {
    for (const state of cache.takeChanged(() => true)) expect(state).toBeDefined();
    keep(cache);
  }

  function keep(cache: StateCache): void {
    store.write({ checkpoint, states: cache.dirtyStates(), blobs: [], outbox: [] });
    cache.clean();
  }

  it('evicts only what is clean, and reads it back as it was', () => {
    const cache = new StateCache(store, 10);
    const states = new Map(
      Array.from({ length: 100 }, (_, i) => [`k${i}`, stateOf(`p${i}`, '2024-11-10 10:00')]),
    );
    cache.join(states, () => true);
    expect(cache.size).toBe(100);
    expect(cache.dirtyCount).toBe(100);
    save(cache);
    expect(cache.dirtyCount).toBe(0);
    expect(cache.size).toBeLessThanOrEqual(10);
    for (const [key, state] of states) expect(cache.load(key)).toEqual(state);
  });

  it('evicts first what was changed longest ago', () => {
    const cache = new StateCache(store, 5);
    const state = stateOf('p', '2024-11-10 10:00');
    for (const key of ['a', 'b', 'c', 'd', 'e']) cache.join(new Map([[key, state]]), () => true);
    save(cache);
    const changed = stateOf('p', '2024-11-10 11:00');
    cache.join(new Map([['a', changed]]), () => true);
    save(cache);
    cache.join(new Map([['f', state]]), () => true);
    save(cache);
    // What is in memory comes back as the very object; what was evicted is read anew.
    expect(cache.load('a')).toBe(changed);
    expect(cache.load('f')).toBe(state);
    expect(cache.load('b')).not.toBe(state);
  });

  it('writes the newest states, whatever was encoded ahead, and when', () => {
    const states = ['10:00', '11:00', '12:00'].map((time) => stateOf('p', `2024-11-10 ${time}`));
    const change = fc.record({ key: fc.nat({ max: 5 }), state: fc.constantFrom(null, ...states) });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.array(change, { minLength: 1, maxLength: 4 }) },
      { weight: 3, arbitrary: fc.nat({ max: 4 }) },
      { weight: 1, arbitrary: fc.constant('checkpoint' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        stores.drop(1);
        const other = stores.open(1);
        const cache = new StateCache(other, 3);
        const expected = new Map<string, Relationship>();
        const checkpointNow = (): void => {
          other.write({ checkpoint, states: cache.dirtyStates(), blobs: [], outbox: [] });
          cache.clean();
        };
        for (const next of steps) {
          if (next === 'checkpoint') checkpointNow();
          else if (typeof next === 'number') cache.encodeAhead(next);
          else {
            cache.join(new Map(next.map(({ key, state }) => [`k${key}`, state])), () => true);
            for (const { key, state } of next) {
              if (state === null) expected.delete(`k${key}`);
              else expected.set(`k${key}`, state);
            }
          }
        }
        checkpointNow();
        const stored = new Map([...other.states()].map(([key, value]) => [key, decodeState(value)]));
        other.close();
        expect(stored).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('knows that a state was dropped, before and after the checkpoint', () => {
    const cache = new StateCache(store, 10);
    cache.join(new Map([['k', stateOf('p', '2024-11-10 10:00')]]), () => true);
    save(cache);
    cache.join(new Map([['k', null]]), () => true);
    expect(cache.load('k')).toBeUndefined();
    expect(store.get('k')).toBeDefined();
    save(cache);
    expect(cache.load('k')).toBeUndefined();
    expect(store.get('k')).toBeUndefined();
    expect([...store.states()]).toEqual([]);
  });

  it('tells of each change once that is news, and of new persons', () => {
    const cache = new StateCache(store, 10);
    const [first, second] = [stateOf('p', '2024-11-10 10:00'), stateOf('p', '2024-11-10 11:00')];
    const told = () => [...cache.takeChanged(() => true)];
    cache.join(new Map([['k', first]]), () => false);
    expect(told()).toEqual([first]);
    cache.join(new Map([['k', second]]), () => false);
    expect(told()).toEqual([]);
    cache.join(new Map([['k', first]]), (before, after) => before === second && after === first);
    cache.join(new Map([['k', second]]), () => false);
    expect(told()).toEqual([second]);
    cache.join(new Map([['k', null]]), () => false);
    cache.join(new Map([['k', first]]), () => false);
    expect(told()).toEqual([first]);
    expect(told()).toEqual([]);
  });

  it('tells again what is not told for good, and keeps it in memory until then', () => {
    const cache = new StateCache(store, 0);
    const first = stateOf('p', '2024-11-10 10:00');
    cache.join(new Map([['k', first]]), () => true);
    expect([...cache.takeChanged(() => false)]).toEqual([first]);
    keep(cache);
    expect(cache.load('k')).toBe(first);
    expect([...cache.takeChanged(() => true)]).toEqual([first]);
    expect([...cache.takeChanged(() => true)]).toEqual([]);
  });

  it('writes again what a failed checkpoint did not write', () => {
    const cache = new StateCache(store, 10);
    cache.join(new Map([['k', stateOf('p', '2024-11-10 10:00')]]), () => true);
    expect([...cache.dirtyStates()]).toHaveLength(1);
    expect([...cache.dirtyStates()]).toHaveLength(1);
    save(cache);
    expect([...cache.dirtyStates()]).toHaveLength(0);
  });
});

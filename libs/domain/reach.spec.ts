import { describe, expect, it } from '@jest/globals';
import { FoldHarness } from '../testing/fold-harness.js';
import { engage, follow, instant, join, reach, tick, unfollow, visit } from '../testing/touchpoint-kit.js';
import { encodeState, decodeState } from './state-codec.js';
import { reachableOf } from './reach.js';
import type { ReachLine } from './relationship.js';

const DAY = 86_400_000;
const MINUTE = 60_000;
const START = instant('2024-11-01 10:00');

function reachLine(channel: string, ...switches: readonly (readonly [number, boolean])[]): ReachLine {
  const toggles = switches.map(([at, on]) => ({ eventId: `e${at}`, at, contentHash: 1, channel, on }));
  return { channel, toggles, settled: false };
}

describe('links by which a person may be written to', () => {
  const links = [
    { channel: 'group', spans: [{ from: 10, to: 100 }] },
    { channel: 'live', spans: [{ from: 50, to: Infinity }] },
  ];

  it('are those of each channel without the times at which it was declined', () => {
    const reachable = reachableOf(links, [reachLine('group', [20, false], [30, true], [90, false])]);
    const group = [
      { from: 10, to: 20 },
      { from: 30, to: 90 },
    ];
    expect(reachable?.byChannel).toEqual([{ channel: 'group', spans: group }, links[1]]);
    expect(reachable?.any).toEqual([
      { from: 10, to: 20 },
      { from: 30, to: Infinity },
    ]);
  });

  it('count a no from the first of several', () => {
    const line = reachLine('group', [20, false], [40, false], [60, true]);
    expect(reachableOf(links, [line])?.byChannel[0]?.spans).toEqual([
      { from: 10, to: 20 },
      { from: 60, to: 100 },
    ]);
  });

  it('are the links themselves where nothing is taken from them', () => {
    expect(reachableOf(links, [])).toBeNull();
    expect(reachableOf(links, [reachLine('wecom', [0, false])])).toBeNull();
    expect(reachableOf(links, [reachLine('group', [0, false], [10, true], [20, true])])).toBeNull();
  });
});

/** The last rows of the window of five minutes, `channel: capital/reachable`. */
function capitals(harness: FoldHarness, at: number): readonly string[] {
  harness.tickTo(at);
  return harness.figures
    .takeWindowRows(true)
    .filter(({ window, end }) => window === '5m' && end === at)
    .map(({ channel, capital, capital_reachable: reachable }) => `${channel}: ${capital}/${reachable}`)
    .sort();
}

function started(): FoldHarness {
  const harness = new FoldHarness();
  harness.fold([tick(START - MINUTE)]);
  return harness;
}

describe('declined messages', () => {
  it('take a person out of the Capital that can be reached, until they are welcome again', () => {
    const harness = started();
    harness.fold([follow(START), join(START, { person: 'other', channel: 'live' })]);
    harness.fold([reach(false, START + MINUTE)]);
    expect(capitals(harness, START + MINUTE)).toEqual(['all: 2/2', 'live: 1/1', 'shop: 1/1']);
    expect(capitals(harness, START + 2 * MINUTE)).toEqual(['all: 2/1', 'live: 1/1', 'shop: 1/0']);
    harness.fold([reach(true, START + 3 * MINUTE)]);
    expect(capitals(harness, START + 4 * MINUTE)).toEqual(['all: 2/2', 'live: 1/1', 'shop: 1/1']);
    harness.fold([unfollow(START + 5 * MINUTE)]);
    expect(capitals(harness, START + 6 * MINUTE)).toEqual(['all: 1/1', 'live: 1/1', 'shop: 0/0']);
  });

  it('are remembered of strangers, for when they come to be linked', () => {
    const harness = started();
    harness.fold([reach(false, START)]);
    harness.tickTo(START + 400 * DAY);
    expect(harness.states.size).toBe(1);
    expect(harness.summaries()).toEqual([]);
    harness.fold([follow(START + 400 * DAY)]);
    expect(capitals(harness, START + 400 * DAY + MINUTE)).toEqual(['all: 1/0', 'shop: 1/0']);
  });

  it('that are welcome again are forgotten of strangers', () => {
    const harness = started();
    harness.fold([reach(false, START), reach(true, START + MINUTE), visit(START + 2 * MINUTE)]);
    harness.tickTo(START + 60 * DAY);
    expect(harness.states.size).toBe(0);
  });

  it('are no presence, no link and no tier, and count once whatever their order', () => {
    const harness = started();
    harness.fold([engage(START, 'LIKE'), reach(false, START), reach(false, START)]);
    const twice = harness.fold([reach(false, START)]);
    expect(twice.counts).toMatchObject({ duplicates: 1 });
    expect(harness.facts).toEqual([]);
    harness.tickTo(START + MINUTE);
    const [row] = harness.figures.takeWindowRows(true).filter(({ channel }) => channel === 'all');
    expect(row).toMatchObject({
      visitors: 1,
      active: 1,
      active_related: 0,
      capital: 0,
      capital_reachable: 0,
    });
  });

  it('of one event id are those of the smallest (time, hash)', () => {
    const [one, other] = [
      reach(false, START, { id: 'r', hash: 2 }),
      reach(true, START, { id: 'r', hash: 1 }),
    ];
    for (const records of [
      [one, other],
      [other, one],
    ]) {
      const harness = started();
      harness.fold([follow(START), ...records]);
      expect(capitals(harness, START + MINUTE)).toEqual(['all: 1/1', 'shop: 1/1']);
    }
  });
});

describe('a stored state', () => {
  it('holds what was declined', () => {
    const harness = started();
    harness.fold([follow(START), reach(false, START + MINUTE)]);
    const state = harness.state();
    if (state === undefined) throw new Error('nobody is there');
    expect(decodeState(encodeState(state)).links).toEqual(state.links);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { difference, relatedCover, stockCover, type Cover } from './coverage.js';
import { windowGrid, type GridWindow } from './window-grid.js';

/** Width 50 s, slide 10 s: 5 ends an event; nothing is final. */
function tenSeconds(): GridWindow {
  const [window] = windowGrid(
    [{ id: 'w', widthMs: 50_000, slideMs: 10_000, latenessMs: 0 }],
    -Infinity,
  ).windows;
  if (window === undefined) throw new Error('no window');
  return window;
}

const ends = fc.uniqueArray(fc.nat(40), { maxLength: 15 });

function coverOf(covered: readonly number[]): Cover {
  const sorted = [...covered].sort((a, b) => a - b);
  const cover: number[] = [];
  for (const end of sorted) {
    if (cover[cover.length - 1] === end) cover[cover.length - 1] = end + 1;
    else cover.push(end, end + 1);
  }
  return cover;
}

describe('coverage of a link', () => {
  const cases: readonly [string, number, number, Cover, Cover][] = [
    // live from, to (ms), related at ends, in Capital at ends
    [
      'a whole slide: related while the window reaches it, a stock until just before the end of it',
      10_000,
      20_000,
      [1, 6],
      [1, 2],
    ],
    ['ended 1 ms into a slide: still live in that slide, but not at its end', 10_000, 20_001, [1, 7], [1, 2]],
    ['ended 1 ms before the edge', 10_000, 19_999, [1, 6], []],
    ['begun on an edge: counts from the end after it', 20_000, 35_000, [2, 8], [2, 3]],
    ['begun 1 ms before an edge: counts at it', 19_999, 35_000, [1, 8], [1, 3]],
    ['shorter than a slide: related, never in Capital', 12_000, 13_000, [1, 6], []],
    ['on and off at one instant: nowhere', 12_000, 12_000, [], []],
    ['on and off at one edge: nowhere', 20_000, 20_000, [], []],
    ['still live: for good', 12_000, Infinity, [1, Infinity], [1, Infinity]],
  ];
  it.each(cases)('%s', (_, from, to, related, stock) => {
    expect(relatedCover([{ from, to }], tenSeconds())).toEqual(related);
    expect(stockCover([{ from, to }], tenSeconds())).toEqual(stock);
  });

  it('two links that are apart in time but not in window ends are counted once', () => {
    const links = [
      { from: 10_000, to: 12_000 },
      { from: 25_000, to: 26_000 },
    ];
    expect(relatedCover(links, tenSeconds())).toEqual([1, 7]);
  });

  it('two links whose ends touch make one span', () => {
    const links = [
      { from: 10_000, to: 12_000 },
      { from: 60_000, to: 61_000 },
    ];
    expect(relatedCover(links, tenSeconds())).toEqual([1, 11]);
  });

  it('is clipped to the horizon', () => {
    const window = { ...tenSeconds(), horizon: 4 };
    expect(relatedCover([{ from: 10_000, to: 20_000 }], window)).toEqual([4, 6]);
    expect(stockCover([{ from: 10_000, to: 20_000 }], window)).toEqual([]);
  });
});

describe('spans of ends', () => {
  it('differ like sets, in the fewest spans', () => {
    fc.assert(
      fc.property(ends, ends, (before, after) => {
        const gained: number[] = [];
        const lost: number[] = [];
        difference(coverOf(before), coverOf(after), (from, to, value) =>
          (value > 0 ? gained : lost).push(from, to),
        );
        expect(gained).toEqual(coverOf(after.filter((end) => !before.includes(end))));
        expect(lost).toEqual(coverOf(before.filter((end) => !after.includes(end))));
      }),
    );
  });

  it('that last for ever differ from their end on', () => {
    const spans: number[][] = [];
    difference([3, Infinity], [3, 7], (...span) => spans.push(span));
    difference([], [9, Infinity], (...span) => spans.push(span));
    difference([3, Infinity], [3, Infinity], (...span) => spans.push(span));
    expect(spans).toEqual([
      [7, Infinity, -1],
      [9, Infinity, 1],
    ]);
  });
});

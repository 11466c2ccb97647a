import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Span } from '../window-port.js';
import { difference, linkCover, linkDifference, relatedTo, stockTo, type Cover } from './coverage.js';
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
    expect(linkCover([{ from, to }], tenSeconds(), relatedTo)).toEqual(related);
    expect(linkCover([{ from, to }], tenSeconds(), stockTo)).toEqual(stock);
  });

  it('two links that are apart in time but not in window ends are counted once', () => {
    const links = [
      { from: 10_000, to: 12_000 },
      { from: 25_000, to: 26_000 },
    ];
    expect(linkCover(links, tenSeconds(), relatedTo)).toEqual([1, 7]);
  });

  it('two links whose ends touch make one span', () => {
    const links = [
      { from: 10_000, to: 12_000 },
      { from: 60_000, to: 61_000 },
    ];
    expect(linkCover(links, tenSeconds(), relatedTo)).toEqual([1, 11]);
  });

  it('is clipped to the horizon', () => {
    const window = { ...tenSeconds(), horizon: 4 };
    expect(linkCover([{ from: 10_000, to: 20_000 }], window, relatedTo)).toEqual([4, 6]);
    expect(linkCover([{ from: 10_000, to: 20_000 }], window, stockTo)).toEqual([]);
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

describe('links that changed', () => {
  /** Gaps and lengths, in turn, so that spans are sorted and disjoint; 0 is a link that went as it came. */
  const gaps = fc.array(fc.oneof(fc.constantFrom(0, 1, 10_000), fc.nat(70_000)), { maxLength: 8 });
  const lists = fc.record({
    common: gaps,
    before: gaps,
    after: gaps,
    lasts: fc.tuple(fc.boolean(), fc.boolean()),
  });
  const horizons = fc.constantFrom(-Infinity, 0, 4, 12, 30);

  function spansOf(steps: readonly number[], lasts: boolean): readonly Span[] {
    const spans: Span[] = [];
    let at = 0;
    for (let nth = 0; nth + 1 < steps.length; nth += 2) {
      const from = at + (steps[nth] ?? 0) + 1;
      at = from + (steps[nth + 1] ?? 0);
      spans.push({ from, to: at });
    }
    const last = spans.pop();
    return last === undefined ? [] : [...spans, { from: last.from, to: lasts ? Infinity : last.to }];
  }

  it.each([
    ['related', relatedTo],
    ['a stock', stockTo],
  ] as const)('differ by the ends that only one of the two covers: %s', (_, coverEnd) => {
    let atOnce = 0;
    fc.assert(
      fc.property(lists, horizons, ({ common, before, after, lasts }, horizon) => {
        const window = { ...tenSeconds(), horizon };
        const shared = common.slice(0, common.length & ~1);
        const former = spansOf([...shared, ...before], lasts[0]);
        const latter = spansOf([...shared, ...after], lasts[1]);
        const expected: number[][] = [];
        difference(linkCover(former, window, coverEnd), linkCover(latter, window, coverEnd), (...span) =>
          expected.push(span),
        );
        const spans: number[][] = [];
        linkDifference(former, latter, [window], coverEnd, (_of, ...span) => spans.push(span));
        expect(spans.sort(([a = 0], [b = 0]) => a - b)).toEqual(expected);
        if (Math.max(before.length, after.length) < 4 && expected.length > 0) atOnce++;
      }),
      { numRuns: 2_000 },
    );
    expect(atOnce).toBeGreaterThan(200);
  });
});

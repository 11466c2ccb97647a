import { describe, expect, it } from '@jest/globals';
import { DEFAULT_WINDOWS, type WindowSpec } from '../rules.js';
import { closedTo, lateMisses, windowGrid } from './window-grid.js';

const W: WindowSpec = { id: 'w', widthMs: 60_000, slideMs: 10_000, latenessMs: 25_000 };

describe('a grid of windows', () => {
  it('lays the default windows out', () => {
    const { grainMs, windows } = windowGrid(DEFAULT_WINDOWS, 0);
    expect(grainMs).toBe(10_000);
    expect(windows.map(({ ends, grains }) => [ends, grains])).toEqual([
      [6, 1],
      [30, 1],
      [60, 6],
      [288, 30],
      [720, 360],
    ]);
  });

  it.each([
    [59_999, 4, 3],
    [60_000, 5, 3],
    [64_999, 5, 3],
    [65_000, 5, 4],
  ])('at watermark %d: closed to end %d, ends from %d on may change', (watermark, closed, horizon) => {
    expect(closedTo(W, watermark)).toBe(closed);
    expect(windowGrid([W], watermark).windows[0]?.horizon).toBe(horizon);
  });

  it.each<[string, readonly WindowSpec[], RegExp]>([
    ['no window', [], /1 to 16 windows/],
    [
      'slides that do not nest',
      [W, { ...W, id: 'x', slideMs: 15_000 }],
      /x: its slide is no multiple of that of w/,
    ],
    ['a slide that does not divide its width', [{ ...W, widthMs: 65_000 }], /w: its slide does not divide/],
    [
      'lateness that shrinks',
      [W, { ...W, id: 'x', latenessMs: 1 }],
      /x: its lateness is less than that of w/,
    ],
    ['no slide', [{ ...W, slideMs: 0 }], /must be positive/],
  ])('refuses %s', (_, specs, message) => {
    expect(() => windowGrid(specs, 0)).toThrow(message);
  });
});

describe('lateness of an event', () => {
  // The horizon at watermark 100 s is floor(75/10) = 7: end instants up to 70 s are final.
  const grid = windowGrid([W], 100_000);

  it.each([
    ['in time', 70_000, []],
    ['1 ms too late: missed one end', 69_999, [{ window: 'w', fromEnd: 70_000, toEnd: 80_000 }]],
    ['so late that it covers final ends only', 5_000, [{ window: 'w', fromEnd: 10_000, toEnd: 70_000 }]],
  ])('%s', (_, at, misses) => {
    expect(lateMisses(at, grid)).toEqual(misses);
  });

  it('reaches to the last final end where it counts from then on', () => {
    expect(lateMisses(5_000, grid, true)).toEqual([{ window: 'w', fromEnd: 10_000, toEnd: 80_000 }]);
  });

  it('passes over ends that get no row, since nobody was shown them', () => {
    const rowsFrom = (instant: number) => windowGrid([W], 100_000, instant);
    expect(lateMisses(5_000, rowsFrom(40_000))).toEqual([{ window: 'w', fromEnd: 40_000, toEnd: 70_000 }]);
    expect(lateMisses(5_000, rowsFrom(90_000))).toEqual([]);
  });

  it('is nothing before the first tick', () => {
    expect(lateMisses(0, windowGrid([W], -Infinity))).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { DifferencePages } from './difference-pages.js';
import { METRICS } from './window-metrics.js';

describe('difference pages', () => {
  it('do not go on writing into a page that was given back', () => {
    const pages = new DifferencePages();
    const sums = new Float64Array(METRICS);
    pages.add(3, 0, 2);
    pages.settle(0, 100_000, sums);
    expect([sums[0], pages.size]).toEqual([2, 0]);
    pages.add(3, 0, 5);
    expect(pages.size).toBe(1);
    pages.settle(0, 100_000, sums);
    expect([sums[0], pages.empty]).toEqual([7, true]);
  });
});

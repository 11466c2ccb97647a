import { describe, expect, it } from '@jest/globals';
import { BatchPace } from './batch-pace.js';

/** After many batches of this length. */
function settled(paceMs: number, batchMs: number): BatchPace {
  const pace = new BatchPace(paceMs);
  for (let n = 0; n < 50; n += 1) pace.took(batchMs);
  return pace;
}

describe('the pace of batches', () => {
  it('is the least one while batches are short, on a grid that all partitions share', () => {
    expect(new BatchPace(50).until(1_000)).toBe(50);
    expect(settled(50, 20).until(1_010)).toBe(40);
    expect(settled(50, 20).until(1_049)).toBe(1);
  });

  it('leaves as much time without a batch as with one, up to twice the least', () => {
    expect(settled(50, 40).until(1_000)).toBe(100);
    expect(settled(50, 40).until(1_010)).toBe(90);
    expect(settled(50, 5_000).until(1_000)).toBe(100);
  });

  it('is not carried away by one batch that was slow', () => {
    const pace = settled(50, 10);
    pace.took(100);
    expect(pace.until(1_000)).toBe(100);
    for (let n = 0; n < 5; n += 1) pace.took(10);
    expect(pace.until(1_000)).toBe(50);
  });

  it('is none where none is asked for', () => {
    expect(settled(0, 1_000).until(1_234)).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import { defaultRules } from '#domain';
import { instant } from '#testing';
import { nextTicks } from './next-ticks.js';

const rules = defaultRules();
const ticks = (from: string, to: string) => nextTicks(rules, instant(from), instant(to));

describe('the next ticks', () => {
  it('come every ten seconds, as far as intake has read', () => {
    expect(ticks('2024-11-10 10:00:00', '2024-11-10 10:00:09')).toEqual([]);
    expect(ticks('2024-11-10 10:00:00', '2024-11-10 10:00:10')).toEqual([instant('2024-11-10 10:00:10')]);
    expect(ticks('2024-11-10 10:00:00', '2024-11-10 10:59:00')).toEqual([instant('2024-11-10 10:59:00')]);
  });

  it('go by the hour where time has stood still', () => {
    expect(ticks('2024-11-10 10:20:00', '2024-11-10 12:30:00')).toEqual([
      instant('2024-11-10 11:00:00'),
      instant('2024-11-10 12:00:00'),
      instant('2024-11-10 12:30:00'),
    ]);
    expect(ticks('2024-11-10 10:00:00', '2024-11-10 11:00:00')).toEqual([instant('2024-11-10 11:00:00')]);
  });

  it('come at every midnight on the way, never across two', () => {
    expect(ticks('2024-11-10 23:59:58', '2024-11-11 00:00:03')).toEqual([instant('2024-11-11 00:00:00')]);
    const long = ticks('2024-11-09 12:00:00', '2024-11-11 00:00:20');
    expect(long).toContain(instant('2024-11-10 00:00:00'));
    expect(long.slice(-2)).toEqual([instant('2024-11-11 00:00:00'), instant('2024-11-11 00:00:20')]);
    expect(long).toEqual([...new Set(long)].sort((a, b) => a - b));
  });

  it('never go back', () => {
    expect(ticks('2024-11-10 10:00:00', '2024-11-10 10:00:00')).toEqual([]);
    expect(ticks('2024-11-10 10:00:00', '2024-11-09 10:00:00')).toEqual([]);
  });

  it('begin at the first instant that is known, with no midnight before it', () => {
    const at = instant('2024-11-10 10:00:00');
    expect(nextTicks(rules, 0, at)).toEqual([at]);
    expect(nextTicks(rules, 0, 0)).toEqual([]);
  });
});

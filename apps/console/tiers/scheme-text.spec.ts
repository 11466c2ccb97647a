import { describe, expect, it } from '@jest/globals';
import { parsePeriod } from './scheme-text.js';

describe('parsePeriod', () => {
  it('reads the three kinds', () => {
    expect(parsePeriod('rolling:30d')).toEqual({ kind: 'rolling', days: 30 });
    expect(parsePeriod('calendar:month')).toEqual({ kind: 'calendarMonth' });
    expect(parsePeriod('span:2011-11-10..2011-12-10')).toEqual({
      kind: 'span',
      from: '2011-11-10',
      to: '2011-12-10',
    });
  });

  it.each(['', 'rolling:0d', 'rolling:30', 'rolling:9999d', 'calendar:week', 'span:2011-12-10..2011-11-10'])(
    'refuses %j',
    (text) => {
      expect(parsePeriod(text)).toBeNull();
    },
  );
});

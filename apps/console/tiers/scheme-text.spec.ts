import { describe, expect, it } from '@jest/globals';
import { parsePeriod } from './scheme-text.js';

describe('parsePeriod', () => {
  it('reads the four kinds', () => {
    expect(parsePeriod('rolling:30d')).toEqual({ kind: 'rolling', days: 30 });
    expect(parsePeriod('calendar:month')).toEqual({ kind: 'calendarMonth' });
    expect(parsePeriod('span:2011-11-10..2011-12-10')).toEqual({
      kind: 'span',
      from: '2011-11-10',
      to: '2011-12-10',
    });
    expect(parsePeriod('campaign:2026-11-01..2026-11-12,2026-10-01')).toEqual({
      kind: 'campaign',
      from: '2026-11-01',
      to: '2026-11-12',
      baseFrom: '2026-10-01',
    });
  });

  it.each([
    ...['', 'rolling:0d', 'rolling:30', 'rolling:9999d', 'calendar:week'],
    ...[
      'span:2011-12-10..2011-11-10',
      'span:2011-11-10..2011-12-10,2011-11-01',
      'span:2011-13-10..2011-14-10',
    ],
    ...['campaign:2026-11-01..2026-11-12', 'campaign:2026-11-01..2026-11-12,2026-11-01'],
  ])('refuses %j', (text) => {
    expect(parsePeriod(text)).toBeNull();
  });
});

import { describe, expect, it } from '@jest/globals';
import { instantFromText } from './instant-text.js';

describe('instantFromText', () => {
  it.each([
    ['2026-11-11T20:00:00+08:00', 'UTC', '2026-11-11T12:00:00.000Z'],
    ['2026-11-11 20:00:00.5Z', 'Asia/Shanghai', '2026-11-11T20:00:00.500Z'],
    ['2026-11-11', 'Asia/Shanghai', '2026-11-10T16:00:00.000Z'],
    ['2026-11-11T20:00', 'Asia/Shanghai', '2026-11-11T12:00:00.000Z'],
    ['2026-11-11 20:00:30.25', 'UTC', '2026-11-11T20:00:30.250Z'],
    // Shanghai had summer time then.
    ['1990-07-01', 'Asia/Shanghai', '1990-06-30T15:00:00.000Z'],
    // New York: the clocks went forward at 2:00.
    ['2026-03-08T12:00', 'America/New_York', '2026-03-08T16:00:00.000Z'],
    ['2026-11-01T12:00', 'America/New_York', '2026-11-01T17:00:00.000Z'],
  ])('reads %s in %s', (text, zone, expected) => {
    const at = instantFromText(text, zone);
    expect(at === null ? null : new Date(at).toISOString()).toBe(expected);
  });

  it.each([
    '',
    'now',
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '2026-11-11T24:00',
    '2026-11-11T20',
    '11.11.2026',
    '1762862400000',
  ])('has no instant for %j', (text) => {
    expect(instantFromText(text, 'UTC')).toBeNull();
  });
});

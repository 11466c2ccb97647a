import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UnknownZoneError, ZoneClock } from './zone-clock.js';

function instant(zone: string, local: string): string {
  return new Date(new ZoneClock(zone).instantOf(Date.parse(`${local}Z`))).toISOString();
}

describe('ZoneClock', () => {
  it.each([
    ['UTC', '2011-12-09T12:50:00', '2011-12-09T12:50:00.000Z'],
    ['Asia/Shanghai', '2024-11-11T00:00:00', '2024-11-10T16:00:00.000Z'],
    // Shanghai had summer time to 1991.
    ['Asia/Shanghai', '1988-07-01T12:00:00', '1988-07-01T03:00:00.000Z'],
    ['Europe/London', '2011-07-01T00:00:00', '2011-06-30T23:00:00.000Z'],
    ['Asia/Kolkata', '1997-01-01T00:00:00', '1996-12-31T18:30:00.000Z'],
    // A clock set forward: 02:30 never was, and lands 30 minutes after the gap.
    ['Europe/Berlin', '2024-03-31T02:30:00', '2024-03-31T01:30:00.000Z'],
    ['Europe/Berlin', '2024-03-31T03:00:00', '2024-03-31T01:00:00.000Z'],
    // A midnight that never was.
    ['America/Sao_Paulo', '2017-10-15T00:00:00', '2017-10-15T03:00:00.000Z'],
    // A clock set back: 02:30 was twice, and is the first.
    ['Europe/Berlin', '2024-10-27T02:30:00', '2024-10-27T00:30:00.000Z'],
    ['Europe/Berlin', '2024-10-27T03:00:00', '2024-10-27T02:00:00.000Z'],
    ['Australia/Lord_Howe', '2024-04-07T01:45:00', '2024-04-06T14:45:00.000Z'],
    // A whole day that never was.
    ['Pacific/Apia', '2011-12-30T12:00:00', '2011-12-30T22:00:00.000Z'],
  ])('%s %s is %s', (zone, local, expected) => {
    expect(instant(zone, local)).toBe(expected);
  });

  it('gives the same whatever was asked before', () => {
    const used = new ZoneClock('America/New_York');
    for (const year of [2020, 1999, 2024, 1991, 2030]) {
      for (let day = 0; day < 366; day += 9) {
        const local = Date.UTC(year, 0, 1 + day, 2, 30);
        expect(used.instantOf(local)).toBe(new ZoneClock('America/New_York').instantOf(local));
      }
    }
  });

  it('finds back every instant whose local time was once', () => {
    const clock = new ZoneClock('Europe/London');
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2035, 0, 1) }), (at) => {
        const found = clock.instantOf(clock.localOf(at));
        // In the hour that comes twice the first one is found.
        expect(found === at || found === at - 3_600_000).toBe(true);
        expect(clock.localOf(found)).toBe(clock.localOf(at));
      }),
    );
  });

  it('takes stamps far from any table', () => {
    expect(instant('Asia/Shanghai', '9999-01-01T00:00:00')).toBe('9998-12-31T16:00:00.000Z');
    expect(() => instant('Asia/Shanghai', '0100-01-01T00:00:00')).not.toThrow();
  });

  it('names a zone that does not exist', () => {
    expect(() => new ZoneClock('Mars/Olympus')).toThrow(UnknownZoneError);
    expect(() => new ZoneClock('Mars/Olympus')).toThrow('"Mars/Olympus"');
  });
});

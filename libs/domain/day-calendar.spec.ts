import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DayCalendar, dayFromText, dayText, monthStart, monthText, nextMonthStart } from './day-calendar.js';

const day = (text: string): number => {
  const number = dayFromText(text);
  if (number === null) throw new Error(`no date: ${text}`);
  return number;
};
const startOf = (zone: string, text: string): string =>
  new Date(DayCalendar.of(zone).dayStart(day(text))).toISOString();

describe('DayCalendar', () => {
  it.each([
    ['UTC', '2011-12-09', '2011-12-09T00:00:00.000Z'],
    ['Asia/Shanghai', '2024-11-11', '2024-11-10T16:00:00.000Z'],
    // Shanghai had summer time from 1986 to 1991.
    ['Asia/Shanghai', '1990-07-01', '1990-06-30T15:00:00.000Z'],
    ['Asia/Shanghai', '1990-12-01', '1990-11-30T16:00:00.000Z'],
    ['Asia/Kolkata', '2024-03-01', '2024-02-29T18:30:00.000Z'],
    // The clocks in São Paulo went from 00:00 to 01:00: the day begins at one o'clock.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
    // … and from 24:00 back to 23:00: the day begins at the second midnight.
    ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00.000Z'],
    ['Europe/London', '2024-03-31', '2024-03-31T00:00:00.000Z'],
    ['Europe/London', '2024-04-01', '2024-03-31T23:00:00.000Z'],
    // St. John's changed at one minute past midnight.
    ['America/St_Johns', '2010-11-07', '2010-11-07T03:30:00.000Z'],
    ['Africa/Cairo', '2023-04-28', '2023-04-27T22:00:00.000Z'],
  ])('in %s, %s begins at %s', (zone, date, instant) => {
    expect(startOf(zone, date)).toBe(instant);
  });

  it('makes a date that the zone left out an empty day', () => {
    const samoa = DayCalendar.of('Pacific/Apia');
    expect(samoa.dayStart(day('2011-12-30'))).toBe(samoa.dayStart(day('2011-12-31')));
    expect(samoa.dayOf(samoa.dayStart(day('2011-12-30')))).toBe(day('2011-12-31'));
    expect(samoa.dayOf(samoa.dayStart(day('2011-12-30')) - 1)).toBe(day('2011-12-29'));
  });

  it('agrees with the local date at any instant', () => {
    const zones = [
      'Asia/Shanghai',
      'Asia/Kolkata',
      'America/Sao_Paulo',
      'Europe/London',
      'Pacific/Apia',
      'UTC',
    ];
    const instant = fc.integer({ min: Date.UTC(1985, 0, 1), max: Date.UTC(2035, 0, 1) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (zone, t) => {
        // sv-SE writes dates as YYYY-MM-DD.
        const local = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(t);
        const calendar = DayCalendar.of(zone);
        const number = calendar.dayOf(t);
        expect(dayText(number)).toBe(local);
        expect(calendar.dayStart(number)).toBeLessThanOrEqual(t);
        expect(calendar.dayStart(number + 1)).toBeGreaterThan(t);
      }),
      { numRuns: 400 },
    );
  });

  it('refuses an unknown zone', () => {
    expect(() => DayCalendar.of('Mars/Olympus')).toThrow(RangeError);
  });
});

describe('dates', () => {
  it('go to day numbers and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -25_567, max: 40_000 }), (number) => {
        expect(dayText(number)).toBe(new Date(number * 86_400_000).toISOString().slice(0, 10));
        expect(day(dayText(number))).toBe(number);
        expect(dayText(monthStart(number))).toBe(`${monthText(number)}-01`);
        expect(nextMonthStart(number)).toBeGreaterThan(number);
        expect(monthStart(nextMonthStart(number) - 1)).toBe(monthStart(number));
      }),
    );
  });

  it.each(['2023-02-29', '2024-13-01', '2024-1-1', '', '2024-01-01T00:00'])('refuses %j', (text) => {
    expect(dayFromText(text)).toBeNull();
  });
});

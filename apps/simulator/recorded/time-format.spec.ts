import { describe, expect, it } from '@jest/globals';
import { stampParser, TimeFormatError } from './time-format.js';
import { ZoneClock } from './zone-clock.js';

function parse(format: string, text: string, zone = 'UTC'): string | null {
  const at = stampParser(format, new ZoneClock(zone))(text);
  return at === null ? null : new Date(at).toISOString();
}

describe('auto', () => {
  it.each([
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01 08:26', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01T08:26:00Z', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01T08:26:00+08:00', '2010-12-01T00:26:00.000Z'],
    ['2010-12-01 08:26:00-0330', '2010-12-01T11:56:00.000Z'],
    ['2010-12-01 08:26:00+08', '2010-12-01T00:26:00.000Z'],
    ['2010-12-01 08:26:00 UTC', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01 08:26:00.5', '2010-12-01T08:26:00.500Z'],
    ['2010-12-01 08:26:00.123999', '2010-12-01T08:26:00.123Z'],
    ['2010/12/1 8:26', '2010-12-01T08:26:00.000Z'],
    ['1997-01-01', '1997-01-01T00:00:00.000Z'],
    ['19970101', '1997-01-01T00:00:00.000Z'],
    ['1322700000', '2011-12-01T00:40:00.000Z'],
    ['1322700000.25', '2011-12-01T00:40:00.250Z'],
    ['1322700000123', '2011-12-01T00:40:00.123Z'],
    ['999999999999', '2001-09-09T01:46:39.999Z'],
    [' 2010-12-01 ', '2010-12-01T00:00:00.000Z'],
    ['2012-02-29', '2012-02-29T00:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(parse('auto', text)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    '2011-02-29',
    '2011-13-01',
    '2011-00-01',
    '2011-01-01 24:00',
    '2011-01-01 10:60',
    '01/02/2011',
    '12345',
    '12345678901',
    '2010-12/01',
    '-1322700000',
    '2010-12-01 08:26:00+19:00',
  ])('"%s" is no stamp', (text) => {
    expect(parse('auto', text)).toBeNull();
  });

  it('reads what has no zone in the given one, and nothing else', () => {
    expect(parse('auto', '2024-11-11', 'Asia/Shanghai')).toBe('2024-11-10T16:00:00.000Z');
    expect(parse('auto', '20241111', 'Asia/Shanghai')).toBe('2024-11-10T16:00:00.000Z');
    expect(parse('auto', '2024-11-11T00:00:00Z', 'Asia/Shanghai')).toBe('2024-11-11T00:00:00.000Z');
    expect(parse('auto', '1322700000', 'Asia/Shanghai')).toBe('2011-12-01T00:40:00.000Z');
  });
});

describe('patterns', () => {
  it.each([
    ['DD/MM/YYYY HH:mm', '03/12/2011 09:05', '2011-12-03T09:05:00.000Z'],
    ['M/D/YYYY H:mm', '12/3/2011 9:05', '2011-12-03T09:05:00.000Z'],
    ['M/D/YY', '2/1/01', '2001-02-01T00:00:00.000Z'],
    ['M/D/YY', '2/1/69', '1969-02-01T00:00:00.000Z'],
    ['DD-MMM-YYYY', '05-Nov-2000', '2000-11-05T00:00:00.000Z'],
    ['MM/DD/YYYY hh:mm:ss A', '11/05/2000 12:00:01 AM', '2000-11-05T00:00:01.000Z'],
    ['MM/DD/YYYY hh:mm A', '11/05/2000 12:30 p.m.', '2000-11-05T12:30:00.000Z'],
    ['YYYYMMDDHHmmss', '20241111000001', '2024-11-11T00:00:01.000Z'],
    ['YYYY-MM-DD[T]HH:mm:ss.SSSZ', '2024-11-11T00:00:01.250+08:00', '2024-11-10T16:00:01.250Z'],
    ['YYYY年M月D日', '2024年11月1日', '2024-11-01T00:00:00.000Z'],
    ['epoch-s', '1322700000', '2011-12-01T00:40:00.000Z'],
    ['epoch-s', '86400', '1970-01-02T00:00:00.000Z'],
    ['epoch-ms', '1322700000123', '2011-12-01T00:40:00.123Z'],
  ])('%s reads %s', (format, text, expected) => {
    expect(parse(format, text)).toBe(expected);
  });

  it.each([
    ['DD/MM/YYYY', '31/02/2011'],
    ['DD/MM/YYYY', '2011-02-01'],
    ['DD-MMM-YYYY', '05-Foo-2000'],
    ['MM/DD/YYYY hh:mm A', '11/05/2000 13:30 PM'],
    ['epoch-s', '1.2.3'],
  ])('%s does not read %s', (format, text) => {
    expect(parse(format, text)).toBeNull();
  });

  it.each(['HH:mm', 'MM/DD', 'nonsense', 'YYYY-MM-DD YYYY'])('%s is no format', (format) => {
    expect(() => stampParser(format, new ZoneClock('UTC'))).toThrow(TimeFormatError);
  });
});

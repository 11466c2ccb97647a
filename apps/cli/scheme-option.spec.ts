import { expect, it } from '@jest/globals';
import { parseAt } from './at-option.js';
import { parsePeriod } from './scheme-option.js';

it.each([
  ['rolling:30d', { kind: 'rolling', days: 30 }],
  ['rolling:1d', { kind: 'rolling', days: 1 }],
  ['calendar:month', { kind: 'calendarMonth' }],
  ['span:2011-11-10..2011-12-10', { kind: 'span', from: '2011-11-10', to: '2011-12-10' }],
  ['rolling:0d', null],
  ['rolling:30', null],
  ['rolling:9999d', null],
  ['calendar:week', null],
  ['span:2011-12-10..2011-11-10', null],
  ['span:2011-11-10..2011-11-10', null],
  ['span:2011-02-30..2011-03-10', null],
  ['', null],
])('--scheme %s', (text, period) => {
  expect(parsePeriod(text)).toEqual(period);
});

it.each([
  ['2011-12-01', 'Asia/Shanghai', '2011-11-30T16:00:00.000Z'],
  ['2011-12-01T10:00', 'UTC', '2011-12-01T10:00:00.000Z'],
  ['2011-12-01T10:00:00.001+08:00', 'UTC', '2011-12-01T02:00:00.001Z'],
])('--at %s in %s', (text, zone, instant) => {
  expect(new Date(parseAt(text, zone)).toISOString()).toBe(instant);
});

it('says what an instant looks like', () => {
  expect(() => parseAt('tomorrow', 'UTC')).toThrow('--at tomorrow: expected an instant such as 2024-11-12');
});

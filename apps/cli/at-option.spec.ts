import { expect, it } from '@jest/globals';
import { parseAt } from './at-option.js';

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

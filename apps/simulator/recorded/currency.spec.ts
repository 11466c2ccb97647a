import { expect, it } from '@jest/globals';
import { minorDigitsOf } from './currency.js';

it.each([
  ['CNY', 2],
  ['GBP', 2],
  ['JPY', 0],
  ['KWD', 3],
  ['cny', null],
  ['XQQ', null],
  ['', null],
])('%s has %s minor digits', (code, digits) => {
  expect(minorDigitsOf(code)).toBe(digits);
});

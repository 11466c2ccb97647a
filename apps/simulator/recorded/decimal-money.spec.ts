import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNegativeNumber, multiplyMoney, parseMoney, parseWhole } from './decimal-money.js';

describe('parseMoney', () => {
  it.each([
    ['12.5', 2, 1250],
    ['0', 2, 0],
    ['-0.00', 2, 0],
    ['.5', 2, 50],
    ['5.', 2, 500],
    ['+7', 2, 700],
    ['-3', 2, -300],
    // Half away from zero, on both sides; never by way of a float (1.005 × 100 is 100.49999… there).
    ['1.005', 2, 101],
    ['-1.005', 2, -101],
    ['1.0049999', 2, 100],
    ['-0.004', 2, 0],
    ['2.5', 0, 3],
    ['-2.5', 0, -3],
    ['1499.9995', 3, 1_500_000],
    ['1e3', 2, 100_000],
    ['1.5E-2', 2, 2],
    ['1,234.50', 2, 123_450],
    ['1,234,567', 0, 1_234_567],
    ['90071992547409.91', 2, Number.MAX_SAFE_INTEGER],
    [' 4.20 ', 2, 420],
  ])('%s with %i digits is %i', (text, digits, minor) => {
    expect(parseMoney(text, digits)?.minor).toBe(minor);
  });

  it.each([
    '',
    ' ',
    '-',
    '.',
    'abc',
    '1.2.3',
    '12,50',
    '1,234',
    '￥5',
    '5 000',
    'NaN',
    'Infinity',
    '0x10',
    '1e99',
    '9'.repeat(41),
  ])('"%s" is no amount', (text) => {
    expect(parseMoney(text, 2)).toBeNull();
  });

  it('refuses what an integer cannot hold exactly', () => {
    expect(parseMoney('90071992547409.92', 2)).toBeNull();
  });

  it('keeps the sign of what is rounded away', () => {
    expect(parseMoney('-0.001', 2)).toEqual({ minor: 0, negative: true });
    expect(parseMoney('-0.000', 2)).toEqual({ minor: 0, negative: false });
  });

  it('equals rounding on big integers, for any digits', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 0, max: 4 }),
        (value, scale, digits) => {
          const magnitude = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
          const cut = magnitude.length - scale;
          const text = `${value < 0n ? '-' : ''}${magnitude.slice(0, cut)}${scale > 0 ? `.${magnitude.slice(cut)}` : ''}`;
          const shifted = value * 10n ** BigInt(digits);
          const unit = 10n ** BigInt(scale);
          const away =
            shifted < 0n ? -((-2n * shifted + unit) / (2n * unit)) : (2n * shifted + unit) / (2n * unit);
          const fits = (away < 0n ? -away : away) <= BigInt(Number.MAX_SAFE_INTEGER);
          expect(parseMoney(text, digits)?.minor).toBe(fits ? Number(away) : undefined);
        },
      ),
    );
  });
});

describe('multiplyMoney', () => {
  it.each([
    ['6', '2.55', 2, 1530],
    ['-6', '2.55', 2, -1530],
    ['-1', '0', 2, 0],
    ['3', '0.335', 2, 101],
    ['0.1', '0.2', 2, 2],
    ['1', '-11062.06', 2, -1_106_206],
    ['80995', '2.08', 2, 16_846_960],
  ])('%s × %s', (quantity, price, digits, minor) => {
    expect(multiplyMoney(quantity, price, digits)?.minor).toBe(minor);
  });

  it('is null when either is no number', () => {
    expect(multiplyMoney('x', '1', 2)).toBeNull();
    expect(multiplyMoney('1', '', 2)).toBeNull();
  });
});

describe('signs and whole numbers', () => {
  it.each([
    ['-6', true],
    ['-0.5', true],
    ['-0', false],
    ['6', false],
    ['x', false],
  ])('%s below zero: %s', (text, negative) => {
    expect(isNegativeNumber(text)).toBe(negative);
  });

  it.each([
    ['6', 6],
    ['6.0', 6],
    ['-6', -6],
    ['6.5', null],
    ['x', null],
  ])('%s as a whole number is %s', (text, whole) => {
    expect(parseWhole(text)).toBe(whole);
  });
});

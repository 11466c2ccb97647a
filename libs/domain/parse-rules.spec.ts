import { describe, expect, it } from '@jest/globals';
import { parseRules } from './parse-rules.js';
import { defaultRules, defaultSchemes } from './rules.js';

const campaign = { kind: 'campaign', baseFrom: '2024-10-20', from: '2024-11-01', to: '2024-11-12' };

function withScheme(changes: object): string {
  return JSON.stringify(defaultRules({ schemes: [{ ...defaultSchemes()[0], ...changes } as never] }));
}

describe('parseRules', () => {
  it('reads back what is written', () => {
    expect(parseRules(JSON.stringify(defaultRules()))).toEqual(defaultRules());
    expect(parseRules(withScheme({ period: campaign, brand: 'one' }))).toMatchObject({
      schemes: [{ period: campaign }],
    });
  });

  it.each([
    ['{', /^no JSON/],
    ['[]', /^rules: expected an object/],
    [JSON.stringify({ ...defaultRules(), schemes: [] }), /^schemes: expected at least one/],
    [
      JSON.stringify({ ...defaultRules(), schemes: [...defaultSchemes(), ...defaultSchemes()] }),
      /two have the id rolling:30d/,
    ],
    [withScheme({ zone: 'Asia/Shangri-La' }), /^schemes\[0\].zone: Asia\/Shangri-La is no zone/],
    [withScheme({ id: '' }), /^schemes\[0\].id/],
    [withScheme({ brand: 3 }), /^schemes\[0\].brand/],
    [withScheme({ zeroOrderCounts: 'yes' }), /^schemes\[0\].zeroOrderCounts/],
    [withScheme({ joinToleranceMs: -1 }), /^schemes\[0\].joinToleranceMs/],
    [withScheme({ period: { kind: 'weekly' } }), /^schemes\[0\].period.kind/],
    [withScheme({ period: { kind: 'rolling', days: 0 } }), /^schemes\[0\].period.days/],
    [
      withScheme({ period: { kind: 'span', from: '2024-02-30', to: '2024-03-01' } }),
      /expected a date YYYY-MM-DD/,
    ],
    [
      withScheme({ period: { kind: 'span', from: '2024-03-01', to: '2024-03-01' } }),
      /is not after 2024-03-01/,
    ],
    [withScheme({ period: { ...campaign, baseFrom: '2024-11-01' } }), /period.from: 2024-11-01 is not after/],
    [JSON.stringify({ ...defaultRules(), windows: {} }), /^windows: expected a list/],
    [
      JSON.stringify({ ...defaultRules(), windows: [{ id: 'w', widthMs: 100, slideMs: 30, latenessMs: 0 }] }),
      /^windows: .*does not divide/,
    ],
    [JSON.stringify({ ...defaultRules(), duesPerTick: 0 }), /^duesPerTick/],
    [JSON.stringify({ ...defaultRules(), refundHorizonDays: 1.5 }), /^refundHorizonDays/],
  ])('says what is wrong with %s', (text, message) => {
    expect(parseRules(text)).toMatch(message);
  });
});

import { describe, expect, it } from '@jest/globals';
import { defaultRules } from '#domain';
import { FoldHarness, follow, rulesSet, tick } from '#testing';

const common = { brand: null, zone: 'Asia/Shanghai', zeroOrderCounts: true, joinToleranceMs: 0 };
const ROLLING = { ...common, id: 'rolling:30d', period: { kind: 'rolling', days: 30 } } as const;
const MONTH = { ...common, id: 'calendar:month', period: { kind: 'calendarMonth' } } as const;

describe('the rows of a day', () => {
  it('are there at once for a scheme that is new, also where nothing happens any more', () => {
    const harness = new FoldHarness(defaultRules({ schemes: [ROLLING] }));
    harness.fold([tick('2024-11-10 08:00'), follow('2024-11-10 09:00')]);
    const before = harness.figures.takePeriodRows().map(({ scheme_id }) => scheme_id);
    expect(new Set(before)).toEqual(new Set(['rolling:30d']));
    harness.fold([rulesSet(defaultRules({ schemes: [ROLLING, MONTH] }))]);
    const rows = harness.figures.takePeriodRows().filter(({ scheme_id }) => scheme_id === 'calendar:month');
    expect(rows.map(({ channel, day, capital }) => [channel, day, capital])).toEqual([
      ['all', '2024-11-10', 1],
      ['shop', '2024-11-10', 1],
    ]);
  });
});

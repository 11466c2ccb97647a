import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivals, LOG_RULES, personLog } from '../../testing/arbitrary-log.js';
import { FoldHarness } from '../../testing/fold-harness.js';
import { DayTable, RunningTable } from './day-table.js';
import type { PeriodFigure } from './period-row.js';

const DAY = 86_400_000;

const keyOf = ({ brand, channel, scheme_id, day }: PeriodFigure): string =>
  [brand, channel, scheme_id, day].join(' ');

/** A row without what moves on while nothing happens to it. */
function valuesOf({ watermark: _, status: __, ...values }: PeriodFigure): string {
  return JSON.stringify(values);
}

describe('rows by day', () => {
  it('taken as they change are all rows there are, whenever they are taken', () => {
    fc.assert(
      fc.property(personLog(6 * DAY), fc.integer({ min: 1, max: 40 }), (log, every) => {
        const harness = new FoldHarness(LOG_RULES);
        const stored = new Map<string, PeriodFigure>();
        const take = () => {
          for (const row of harness.figures.takePeriodRows()) stored.set(keyOf(row), row);
        };
        const entries = arrivals(log, 0);
        for (let from = 0; from < entries.length; from += every) {
          harness.fold(entries.slice(from, from + every));
          take();
        }
        const all = harness.figures.periodRows();
        expect([...stored.values()].map(valuesOf).sort()).toEqual(all.map(valuesOf).sort());
        for (const row of stored.values()) {
          const over = all.find((one) => keyOf(one) === keyOf(row))?.status !== 'provisional';
          expect(row.status === 'provisional').toBe(!over);
        }
        expect(harness.figures.takePeriodRows()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('tables by day', () => {
  it('give back sums in any order of days', () => {
    const addition = fc.record({
      day: fc.integer({ min: -400, max: 400 }),
      column: fc.integer({ min: 0, max: 1 }),
      value: fc.integer({ min: -5, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(addition), fc.array(fc.integer({ min: -410, max: 410 })), (additions, asked) => {
        const plain = new DayTable(2);
        const running = new RunningTable(2);
        additions.forEach(({ day, column, value }, nth) => {
          plain.add(day, column, value);
          running.add(day, column, value);
          const read = asked[nth % Math.max(1, asked.length)] ?? 0;
          const before = additions.slice(0, nth + 1).filter((one) => one.column === column);
          const sum = (of: typeof before) => of.reduce((total, one) => total + one.value, 0);
          expect(plain.at(read, column)).toBe(sum(before.filter((one) => one.day === read)));
          expect(running.at(read, column)).toBe(sum(before.filter((one) => one.day <= read)));
        });
      }),
    );
  });
});

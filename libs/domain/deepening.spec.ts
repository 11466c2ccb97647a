/** FAST+ Conversion, the numerator: section 2, and section 8 rows 3 to 5. */
import { describe, expect, it } from '@jest/globals';
import { FoldHarness } from '../testing/fold-harness.js';
import { follow, join, pay, quit, tick, unfollow } from '../testing/touchpoint-kit.js';
import type { LogEntry } from './events.js';
import type { PeriodFigure } from './figures/period-row.js';
import { defaultRules, type Rules, type SchemePeriod } from './rules.js';

function rulesOf(period: SchemePeriod): Rules {
  const common = { brand: null, zone: 'Asia/Shanghai', zeroOrderCounts: true, joinToleranceMs: 60_000 };
  return defaultRules({ schemes: [{ id: 'scheme', period, ...common }] });
}

const MONTH = rulesOf({ kind: 'calendarMonth' });
const ROLLING = rulesOf({ kind: 'rolling', days: 10 });
const CAMPAIGN = rulesOf({
  kind: 'campaign',
  baseFrom: '2024-10-01',
  from: '2024-11-01',
  to: '2024-11-12',
});

/** The row of all channels on a day, after the log and a tick at the day’s end. */
function rowOn(day: string, rules: Rules, ...log: readonly LogEntry[]): PeriodFigure {
  const harness = new FoldHarness(rules);
  harness.fold([tick('2024-09-01 00:00:00'), ...log, tick(`${day} 23:59:59`)]);
  const row = harness.figures.periodRows().find((one) => one.day === day && one.channel === 'all');
  if (row === undefined) throw new Error(`no row on ${day}`);
  return row;
}

const counted = (deepened: number, cohort: number, base: number) => ({
  deepened,
  deepened_cohort: cohort,
  capital_base: base,
});

describe('Conversion by month', () => {
  const fan = follow('2024-10-05 10:00:00');
  it('above the tier at the close of the month before: deepened, in the cohort', () => {
    expect(rowOn('2024-11-20', MONTH, fan, join('2024-11-02 10:00:00'))).toMatchObject(counted(1, 1, 1));
  });
  it('at least once: a later fall takes nothing back', () => {
    const log = [
      fan,
      join('2024-11-02 10:00:00'),
      quit('2024-11-03 10:00:00'),
      unfollow('2024-11-04 10:00:00'),
    ];
    expect(rowOn('2024-11-20', MONTH, ...log)).toMatchObject(counted(1, 1, 1));
  });
  it('0→1 is growth of the Capital', () => {
    expect(rowOn('2024-11-20', MONTH, follow('2024-11-02 10:00:00'))).toMatchObject(counted(0, 0, 0));
  });
  it('0→2 in one go is growth, too; what comes after is not', () => {
    const inOneGo = join('2024-11-02 10:00:00');
    expect(rowOn('2024-11-20', MONTH, inOneGo)).toMatchObject(counted(0, 0, 0));
    expect(rowOn('2024-11-20', MONTH, inOneGo, pay('o', '2024-11-03 10:00:00'))).toMatchObject(
      counted(1, 0, 0),
    );
  });
  it('followed, then joined, both in the month: deepened, but not of the cohort; literal may pass 1', () => {
    const log = [follow('2024-11-02 10:00:00'), join('2024-11-03 10:00:00')];
    expect(rowOn('2024-11-20', MONTH, ...log)).toMatchObject(counted(1, 0, 0));
  });
  it('a fan of long ago who comes back as a member has deepened, as a fan has not', () => {
    const gone = [fan, unfollow('2024-10-06 10:00:00')];
    expect(rowOn('2024-11-20', MONTH, ...gone, join('2024-11-03 10:00:00'))).toMatchObject(counted(1, 0, 0));
    expect(rowOn('2024-11-20', MONTH, ...gone, follow('2024-11-03 10:00:00'))).toMatchObject(
      counted(0, 0, 0),
    );
  });
  it('a loyal buyer does not deepen anew each month', () => {
    const loyal = [
      join('2024-10-01 10:00:00'),
      pay('a', '2024-10-02 10:00:00'),
      pay('b', '2024-10-03 10:00:00'),
    ];
    const again = [pay('c', '2024-11-02 10:00:00'), pay('d', '2024-11-03 10:00:00')];
    expect(rowOn('2024-11-20', MONTH, ...loyal, ...again)).toMatchObject(counted(0, 0, 1));
  });
  it('ends with the month', () => {
    const log = [fan, join('2024-10-20 10:00:00')];
    expect(rowOn('2024-10-31', MONTH, ...log)).toMatchObject(counted(1, 0, 0));
    expect(rowOn('2024-11-01', MONTH, ...log)).toMatchObject(counted(0, 0, 1));
  });
  it('a late event into a month that has closed counts in that month', () => {
    const harness = new FoldHarness(MONTH);
    harness.fold([
      tick('2024-09-01 00:00:00'),
      fan,
      tick('2024-12-02 00:00:00'),
      join('2024-11-29 10:00:00'),
    ]);
    const rows = harness.figures.periodRows().filter(({ channel }) => channel === 'all');
    expect(rows.find(({ day }) => day === '2024-11-28')).toMatchObject({
      deepened: 0,
      tiers: [0, 1, 0, 0, 0, 0],
    });
    expect(rows.find(({ day }) => day === '2024-11-30')).toMatchObject({
      deepened: 1,
      tiers: [0, 0, 1, 0, 0, 0],
    });
    expect(rows.find(({ day }) => day === '2024-12-01')).toMatchObject({
      deepened: 0,
      tiers: [0, 0, 1, 0, 0, 0],
    });
  });
});

describe('Conversion over rolling days', () => {
  it('compares with the state before them, and moves along by time alone', () => {
    const log = [follow('2024-10-05 10:00:00'), join('2024-11-02 10:00:00')];
    expect(rowOn('2024-11-11', ROLLING, ...log)).toMatchObject(counted(1, 1, 1));
    expect(rowOn('2024-11-12', ROLLING, ...log)).toMatchObject(counted(0, 0, 1));
  });
  it('a base that falls by time can make a deepening', () => {
    // Bought on the 1st: tier 3 to the 10th. Bought again on the 21st, by when the 11th stands at tier 2.
    const log = [
      join('2024-10-20 10:00:00'),
      pay('a', '2024-11-01 10:00:00'),
      pay('b', '2024-11-21 10:00:00'),
    ];
    expect(rowOn('2024-11-21', ROLLING, ...log)).toMatchObject(counted(1, 1, 1));
    const sooner = [
      join('2024-10-20 10:00:00'),
      pay('a', '2024-11-02 10:00:00'),
      pay('b', '2024-11-20 10:00:00'),
    ];
    expect(rowOn('2024-11-20', ROLLING, ...sooner)).toMatchObject(counted(0, 0, 1));
    expect(rowOn('2024-11-22', ROLLING, ...sooner)).toMatchObject(counted(1, 1, 1));
  });
});

describe('Conversion of a campaign', () => {
  const member = join('2024-09-20 10:00:00');
  it('compares with the tier of its base span', () => {
    const before = pay('a', '2024-10-10 10:00:00');
    const once = pay('b', '2024-11-02 10:00:00');
    expect(rowOn('2024-11-05', CAMPAIGN, member, once)).toMatchObject(counted(1, 1, 1));
    expect(rowOn('2024-11-05', CAMPAIGN, member, before, once)).toMatchObject(counted(0, 0, 1));
    const twice = [once, pay('c', '2024-11-03 10:00:00')];
    expect(rowOn('2024-11-05', CAMPAIGN, member, before, ...twice)).toMatchObject(counted(1, 1, 1));
  });
  it('stands after the close, when the tiers have fallen', () => {
    const log = [member, pay('b', '2024-11-02 10:00:00')];
    expect(rowOn('2024-11-11', CAMPAIGN, ...log)).toMatchObject({
      ...counted(1, 1, 1),
      tiers: [0, 0, 0, 1, 0, 0],
    });
    expect(rowOn('2024-11-12', CAMPAIGN, ...log)).toMatchObject({
      ...counted(1, 1, 1),
      tiers: [0, 0, 1, 0, 0, 0],
    });
  });
});

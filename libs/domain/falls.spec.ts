/** What time does with no traffic at all (FAST+ section 10, 5), and what new rules do. */
import { describe, expect, it } from '@jest/globals';
import { FoldHarness } from '../testing/fold-harness.js';
import { factText } from '../testing/given.js';
import { follow, instant, join, pay, rulesSet, tick, visit } from '../testing/touchpoint-kit.js';
import { defaultRules, defaultSchemes, type Rules, type Scheme } from './rules.js';

const scheme = (id: string, period: Scheme['period'], zone = 'Asia/Shanghai'): Scheme => ({
  ...(defaultSchemes(zone)[0] ?? never()),
  id,
  period,
});
function never(): never {
  throw new Error('there are default schemes');
}

const ALL_KINDS: Rules = defaultRules({
  schemes: [
    scheme('rolling', { kind: 'rolling', days: 30 }),
    scheme('month', { kind: 'calendarMonth' }),
    scheme('campaign', { kind: 'campaign', baseFrom: '2024-10-20', from: '2024-11-01', to: '2024-11-12' }),
    scheme('span', { kind: 'span', from: '2024-11-01', to: '2024-11-12' }),
  ],
});

describe('falls by time alone', () => {
  it('come once, at the midnight of their zone, with no traffic', () => {
    const harness = new FoldHarness(ALL_KINDS);
    harness.fold([tick('2024-11-01 00:00:00'), join('2024-11-01 10:00:00')]);
    harness.fold([pay('a', '2024-11-10 10:00:00'), pay('b', '2024-11-11 10:00:00')]);
    harness.facts.length = 0;
    harness.tickTo(instant('2025-06-01 00:00:00'));
    expect(harness.facts.map((fact) => [factText(fact), fact.effectiveAt, fact.detectedAt - 500])).toEqual(
      [
        ['campaign 4→2 TIME', '2024-11-12 00:00:00'],
        ['month 4→2 TIME', '2024-12-01 00:00:00'],
        ['rolling 4→3 TIME', '2024-12-10 00:00:00'],
        ['rolling 3→2 TIME', '2024-12-11 00:00:00'],
      ].map(([text, at]) => [text, instant(at ?? ''), instant(at ?? '')]),
    );
  });

  it('are dated at their own midnight, though a tick came weeks late', () => {
    const harness = new FoldHarness(ALL_KINDS);
    harness.fold([tick('2024-11-01 00:00:00'), join('2024-11-01 10:00:00'), pay('a', '2024-11-10 10:00:00')]);
    const before = harness.facts.length;
    harness.fold([tick('2025-02-01 12:00:00')]);
    expect(harness.facts.slice(before).map((fact) => [factText(fact), fact.effectiveAt])).toEqual([
      ['rolling 3→2 TIME', instant('2024-12-10 00:00:00')],
      ['month 3→2 TIME', instant('2024-12-01 00:00:00')],
      ['campaign 3→2 TIME', instant('2024-11-12 00:00:00')],
    ]);
  });

  it('begin where the day does: in São Paulo a midnight does not exist', () => {
    const rules = defaultRules({ schemes: [scheme('s', { kind: 'rolling', days: 3 }, 'America/Sao_Paulo')] });
    const harness = new FoldHarness(rules);
    harness.fold([
      tick('2018-10-20T12:00:00Z'),
      join('2018-10-20T13:00:00Z'),
      pay('a', '2018-11-01T13:00:00Z'),
    ]);
    harness.fold([tick('2018-11-04T02:59:59Z')]);
    expect(harness.summary('s')?.tier).toBe(3);
    harness.tickTo(instant('2018-11-04T12:00:00Z'));
    expect(harness.facts.at(-1)).toMatchObject({ to: 2, effectiveAt: instant('2018-11-04T03:00:00Z') });
  });

  it('are drained a few persons a tick, by due instant and key', () => {
    const harness = new FoldHarness({ ...ALL_KINDS, duesPerTick: 2 });
    const names = ['e', 'b', 'd', 'a', 'c'];
    for (const person of names) {
      harness.fold([join('2024-11-01 10:00:00', { person }), pay(person, '2024-11-10 10:00:00', { person })]);
    }
    harness.fold([tick('2024-11-11 23:00:00')]);
    harness.facts.length = 0;
    const close = tick('2024-11-12 00:00:00');
    expect(harness.fold([close]).moreDue).toBe(true);
    expect(harness.fold([close]).moreDue).toBe(true);
    expect(harness.fold([close]).moreDue).toBe(false);
    expect(harness.facts.map(({ person }) => person)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(harness.fold([close]).facts).toEqual([]);
  });

  it('leave the figures of every day behind', () => {
    const harness = new FoldHarness(ALL_KINDS);
    harness.fold([tick('2024-11-01 00:00:00'), join('2024-11-01 10:00:00'), pay('a', '2024-11-10 10:00:00')]);
    harness.tickTo(instant('2024-12-12 00:00:00'));
    const stock = (day: string) =>
      harness.figures
        .periodRows()
        .find((row) => row.day === day && row.channel === 'all' && row.scheme_id === 'rolling')?.tiers;
    expect(stock('2024-11-09')).toEqual([0, 0, 1, 0, 0, 0]);
    expect(stock('2024-11-10')).toEqual([0, 0, 0, 1, 0, 0]);
    expect(stock('2024-12-09')).toEqual([0, 0, 0, 1, 0, 0]);
    expect(stock('2024-12-10')).toEqual([0, 0, 1, 0, 0, 0]);
  });
});

describe('forgetting', () => {
  it('drops an anonymous visitor once no window covers him', () => {
    const harness = new FoldHarness();
    harness.fold([tick('2024-11-01 00:00:00'), visit('2024-11-01 10:00:00')]);
    harness.tickTo(instant('2024-12-02 00:00:00'));
    expect(harness.states.size).toBe(1);
    harness.tickTo(instant('2024-12-05 00:00:00'));
    expect(harness.states.size).toBe(0);
    expect(harness.dues.size).toBe(0);
  });

  it('settles a guest’s order, and keeps the money of the day', () => {
    const harness = new FoldHarness();
    harness.fold([tick('2024-11-01 00:00:00'), pay('o1', '2024-11-01 10:00:00', { person: 'order:o1' })]);
    harness.tickTo(instant('2025-06-01 00:00:00'));
    expect(harness.states.size).toBe(0);
    const row = harness.figures
      .periodRows()
      .find(({ day, channel }) => day === '2024-11-01' && channel === 'all');
    expect(row).toMatchObject({ orders: 1, gmv_gross_minor: 10_000 });
  });

  it('keeps who was ever related or bought: totals, and the last switch of each link', () => {
    const harness = new FoldHarness();
    harness.fold([
      tick('2024-11-01 00:00:00'),
      follow('2024-11-01 10:00:00'),
      pay('o1', '2024-11-02 10:00:00'),
    ]);
    harness.tickTo(instant('2026-01-01 00:00:00'));
    const state = harness.state();
    expect(state?.money.orders).toEqual([]);
    expect(state?.dueAt).toBe(Infinity);
    expect(harness.summary('rolling:30d')).toMatchObject({
      tier: 1,
      orders: 1,
      own_value_minor: 10_000,
      first_purchase: instant('2024-11-02 10:00:00'),
    });
  });

  it('does not count again what a second replay brings, however long ago', () => {
    const harness = new FoldHarness();
    const replay = { origin: 'REPLAY' } as const;
    const history = [join('2023-01-01 10:00:00', replay), pay('o1', '2023-01-02 10:00:00', replay)];
    harness.fold([tick('2023-01-01 00:00:00'), ...history]);
    harness.tickTo(instant('2024-06-01 00:00:00'));
    const before = harness.figures.periodRows();
    harness.fold(history);
    expect(harness.summary('rolling:30d')).toMatchObject({ orders: 1, own_value_minor: 10_000 });
    expect(harness.figures.periodRows()).toEqual(before);
  });
});

describe('new rules', () => {
  const late = '2024-11-20 12:00:00';
  const bought = [tick('2024-11-01 00:00:00'), join('2024-11-01 10:00:00'), pay('a', '2024-11-10 10:00:00')];
  const added = defaultRules({
    schemes: [...defaultSchemes(), scheme('utc', { kind: 'rolling', days: 20 }, 'UTC')],
  });

  it('give everybody a standing under a new scheme at the next tick', () => {
    const harness = new FoldHarness();
    harness.fold([...bought, join('2024-11-02 10:00:00', { person: 'other' }), tick(late)]);
    harness.facts.length = 0;
    harness.fold([rulesSet(added)]);
    expect(harness.facts).toEqual([]);
    harness.fold([tick(late)]);
    expect(harness.facts.map((fact) => `${fact.person} ${factText(fact)}`)).toEqual([
      'other utc 0→2 RESTATE',
      'person utc 0→3 RESTATE',
    ]);
    expect(harness.fold([tick(late)]).counts.duePersons).toBe(0);
  });

  it('also where they and the tick are one batch, or a restart lies between', () => {
    const together = new FoldHarness();
    together.fold(bought);
    together.fold([tick(late), rulesSet(added), tick(late)]);
    const apart = new FoldHarness();
    apart.fold([...bought, tick(late)]);
    apart.fold([rulesSet(added)]);
    apart.restart();
    apart.fold([tick(late)]);
    expect(apart.facts).toEqual(together.facts);
    expect(apart.facts.at(-1)?.cause).toBe('RESTATE');
  });

  it('carry links and open orders into the day figures of a new zone', () => {
    const harness = new FoldHarness();
    harness.fold([...bought, tick(late), rulesSet(added), tick(late)]);
    const row = harness.figures
      .periodRows()
      .find(
        ({ scheme_id, channel, day }) => scheme_id === 'utc' && channel === 'all' && day === '2024-11-20',
      );
    expect(row).toMatchObject({ capital: 1, capital_base: 0, tiers: [0, 0, 0, 1, 0, 0] });
  });

  it('take a scheme away without a trace', () => {
    const harness = new FoldHarness(added);
    harness.fold([...bought, tick(late), rulesSet(defaultRules()), tick(late)]);
    expect(harness.state()?.standings.map(({ schemeId }) => schemeId)).toEqual([
      'rolling:30d',
      'calendar:month',
    ]);
    expect(harness.figures.periodRows().some(({ scheme_id }) => scheme_id === 'utc')).toBe(false);
  });

  it('may do without windows: tiers and day figures as ever, no presence', () => {
    const harness = new FoldHarness(defaultRules({ windows: [] }));
    harness.fold([...bought, visit('2024-11-10 11:00:00'), tick(late)]);
    harness.restart();
    harness.fold([visit('2024-11-20 13:00:00')]);
    expect(harness.summary('rolling:30d')?.tier).toBe(3);
    expect(harness.state()?.presence.channels).toEqual([]);
    expect(harness.figures.takeWindowRows(true)).toEqual([]);
  });

  it('that are none stop the partition', () => {
    const harness = new FoldHarness();
    expect(() => harness.fold([{ type: 'rulesSet', rulesJson: '{"schemes":[]}', arrivedAt: 1 }])).toThrow(
      'schemes: expected at least one',
    );
  });
});

describe('an import of history', () => {
  it('changes tiers as a restatement, and money in its own days', () => {
    const harness = new FoldHarness();
    harness.fold([tick('2024-11-20 00:00:00'), join('2024-11-20 10:00:00')]);
    harness.facts.length = 0;
    const backfill = { origin: 'BACKFILL' } as const;
    harness.fold([join('2024-01-01 10:00:00', backfill), pay('o', '2024-11-05 10:00:00', backfill)]);
    expect(harness.facts.map(factText)).toEqual(['rolling:30d 2→3 RESTATE', 'calendar:month 2→3 RESTATE']);
    const row = harness.figures
      .periodRows()
      .find(({ day, channel }) => day === '2024-11-05' && channel === 'all');
    expect(row).toMatchObject({ orders: 1, capital: 1 });
  });

  it('tells one change of years, and none of the falls between', () => {
    const harness = new FoldHarness();
    harness.fold([tick('2024-11-20 00:00:00')]);
    const backfill = { origin: 'BACKFILL' } as const;
    const months = Array.from(
      { length: 22 },
      (_, nth) => `${2023 + Math.floor(nth / 12)}-${String((nth % 12) + 1).padStart(2, '0')}`,
    );
    harness.fold([
      join('2023-01-01 10:00:00', backfill),
      ...months.map((month) => pay(month, `${month}-05 10:00:00`, backfill)),
    ]);
    expect(harness.facts.map(factText)).toEqual(['rolling:30d 0→2 RESTATE', 'calendar:month 0→2 RESTATE']);
    harness.facts.length = 0;
    expect(harness.tickTo(instant('2024-11-21 00:00:00'))).toEqual([]);
    expect(harness.summary('rolling:30d')).toMatchObject({ tier: 2, orders: 22 });
  });

  it('leaves final window ends alone, and counts in those that are open', () => {
    const noon = '2024-11-20 12:00:00';
    const harness = new FoldHarness();
    harness.fold([tick('2024-11-19 23:00:00'), visit('2024-11-19 23:30:00', { person: 'q' }), tick(noon)]);
    harness.figures.takeWindowRows(true);
    const backfill = { origin: 'BACKFILL' } as const;
    harness.fold([pay('o', '2024-11-19 10:00:00', { ...backfill, amount: 300 })]);
    const rows = harness.figures.takeWindowRows(true).filter(({ gmv_gross_minor }) => gmv_gross_minor > 0);
    expect(new Set(rows.map(({ window }) => window))).toEqual(new Set(['24h', '30d']));
    for (const { window, end } of rows) {
      expect(end).toBeGreaterThan(instant(noon) - (window === '24h' ? 6 : 24) * 3_600_000);
    }
    expect(harness.lastResult?.changes.late).toEqual([]);
  });
});

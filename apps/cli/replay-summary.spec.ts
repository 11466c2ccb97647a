import { expect, it } from '@jest/globals';
import { renderSummary, summaryOf } from './replay-summary.js';

type Report = Parameters<typeof summaryOf>[0];

const REPORT: Report = {
  status: 'replayed',
  rowsRead: 1_010,
  rejected: new Map([
    ['BAD_TIME', { count: 7, examples: [{ source: 'a.csv', row: 3, detail: '' }] }],
  ] as const),
  ignored: new Map([['ZERO_ORDER_IGNORED', 2]]),
  counts: {
    accepted: 1_000,
    rejected: new Map([['TIME_TOO_EARLY', { count: 1, examples: ['a.csv#9'] }]]),
    guestRows: 5,
    guestOrders: 4,
    persons: 300,
    buyers: 299,
    lastAt: 0,
  },
};
const TOTALS = {
  brand: 'b',
  stocks: [{ schemeId: 'rolling:30d', tiers: [1, 0, 200, 60, 39, 0] }],
  orders: 900,
  gmvGrossMinor: 123_456_789,
  refundsMinor: 123_456_790,
};

it('tells a program', () => {
  expect(summaryOf(REPORT, TOTALS, 12_345)).toMatchObject({
    status: 'replayed',
    rows_read: 1_010,
    accepted: 1_000,
    rejected_total: 8,
    rejected: { BAD_TIME: { count: 7, rows: ['a.csv#3'] }, TIME_TOO_EARLY: { count: 1, rows: ['a.csv#9'] } },
    ignored: { ZERO_ORDER_IGNORED: 2 },
    last_event: '1970-01-01T00:00:00.000Z',
    wall_seconds: 12.35,
    brand: {
      brand: 'b',
      stocks: [{ scheme_id: 'rolling:30d', tiers: [1, 0, 200, 60, 39, 0] }],
      orders: 900,
      gmv_gross_minor: 123_456_789,
      refunds_minor: 123_456_790,
      gmv_net_minor: -1,
    },
  });
});

it('tells a person', () => {
  const text = renderSummary(summaryOf(REPORT, TOTALS, 12_345), 'GBP', 2);
  expect(text).toContain('status                      replayed\n');
  expect(text).toContain('rows read                   1,010\n');
  expect(text).toContain('  BAD_TIME                  7  (a.csv#3, …)\n');
  expect(text).toContain('  TIME_TOO_EARLY            1  (a.csv#9)\n');
  expect(text).toContain('0: 1  1: 0  2: 200  3: 60  4: 39  5: 0');
  expect(text).toContain('1,234,567.89 GBP');
  expect(text).toContain('-0.01 GBP');
  expect(renderSummary(summaryOf(REPORT, TOTALS, 1), 'JPY', 0)).toContain('123,456,789 JPY');
});

it.each(['replayed', 'resumed', 'unchanged', 'stopped'] as const)(
  'has one word for %s in both forms',
  (status) => {
    const summary = summaryOf({ ...REPORT, status }, null, 0);
    expect(summary.status).toBe(status);
    expect(renderSummary(summary, 'CNY', 2)).toMatch(new RegExp(`^status +${status}\\b`));
  },
);

it('has no names but snake_case ones', () => {
  const summary = summaryOf({ ...REPORT, rejected: new Map(), ignored: new Map() }, TOTALS, 1);
  const { rejected, ...fields } = summary;
  expect(Object.keys(rejected)).toEqual(['TIME_TOO_EARLY']);
  const names = [...JSON.stringify(fields).matchAll(/"(\w+)":/g)].map(([, name = '']) => name);
  expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
});

import { describe, expect, it } from '@jest/globals';
import { MissingColumnError, rowMapper } from './column-mapping.js';
import type { ColumnRefs, ReadingOptions } from './replay-options.js';
import type { RowOutcome } from './row-outcome.js';
import { stampParser } from './time-format.js';
import { ZoneClock } from './zone-clock.js';

const HEADER = ['who', 'when', 'amount', 'order', 'kind', 'quantity', 'price'];
const NO_COLUMNS: ColumnRefs = {
  person: 'who',
  time: 'when',
  amount: 'amount',
  quantity: null,
  price: null,
  order: null,
  kind: null,
};
const OPTIONS: ReadingOptions = {
  columns: NO_COLUMNS,
  header: true,
  delimiter: ',',
  timeFormat: 'auto',
  timeZone: 'UTC',
  purchaseKinds: ['purchase'],
  refundKinds: ['cancel'],
  zeroOrders: 'count',
  currency: 'CNY',
};

function map(
  cells: Record<string, string>,
  columns: Partial<ColumnRefs>,
  more: Partial<ReadingOptions> = {},
): RowOutcome {
  const options = { ...OPTIONS, ...more, columns: { ...NO_COLUMNS, ...columns } };
  const stamps = stampParser('auto', new ZoneClock('UTC'));
  const mapper = rowMapper(options, HEADER, { index: 0, file: 'f.csv' }, stamps, 2);
  const row = { who: 'p', when: '2011-01-01', ...cells };
  return mapper.map(
    HEADER.map((name) => Object.entries(row).find(([key]) => key === name)?.[1] ?? ''),
    7,
  );
}

function brief(outcome: RowOutcome): string {
  if (outcome.type !== 'row') return outcome.reason;
  const { kind = '', person, orderId, amountMinor, quantity } = outcome.row.order ?? {};
  return [kind, person ?? 'guest', orderId ?? '-', amountMinor, quantity ?? '-'].join(' ');
}

describe('rowMapper', () => {
  it.each([
    ['a purchase', { amount: '1.5' }, {}, 'PURCHASE p - 150 -'],
    ['below zero is a refund', { amount: '-1.5' }, {}, 'REFUND p - 150 -'],
    ['zero is a purchase', { amount: '0' }, {}, 'PURCHASE p - 0 -'],
    ['an empty person is a guest', { who: ' ', amount: '1' }, {}, 'PURCHASE guest - 100 -'],
    ['a person stays as it is', { who: '17850.0', amount: '1' }, {}, 'PURCHASE 17850.0 - 100 -'],
    ['an order', { amount: '1', order: 'A1' }, { order: 'order' }, 'PURCHASE p A1 100 -'],
    ['an empty order', { amount: '1', order: '' }, { order: 'order' }, 'PURCHASE p - 100 -'],
    ['a kind', { amount: '1', kind: 'purchase' }, { kind: 'kind' }, 'PURCHASE p - 100 -'],
    [
      'kind beats sign: refund above zero',
      { amount: '1', kind: 'cancel' },
      { kind: 'kind' },
      'REFUND p - 100 -',
    ],
    [
      'kind beats sign: refund below zero',
      { amount: '-1', kind: 'cancel' },
      { kind: 'kind' },
      'REFUND p - 100 -',
    ],
    ['a purchase below zero', { amount: '-1', kind: 'purchase' }, { kind: 'kind' }, 'NEGATIVE_PAYMENT'],
    ['another kind', { amount: '1', kind: 'adjust' }, { kind: 'kind' }, 'UNKNOWN_KIND'],
    ['no kind', { amount: '1' }, { kind: 'kind' }, 'MISSING_KIND'],
    [
      'quantity × price',
      { quantity: '3', price: '0.335' },
      { amount: null, quantity: 'quantity', price: 'price' },
      'PURCHASE p - 101 3',
    ],
    [
      'a quantity below zero',
      { quantity: '-3', price: '2' },
      { amount: null, quantity: 'quantity', price: 'price' },
      'REFUND p - 600 3',
    ],
    [
      'a quantity below zero for nothing',
      { quantity: '-3', price: '0' },
      { amount: null, quantity: 'quantity', price: 'price' },
      'REFUND p - 0 3',
    ],
    [
      'a price below zero',
      { quantity: '1', price: '-9' },
      { amount: null, quantity: 'quantity', price: 'price' },
      'REFUND p - 900 1',
    ],
    ['no price', { quantity: '1' }, { amount: null, quantity: 'quantity', price: 'price' }, 'MISSING_AMOUNT'],
    ['no time', { when: '', amount: '1' }, {}, 'MISSING_TIME'],
    ['a bad time', { when: 'soon', amount: '1' }, {}, 'BAD_TIME'],
    ['no amount', {}, {}, 'MISSING_AMOUNT'],
    ['a bad amount', { amount: 'ten' }, {}, 'BAD_AMOUNT'],
    ['a person that was no UTF-8', { who: 'p\uFFFD', amount: '1' }, {}, 'INVALID_UTF8'],
  ])('%s', (_, cells, columns, expected) => {
    expect(brief(map(cells, columns))).toBe(expected);
  });

  it('leaves out purchases of nothing when told so, and only those', () => {
    const ignore = { zeroOrders: 'ignore' } as const;
    expect(brief(map({ amount: '0.004' }, {}, ignore))).toBe('ZERO_ORDER_IGNORED');
    expect(brief(map({ amount: '0', kind: 'cancel' }, { kind: 'kind' }, ignore))).toBe('REFUND p - 0 -');
  });

  it('takes columns by number', () => {
    expect(brief(map({ amount: '2' }, { person: 1, time: 2, amount: 3 }))).toBe('PURCHASE p - 200 -');
  });

  it.each([
    [{ person: 'customer' }, 'no column "customer" (--person); its columns are: who, when'],
    [{ person: 8 }, '--person 8, but the file has 7 columns'],
    [{ person: 0 }, '--person 0'],
  ])('says which column is missing: %j', (columns, message) => {
    expect(() => map({}, columns)).toThrow(MissingColumnError);
    expect(() => map({}, columns)).toThrow(message);
  });
});

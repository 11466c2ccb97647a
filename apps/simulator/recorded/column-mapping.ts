/** From the cells of a CSV row to an order of a person at an instant. */
import { isNegativeNumber, multiplyMoney, parseMoney, parseWhole, type Money } from './decimal-money.js';
import { printable, printableList } from './printable-text.js';
import type { RowKind } from './recorded-row.js';
import type { ColumnRef, ReadingOptions } from './replay-options.js';
import type { RowOutcome, RowRejectReason } from './row-outcome.js';
import type { StampParser } from './time-format.js';

/** A column that an option names is not in the file. Found before anything is written. */
export class MissingColumnError extends Error {
  override readonly name = 'MissingColumnError';
}

/** Of a cell that a message quotes. */
const CELL_CHARS_MAX = 40;

/** Cell indices, from 0. */
interface Columns {
  readonly person: number;
  readonly time: number;
  readonly amount: number | null;
  readonly quantity: number | null;
  readonly price: number | null;
  readonly order: number | null;
  readonly kind: number | null;
}

export interface RowMapper {
  readonly map: (cells: readonly string[], row: number) => RowOutcome;
}

/**
 * @param first   the cells of the header, or of the first row where there is none
 * @throws MissingColumnError
 */
export function rowMapper(
  options: ReadingOptions,
  first: readonly string[],
  source: { readonly index: number; readonly file: string },
  parseStamp: StampParser,
  minorDigits: number,
): RowMapper {
  const columns = locateColumns(options, first, source.file);
  const kinds = kindTable(options);

  function map(cells: readonly string[], row: number): RowOutcome {
    const rejected = (reason: RowRejectReason, detail: string): RowOutcome => ({
      type: 'rejected',
      row,
      reason,
      detail,
    });
    const cell = (column: number | null): string => (column === null ? '' : (cells[column] ?? '').trim());
    const stamp = cell(columns.time);
    if (stamp === '') return rejected('MISSING_TIME', 'the time is empty');
    const at = parseStamp(stamp);
    if (at === null) return rejected('BAD_TIME', `time "${quoted(stamp)}"`);

    const amount = amountOf(cell, columns, minorDigits);
    if ('reason' in amount) return rejected(amount.reason, amount.detail);
    let kind: RowKind = amount.returned ? 'REFUND' : 'PURCHASE';
    if (columns.kind !== null) {
      const named = cell(columns.kind);
      if (named === '') return rejected('MISSING_KIND', 'the kind is empty');
      const known = kinds.get(named);
      if (known === undefined) return rejected('UNKNOWN_KIND', `kind "${quoted(named)}"`);
      if (known === 'PURCHASE' && amount.money.negative) {
        return rejected('NEGATIVE_PAYMENT', 'a purchase with an amount below 0');
      }
      kind = known;
    }
    const amountMinor = Math.abs(amount.money.minor);
    if (kind === 'PURCHASE' && amountMinor === 0 && options.zeroOrders === 'ignore') {
      return { type: 'ignored', row, reason: 'ZERO_ORDER_IGNORED' };
    }
    const person = cell(columns.person);
    const orderId = cell(columns.order);
    if (person.includes('\uFFFD') || orderId.includes('\uFFFD')) {
      return rejected('INVALID_UTF8', 'the person or the order is not UTF-8');
    }
    const order = {
      kind,
      person: person === '' ? null : person,
      orderId: orderId === '' ? null : orderId,
      amountMinor,
      quantity: quantityOf(cell(columns.quantity)),
    };
    return { type: 'row', row: { at, source: source.index, row, order, canonical: null, subject: null } };
  }
  return { map };
}

type Amount =
  | { readonly money: Money; readonly returned: boolean }
  | { readonly reason: RowRejectReason; readonly detail: string };

function amountOf(cell: (column: number | null) => string, columns: Columns, minorDigits: number): Amount {
  if (columns.amount !== null) {
    const text = cell(columns.amount);
    if (text === '') return { reason: 'MISSING_AMOUNT', detail: 'the amount is empty' };
    const money = parseMoney(text, minorDigits);
    if (money === null) return { reason: 'BAD_AMOUNT', detail: `amount "${quoted(text)}"` };
    const back = columns.quantity !== null && isNegativeNumber(cell(columns.quantity));
    return { money, returned: money.negative || back };
  }
  const quantity = cell(columns.quantity);
  const price = cell(columns.price);
  if (quantity === '' || price === '')
    return { reason: 'MISSING_AMOUNT', detail: 'the quantity or the price is empty' };
  const money = multiplyMoney(quantity, price, minorDigits);
  if (money === null) {
    return { reason: 'BAD_AMOUNT', detail: `quantity "${quoted(quantity)}", price "${quoted(price)}"` };
  }
  return { money, returned: money.negative || isNegativeNumber(quantity) };
}

function quantityOf(text: string): number | null {
  const whole = text === '' ? null : parseWhole(text);
  return whole === null ? null : Math.abs(whole);
}

function kindTable(options: ReadingOptions): ReadonlyMap<string, RowKind> {
  const table = new Map<string, RowKind>();
  for (const kind of options.purchaseKinds) table.set(kind, 'PURCHASE');
  for (const kind of options.refundKinds) table.set(kind, 'REFUND');
  return table;
}

function locateColumns(options: ReadingOptions, first: readonly string[], file: string): Columns {
  const names = first.map((name) => name.trim());
  const locate = (option: string, ref: ColumnRef): number => {
    if (typeof ref === 'number') {
      if (ref >= 1 && ref <= first.length) return ref - 1;
      throw new MissingColumnError(`${file}: --${option} ${ref}, but the file has ${first.length} columns`);
    }
    const index = names.indexOf(ref);
    if (index < 0 && /^\d{1,4}$/.test(ref)) return locate(option, Number(ref));
    if (index < 0) {
      throw new MissingColumnError(
        `${file} has no column "${ref}" (--${option}); its columns are: ${printableList(names)}`,
      );
    }
    if (names.includes(ref, index + 1)) {
      throw new MissingColumnError(`${file} has two columns "${ref}" (--${option}); name it by its number`);
    }
    return index;
  };
  const { columns } = options;
  const maybe = (option: string, ref: ColumnRef | null): number | null =>
    ref === null ? null : locate(option, ref);
  return {
    person: locate('person', columns.person),
    time: locate('time', columns.time),
    amount: maybe('amount', columns.amount),
    quantity: maybe('quantity', columns.quantity),
    price: maybe('price', columns.price),
    order: maybe('order', columns.order),
    kind: maybe('kind', columns.kind),
  };
}

function quoted(text: string): string {
  return printable(text, CELL_CHARS_MAX);
}

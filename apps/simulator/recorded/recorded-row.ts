/** A row of a recorded file, read and judged by itself; its text form is what the sort spills to disk. */

export type RowKind = 'PURCHASE' | 'REFUND';

/** What a CSV row says. */
export interface RowOrder {
  readonly kind: RowKind;
  /** Null: a guest. */
  readonly person: string | null;
  /** Null: the file names no order; the row is one by itself. */
  readonly orderId: string | null;
  /** ≥ 0. */
  readonly amountMinor: number;
  readonly quantity: number | null;
}

export interface RecordedRow {
  /** Event time, ms. */
  readonly at: number;
  /** Which of the replay's sources, from 0. */
  readonly source: number;
  /** Line of the file at which the row starts, from 1. */
  readonly row: number;
  /** A CSV row … */
  readonly order: RowOrder | null;
  /** … or the JSON text of a canonical touchpoint. */
  readonly canonical: string | null;
  /** Whom the canonical touchpoint is of; null for nobody. */
  readonly subject: string | null;
}

export function rowId(sourceName: string, row: number): string {
  return `${sourceName}#${row}`;
}

/** Replay order: by time, then source, then row, so that one set of files has one order. */
export function compareRows(left: RecordedRow, right: RecordedRow): number {
  return left.at - right.at || left.source - right.source || left.row - right.row;
}

/**
 * The order of an import: whoever is in it comes in one piece, by time, so that the lines and refunds of an order meet
 * while it is open; then guests, order by order.
 */
export function compareBySubject(left: RecordedRow, right: RecordedRow): number {
  return compareTexts(subjectOf(left), subjectOf(right)) || compareRows(left, right);
}

function subjectOf({ order, subject }: RecordedRow): string {
  if (order === null) return subject === null ? '' : `p${subject}`;
  return order.person === null ? `g${order.orderId ?? ''}` : `p${order.person}`;
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Stands for null between tabs; a text that holds it goes the way of JSON. */
const NONE = '\u0001';
// eslint-disable-next-line no-control-regex -- what may stand between tabs is what this refuses
const UNFIT = /[\0-\u001f]/;

/** One line without a line break: cells between tabs, which is several times faster than JSON, or else JSON. */
export function encodeRow(row: RecordedRow): string {
  const { at, source, order } = row;
  if (order === null) return JSON.stringify([at, source, row.row, row.canonical, row.subject]);
  const { kind, amountMinor } = order;
  if (isFit(order.person) && isFit(order.orderId)) {
    const quantity = order.quantity ?? NONE;
    const orderId = order.orderId ?? NONE;
    const person = order.person ?? NONE;
    return `${at}\t${source}\t${row.row}\t${kind}\t${amountMinor}\t${quantity}\t${orderId}\t${person}`;
  }
  return JSON.stringify([
    at,
    source,
    row.row,
    kind,
    amountMinor,
    order.quantity,
    order.orderId,
    order.person,
  ]);
}

function isFit(text: string | null): boolean {
  return text === null || !UNFIT.test(text);
}

export function decodeRow(line: string): RecordedRow {
  if (line.startsWith('[')) return decodeJson(line);
  const [at, source, row, kind, amountMinor, quantity, orderId = '', person = ''] = line.split('\t');
  return {
    at: Number(at),
    source: Number(source),
    row: Number(row),
    order: {
      kind: kind === 'REFUND' ? 'REFUND' : 'PURCHASE',
      person: person === NONE ? null : person,
      orderId: orderId === NONE ? null : orderId,
      amountMinor: Number(amountMinor),
      quantity: quantity === NONE ? null : Number(quantity),
    },
    canonical: null,
    subject: null,
  };
}

function decodeJson(line: string): RecordedRow {
  // Our own line, written by `encodeRow` in the same run.
  const cells = JSON.parse(line) as
    | [number, number, number, string, string | null]
    | [number, number, number, RowKind, number, number | null, string | null, string | null];
  const [at, source, row] = cells;
  if (cells.length === 5) return { at, source, row, order: null, canonical: cells[3], subject: cells[4] };
  const [, , , kind, amountMinor, quantity, orderId, person] = cells;
  return {
    at,
    source,
    row,
    order: { kind, person, orderId, amountMinor, quantity },
    canonical: null,
    subject: null,
  };
}

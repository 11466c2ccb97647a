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
}

export function rowId(sourceName: string, row: number): string {
  return `${sourceName}#${row}`;
}

/** Replay order: by time, then source, then row, so that one set of files has one order. */
export function compareRows(left: RecordedRow, right: RecordedRow): number {
  return left.at - right.at || left.source - right.source || left.row - right.row;
}

/** One line without a line break. */
export function encodeRow(row: RecordedRow): string {
  const { at, source, order } = row;
  return order === null
    ? JSON.stringify([at, source, row.row, row.canonical])
    : JSON.stringify([
        at,
        source,
        row.row,
        order.kind,
        order.person,
        order.orderId,
        order.amountMinor,
        order.quantity,
      ]);
}

export function decodeRow(line: string): RecordedRow {
  // Our own lines, written by `encodeRow` in the same run.
  const cells = JSON.parse(line) as
    | [number, number, number, string]
    | [number, number, number, RowKind, string | null, string | null, number, number | null];
  const [at, source, row] = cells;
  if (cells.length === 4) return { at, source, row, order: null, canonical: cells[3] };
  const [, , , kind, person, orderId, amountMinor, quantity] = cells;
  return { at, source, row, order: { kind, person, orderId, amountMinor, quantity }, canonical: null };
}

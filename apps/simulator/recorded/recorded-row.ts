/** A row of a recorded file, read and judged by itself; its byte form is what the sort keeps of many. */
import type { ByteReader, ByteWriter } from '#domain';

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

const CANONICAL = 0;
const PURCHASE = 1;
const REFUND = 2;

export function encodeRow(
  { at, source, row, order, canonical, subject }: RecordedRow,
  out: ByteWriter,
): void {
  out.number(at);
  out.number(source);
  out.number(row);
  if (order === null) {
    out.byte(CANONICAL);
    out.nullableText(canonical);
    out.nullableText(subject);
    return;
  }
  out.byte(order.kind === 'REFUND' ? REFUND : PURCHASE);
  out.nullableText(order.person);
  out.nullableText(order.orderId);
  out.number(order.amountMinor);
  out.nullable(order.quantity);
}

export function decodeRow(bytes: ByteReader): RecordedRow {
  const at = bytes.number();
  const source = bytes.number();
  const row = bytes.number();
  const kind = bytes.byte();
  if (kind === CANONICAL) {
    return { at, source, row, order: null, canonical: bytes.nullableText(), subject: bytes.nullableText() };
  }
  const order: RowOrder = {
    kind: kind === REFUND ? 'REFUND' : 'PURCHASE',
    person: bytes.nullableText(),
    orderId: bytes.nullableText(),
    amountMinor: bytes.number(),
    quantity: bytes.nullable(),
  };
  return { at, source, row, order, canonical: null, subject: null };
}

/**
 * CSV rows from lines, never fatal: a row that cannot be read is a fault with its row number, and reading goes on
 * at the next line. A quote that is never closed therefore costs its own line, not the rest of the file.
 */
import type { TextLine } from './text-lines.js';

/** A quoted cell may hold line breaks, but no row is longer than this. */
export const ROW_CHARS_MAX = 65_536;
/** Runs of blanks separate, as in files laid out in columns. */
export const WHITESPACE = 'whitespace';

export type CsvFault = 'BAD_QUOTE' | 'WRONG_COLUMN_COUNT' | 'ROW_TOO_LONG';

export interface CsvRow {
  /** Line of the file at which the row starts; the header is line 1. */
  readonly row: number;
  readonly cells: readonly string[];
  readonly fault: null;
}

export interface CsvFaultyRow {
  readonly row: number;
  readonly cells: null;
  readonly fault: CsvFault;
}

export type CsvItem = CsvRow | CsvFaultyRow;

/** A quoted cell that goes on in the next line. */
interface OpenRow {
  readonly lines: TextLine[];
  readonly cells: readonly string[];
  readonly cell: string;
  chars: number;
}

type Scan =
  | { readonly state: 'done'; readonly cells: string[] }
  | { readonly state: 'open'; readonly cells: string[]; readonly cell: string }
  | { readonly state: 'bad' };

export class CsvReader {
  /** Columns of every row; set by the first one that could be read. */
  private columns: number | null = null;
  private open: OpenRow | null = null;

  constructor(private readonly delimiter: string) {}

  push(lines: readonly TextLine[]): CsvItem[] {
    const items: CsvItem[] = [];
    for (const line of lines) this.take(line, items);
    return items;
  }

  end(): CsvItem[] {
    const items: CsvItem[] = [];
    while (this.open !== null) this.giveUp(items);
    return items;
  }

  private take(line: TextLine, items: CsvItem[]): void {
    if (this.open !== null) {
      this.continueRow(this.open, line, items);
      return;
    }
    if (line.text === null) {
      items.push({ row: line.line, cells: null, fault: 'ROW_TOO_LONG' });
      return;
    }
    const text = line.text.endsWith('\r') ? line.text.slice(0, -1) : line.text;
    if (text === '' || text.trim() === '') return;
    if (this.delimiter === WHITESPACE) {
      this.emit(line.line, text.trim().split(/\s+/), items);
    } else if (!text.includes('"')) {
      this.emit(line.line, text.split(this.delimiter), items);
    } else {
      this.startQuoted(line, text, items);
    }
  }

  private startQuoted(line: TextLine, text: string, items: CsvItem[]): void {
    const scan = scanCells(text, this.delimiter, [], null);
    if (scan.state === 'done') this.emit(line.line, scan.cells, items);
    else if (scan.state === 'bad') items.push({ row: line.line, cells: null, fault: 'BAD_QUOTE' });
    else this.open = { lines: [line], cells: scan.cells, cell: scan.cell, chars: text.length };
  }

  private continueRow(open: OpenRow, line: TextLine, items: CsvItem[]): void {
    open.lines.push(line);
    open.chars += line.text?.length ?? Infinity;
    if (line.text === null || open.chars > ROW_CHARS_MAX) {
      this.giveUp(items);
      return;
    }
    const text = line.text.endsWith('\r') ? line.text.slice(0, -1) : line.text;
    const scan = scanCells(text, this.delimiter, [...open.cells], `${open.cell}\n`);
    if (scan.state === 'open') {
      this.open = { ...open, cells: scan.cells, cell: scan.cell };
    } else if (scan.state === 'done' && (this.columns === null || scan.cells.length === this.columns)) {
      this.open = null;
      this.emit(open.lines[0]?.line ?? line.line, scan.cells, items);
    } else {
      // A stray quote has met a quote of a later row: only the first line is at fault.
      this.giveUp(items);
    }
  }

  /** The open row's first line becomes a fault; what was read after it is read again as rows of their own. */
  private giveUp(items: CsvItem[]): void {
    const [first, ...others] = this.open?.lines ?? [];
    this.open = null;
    if (first !== undefined) items.push({ row: first.line, cells: null, fault: 'BAD_QUOTE' });
    for (const line of others) this.take(line, items);
  }

  private emit(row: number, cells: readonly string[], items: CsvItem[]): void {
    this.columns ??= cells.length;
    if (cells.length === this.columns) items.push({ row, cells, fault: null });
    else items.push({ row, cells: null, fault: 'WRONG_COLUMN_COUNT' });
  }
}

/**
 * Reads cells from `text` on; `open` is the text so far of a quoted cell that began in an earlier line. A quote
 * inside a cell that did not start with one stands for itself.
 */
function scanCells(text: string, delimiter: string, cells: string[], open: string | null): Scan {
  let at = 0;
  let quoted = open;
  for (;;) {
    if (quoted === null && text.charCodeAt(at) !== 34) {
      const end = text.indexOf(delimiter, at);
      cells.push(end < 0 ? text.slice(at) : text.slice(at, end));
      if (end < 0) return { state: 'done', cells };
      at = end + delimiter.length;
      continue;
    }
    if (quoted === null) {
      quoted = '';
      at++;
    }
    const close = text.indexOf('"', at);
    if (close < 0) return { state: 'open', cells, cell: quoted + text.slice(at) };
    quoted += text.slice(at, close);
    at = close + 1;
    if (text.charCodeAt(at) === 34) {
      quoted += '"';
      at++;
      continue;
    }
    cells.push(quoted);
    quoted = null;
    if (at >= text.length) return { state: 'done', cells };
    if (!text.startsWith(delimiter, at)) return { state: 'bad' };
    at += delimiter.length;
  }
}

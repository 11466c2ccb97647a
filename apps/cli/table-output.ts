/** Rows of a result as CSV, JSON or an aligned table. */

export const OUTPUT_FORMATS = ['csv', 'json', 'table'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** In pieces that together are the text, so that a million rows are never one string. */
export function* formatRows(
  columns: readonly string[],
  rows: readonly Row[],
  format: OutputFormat,
): Generator<string> {
  switch (format) {
    case 'csv':
      yield* csv(columns, rows);
      break;
    case 'json':
      yield* json(columns, rows);
      break;
    case 'table':
      yield* table(columns, rows);
      break;
  }
}

function* csv(columns: readonly string[], rows: readonly Row[]): Generator<string> {
  yield `${columns.map(quoted).join(',')}\n`;
  for (const row of rows) yield `${columns.map((column) => quoted(text(row[column]))).join(',')}\n`;
}

function* json(columns: readonly string[], rows: readonly Row[]): Generator<string> {
  yield '[';
  for (const [index, row] of rows.entries()) {
    const fields = Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
    yield `${index === 0 ? '\n' : ',\n'}  ${JSON.stringify(fields)}`;
  }
  yield rows.length === 0 ? ']\n' : '\n]\n';
}

function* table(columns: readonly string[], rows: readonly Row[]): Generator<string> {
  const widths = columns.map((column) => column.length);
  for (const row of rows) {
    for (const [index, column] of columns.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, printable(text(row[column])).length);
    }
  }
  const line = (cells: readonly string[], numeric: (index: number) => boolean): string =>
    cells
      .map((cell, index) =>
        numeric(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const isNumber = columns.map((column) => rows.some((row) => typeof row[column] === 'number'));
  yield `${line(columns, (index) => isNumber[index] ?? false)}\n`;
  for (const row of rows) {
    const cells = columns.map((column) => printable(text(row[column])));
    yield `${line(cells, (index) => isNumber[index] ?? false)}\n`;
  }
}

function text(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '' : String(cell);
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** A terminal must not obey what a file holds. */
function printable(value: string): string {
  return value.replaceAll(/\p{Cc}/gu, '\uFFFD');
}

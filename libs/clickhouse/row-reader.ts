/** Typed reading of result rows: each column names its reader, and a wrong value says which column it was in. */

export type CellReader<T> = (cell: unknown, column: string) => T;
export type RowReader<Row> = (row: unknown) => Row;

type Shape = Readonly<Record<string, CellReader<unknown>>>;
type RowOf<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

function wrong(column: string, expected: string, cell: unknown): TypeError {
  return new TypeError(`column ${column}: expected ${expected}, got ${JSON.stringify(cell)}`);
}

export function text(cell: unknown, column: string): string {
  if (typeof cell !== 'string') throw wrong(column, 'text', cell);
  return cell;
}

/** Any integer type within ±2^53; 64-bit ones arrive quoted. */
export function integer(cell: unknown, column: string): number {
  const value = typeof cell === 'string' && cell !== '' ? Number(cell) : cell;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(column, 'an integer', cell);
  return value;
}

export function integerOrNull(cell: unknown, column: string): number | null {
  return cell === null ? null : integer(cell, column);
}

export function big(cell: unknown, column: string): bigint {
  if (typeof cell === 'string' && /^-?\d+$/.test(cell)) return BigInt(cell);
  if (typeof cell === 'number' && Number.isSafeInteger(cell)) return BigInt(cell);
  throw wrong(column, 'a 64-bit integer', cell);
}

export function flag(cell: unknown, column: string): boolean {
  if (typeof cell === 'boolean') return cell;
  if (cell === 0 || cell === 1) return cell === 1;
  throw wrong(column, 'true or false', cell);
}

export function listOf<T>(read: CellReader<T>): CellReader<readonly T[]> {
  return (cell, column) => {
    if (!Array.isArray(cell)) throw wrong(column, 'a list', cell);
    return cell.map((item: unknown) => read(item, column));
  };
}

export function oneOf<const T extends string>(values: readonly T[]): CellReader<T> {
  return (cell, column) => {
    const found = values.find((value) => value === cell);
    if (found === undefined) throw wrong(column, values.join(' | '), cell);
    return found;
  };
}

/** Reads an object row by the names of its columns. */
export function rowOf<S extends Shape>(shape: S): RowReader<RowOf<S>> {
  const columns = Object.entries(shape);
  return (row) => {
    if (typeof row !== 'object' || row === null) throw new TypeError('expected a row');
    const cells: [string, unknown][] = columns.map(([column, read]) => [
      column,
      read(Reflect.get(row, column), column),
    ]);
    return Object.fromEntries(cells) as RowOf<S>;
  };
}

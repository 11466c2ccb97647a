import type { ClickHouse, CompactValue, Insert, Inserts } from './clickhouse.js';
import { ClickHouseFailure } from './clickhouse-failure.js';
import { type ColumnWriter, columnWriter } from './column-writers.js';
import { RowBinary } from './row-binary.js';

/** Memory of so many inserts that are over is kept: new memory for each brings about collections of everything else. */
const SPARE_MAX = 4;

/** Makes bytes of rows, for an engine that may be in another thread. */
export class RowEncoder implements Inserts {
  readonly #spare: RowBinary[] = [];
  /** By table and columns. The engine is asked once: migrations add columns, and never change one. */
  readonly #writers = new Map<string, readonly ColumnWriter[]>();

  constructor(private readonly engine: Pick<ClickHouse, 'columnTypes' | 'insertEncoded'>) {}

  /** Rejects with what the rows throw, too. */
  async insert({ table, columns, rows }: Insert): Promise<void> {
    if (columns.length === 0) throw new ClickHouseFailure('an insert needs columns', 'INVALID', null);
    const writers = await this.#writersOf(table, columns);
    const out = this.#spare.pop() ?? new RowBinary();
    for (const row of rows) writeRow(out, writers, row);
    const { bytes } = out;
    if (bytes.length > 0) await this.engine.insertEncoded({ table, columns, bytes });
    // Not where it has failed: some of it may still be on its way.
    out.clear();
    if (this.#spare.length < SPARE_MAX) this.#spare.push(out);
  }

  /** @throws ClickHouseFailure   the table (`60`) or one of the columns (`16`) is not there */
  async #writersOf(table: string, columns: readonly string[]): Promise<readonly ColumnWriter[]> {
    const name = [table, ...columns].join(' ');
    const known = this.#writers.get(name);
    if (known !== undefined) return known;
    const types = await this.engine.columnTypes(table);
    const writers = columns.map((column) => {
      const type = types.get(column);
      if (type !== undefined) return columnWriter(column, type);
      throw new ClickHouseFailure(`${table} has no column ${column}`, '16', 'NO_SUCH_COLUMN_IN_TABLE');
    });
    this.#writers.set(name, writers);
    return writers;
  }
}

function writeRow(out: RowBinary, columns: readonly ColumnWriter[], cells: readonly CompactValue[]): void {
  const given = Math.min(cells.length, columns.length);
  for (let place = 0; place < given; place += 1) columns[place]?.write(out, cells[place] ?? null);
  out.defaults(columns.length - given);
}

import type { ClickHouse } from './clickhouse.js';
import { ClickHouseFailure } from './clickhouse-failure.js';
import { type ColumnWriter, columnWriter } from './column-writers.js';
import { rowOf, text } from './row-reader.js';

/**
 * The columns of tables by their types, which the engine is asked for once: migrations add columns, and never change
 * one.
 */
export class TableColumns {
  readonly #writers = new Map<string, readonly ColumnWriter[]>();

  constructor(private readonly query: ClickHouse['query']) {}

  /**
   * @param table   qualified
   * @throws ClickHouseFailure   the table (`60`) or one of the columns (`16`) is not there
   */
  async of(table: string, columns: readonly string[]): Promise<readonly ColumnWriter[]> {
    const name = [table, ...columns].join(' ');
    const known = this.#writers.get(name);
    if (known !== undefined) return known;
    const types = await this.#types(table);
    const writers = columns.map((column) => {
      const type = types.get(column);
      if (type !== undefined) return columnWriter(column, type);
      throw new ClickHouseFailure(`${table} has no column ${column}`, '16', 'NO_SUCH_COLUMN_IN_TABLE');
    });
    this.#writers.set(name, writers);
    return writers;
  }

  async #types(table: string): Promise<ReadonlyMap<string, string>> {
    const [database = '', name = ''] = table.split('.');
    const rows = await this.query({
      sql: `SELECT name, type FROM system.columns
        WHERE database = {database:String} AND table = {name:String} AND default_kind IN ('', 'DEFAULT')`,
      params: { database, name },
      row: rowOf({ name: text, type: text }),
    });
    if (rows.length === 0) throw new ClickHouseFailure(`there is no table ${table}`, '60', 'UNKNOWN_TABLE');
    return new Map(rows.map((column) => [column.name, column.type]));
  }
}

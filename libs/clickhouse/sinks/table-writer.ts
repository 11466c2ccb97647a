import { type ClickHouse, type CompactValue } from '../clickhouse.js';

/** Unless the writer is told otherwise. Larger inserts hold the event loop for longer than it may be held (100,000 rows: 160 ms). */
export const INSERT_ROWS_MAX = 10_000;

/**
 * Writes rows into one table, one insert at a time: whoever awaits `write` is held back by the database,
 * nothing queues up unseen, and inserts of a table never overtake one another.
 */
export class TableWriter<Row> {
  #tail: Promise<void> = Promise.resolve();

  constructor(
    readonly clickhouse: ClickHouse,
    readonly table: string,
    readonly columns: readonly string[],
    readonly encode: (row: Row) => readonly CompactValue[],
    readonly insertRowsMax = INSERT_ROWS_MAX,
  ) {}

  /** Resolves when all rows are stored. Rejects with `ClickHouseFailure`; a part may be stored then: write all again. */
  write(rows: readonly Row[]): Promise<void> {
    const written = this.#tail.then(() => this.#insert(rows));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  async #insert(rows: readonly Row[]): Promise<void> {
    for (let from = 0; from < rows.length; from += this.insertRowsMax)
      await this.clickhouse.insert({
        table: this.table,
        columns: this.columns,
        rows: rows.slice(from, from + this.insertRowsMax).map(this.encode),
      });
  }
}

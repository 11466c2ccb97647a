import type { ClickHouse, CompactValue } from '../clickhouse.js';

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

  /**
   * Resolves when all rows are stored. Rejects with `ClickHouseFailure`, and with what `rows` throws; a part may be
   * stored then: write all again. Rows are asked for as they are written, so that they need not all be there at once.
   */
  write(rows: Iterable<Row>): Promise<void> {
    const written = this.#tail.then(() => this.#insert(rows));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  async #insert(rows: Iterable<Row>): Promise<void> {
    const { table, columns, insertRowsMax } = this;
    const left = new RowsLeft(rows, this.encode);
    while (!left.isDone) await this.clickhouse.insert({ table, columns, rows: left.next(insertRowsMax) });
  }
}

/** Hands out rows in portions. */
class RowsLeft<Row> {
  readonly #iterator: Iterator<Row>;
  #ahead: IteratorResult<Row, unknown>;

  constructor(
    rows: Iterable<Row>,
    private readonly encode: (row: Row) => readonly CompactValue[],
  ) {
    this.#iterator = rows[Symbol.iterator]();
    this.#ahead = this.#iterator.next();
  }

  get isDone(): boolean {
    return this.#ahead.done === true;
  }

  *next(count: number): Generator<readonly CompactValue[]> {
    for (let n = 0; n < count && this.#ahead.done !== true; n++) {
      yield this.encode(this.#ahead.value);
      this.#ahead = this.#iterator.next();
    }
  }
}

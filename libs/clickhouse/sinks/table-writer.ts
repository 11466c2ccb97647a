import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CompactValue, Inserts } from '../clickhouse.js';

/** Unless the writer is told otherwise. Larger inserts hold the event loop for longer than it may be held (100,000 rows: 160 ms). */
export const INSERT_ROWS_MAX = 10_000;

/** After an insert of several writes has failed. */
const APART_WRITES = 64;

/**
 * Writes rows into one table, one insert at a time: whoever awaits `write` is held back by the database,
 * nothing queues up unseen, and inserts of a table never overtake one another. What several write at about the same
 * time goes into one insert, since an insert costs ClickHouse a part, and every part its merges.
 */
export class TableWriter<Row> {
  /** In the order of the calls; rows of the first may have been stored already. */
  readonly #waiting: Write[] = [];
  #isAtWork = false;
  /** How many of the next writes have an insert of their own: one of them may be what no insert can store. */
  #apart = 0;

  constructor(
    readonly clickhouse: Inserts,
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
    return new Promise((resolve, reject) => {
      this.#waiting.push(new Write(encoded(rows, this.encode), resolve, reject));
      if (!this.#isAtWork) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    await nextTurn();
    while (this.#waiting.length > 0) await this.#insert();
    this.#isAtWork = false;
  }

  /** Never rejects: every write has its own outcome. */
  async #insert(): Promise<void> {
    const { table, columns } = this;
    // Of the first in any case: an insert may fail before it asks for rows.
    const begun = new Set(this.#waiting.slice(0, 1));
    try {
      await this.clickhouse.insert({ table, columns, rows: this.#next(begun) });
    } catch (error) {
      for (const write of begun) write.failure ??= { error };
      if (begun.size > 1) this.#apart = APART_WRITES;
    }
    const ended = [...begun].filter((write) => write.isRead || write.failure !== null);
    this.#waiting.splice(0, ended.length);
    for (const write of ended) write.end();
  }

  /** @param begun   takes up the writes that have rows in the insert */
  *#next(begun: Set<Write>): Generator<readonly CompactValue[]> {
    let count = 0;
    const isApart = this.#apart > 0;
    if (isApart) this.#apart -= 1;
    for (const write of this.#waiting.slice(0, isApart ? 1 : undefined)) {
      begun.add(write);
      for (let row = write.next(); row !== null; row = write.next()) {
        yield row;
        count += 1;
        if (count === this.insertRowsMax) return;
      }
    }
  }
}

/** The rows of one call. */
class Write {
  /** Set when they cannot all be stored. */
  failure: { readonly error: unknown } | null = null;
  isRead = false;

  constructor(
    private readonly rows: Iterator<readonly CompactValue[], undefined>,
    private readonly resolve: () => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  /** Null at the end. What the rows throw is the end of this write, and none of the others' business. */
  next(): readonly CompactValue[] | null {
    try {
      const { done, value } = this.rows.next();
      if (done !== true) return value;
      this.isRead = true;
    } catch (error) {
      this.failure = { error };
    }
    return null;
  }

  end(): void {
    if (this.failure === null) this.resolve();
    else this.reject(this.failure.error);
  }
}

function* encoded<Row>(
  rows: Iterable<Row>,
  encode: (row: Row) => readonly CompactValue[],
): Generator<readonly CompactValue[], undefined> {
  for (const row of rows) yield encode(row);
}

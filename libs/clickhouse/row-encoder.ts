import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClickHouse, CompactValue, Insert, Inserts } from './clickhouse.js';
import { ClickHouseFailure } from './clickhouse-failure.js';
import { type ColumnWriter, columnWriter } from './column-writers.js';
import { RowBinary } from './row-binary.js';

/** Memory of so many inserts that are over is kept: new memory for each brings about collections of everything else … */
const SPARE_MAX = 4;
/** … but not that of an insert of very large rows. */
const SPARE_BYTES_MAX = 16 * 1024 * 1024;

/** Rows that are made and encoded between two turns of the event loop: some milliseconds. */
const ROWS_PER_TURN = 1_000;

interface Columns {
  readonly types: readonly string[];
  readonly writers: readonly ColumnWriter[];
}

/** Makes bytes of rows, for an engine that may be in another thread. */
export class RowEncoder implements Inserts {
  readonly #spare: RowBinary[] = [];
  /** By table and columns. The engine is asked once, and told with each insert what is meant. */
  readonly #known = new Map<string, Columns>();

  constructor(private readonly engine: Pick<ClickHouse, 'columnTypes' | 'insertEncoded'>) {}

  /** Rejects with what the rows throw, too. */
  async insert({ table, columns, rows }: Insert): Promise<void> {
    if (columns.length === 0) throw new ClickHouseFailure('an insert needs columns', 'INVALID', null);
    const { types, writers } = await this.#columnsOf(table, columns);
    const out = this.#spare.pop() ?? new RowBinary();
    let count = 0;
    for (const row of rows) {
      writeRow(out, writers, row);
      count += 1;
      if (count % ROWS_PER_TURN === 0) await nextTurn();
    }
    const { bytes } = out;
    if (bytes.length > 0) await this.engine.insertEncoded({ table, columns, types, bytes });
    // Not where it has failed: some of it may still be on its way.
    out.clear();
    if (this.#spare.length < SPARE_MAX && out.capacity <= SPARE_BYTES_MAX) this.#spare.push(out);
  }

  /** @throws ClickHouseFailure   the table (`60`) or one of the columns (`16`) is not there */
  async #columnsOf(table: string, columns: readonly string[]): Promise<Columns> {
    const name = [table, ...columns].join(' ');
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const asked = await this.engine.columnTypes(table);
    const types = columns.map((column) => {
      const type = asked.get(column);
      if (type !== undefined) return type;
      const message = `${table} has no column ${column} that can be written`;
      throw new ClickHouseFailure(message, '16', 'NO_SUCH_COLUMN_IN_TABLE');
    });
    const writers = types.map((type, place) => columnWriter(columns[place] ?? '', type));
    this.#known.set(name, { types, writers });
    return { types, writers };
  }
}

function writeRow(out: RowBinary, columns: readonly ColumnWriter[], cells: readonly CompactValue[]): void {
  const given = Math.min(cells.length, columns.length);
  for (let place = 0; place < given; place += 1) columns[place]?.write(out, cells[place] ?? null);
  out.defaults(columns.length - given);
}

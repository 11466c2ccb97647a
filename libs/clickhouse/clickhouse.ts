/** The one interface that everything else in this lib talks to, whichever backend is behind it. */

import type { RowReader } from './row-reader.js';

export type ParamValue = string | number | bigint | readonly string[];

/** Values of `{name:Type}` placeholders. */
export type Params = Readonly<Record<string, ParamValue>>;

export type SettingValue = string | number;
export type Settings = Readonly<Record<string, SettingValue>>;

export interface Statement {
  readonly sql: string;
  readonly params?: Params;
  readonly settings?: Settings;
}

export interface Query<Row> extends Statement {
  readonly row: RowReader<Row>;
  /** The engine gives up after this long (code 159). Default: 30 s. */
  readonly timeoutMs?: number;
}

/**
 * What a cell may be. Instants of DateTime64(3) columns are numbers of milliseconds, days of Date32 columns are ISO
 * days, 64-bit integers numbers, bigints or their decimal digits. Null is the default of a column that cannot store it.
 */
export type CompactValue = string | number | bigint | boolean | null | readonly (string | number | bigint)[];

export interface Insert {
  /** Qualified: `gravity.touchpoints`. */
  readonly table: string;
  readonly columns: readonly string[];
  /** Cells in the order of `columns`; a shorter row takes the defaults of the columns it leaves out. */
  readonly rows: Iterable<readonly CompactValue[]>;
}

/** Rows as the engine reads them: `RowBinaryWithDefaults`, made by `RowEncoder`. */
export interface EncodedInsert {
  readonly table: string;
  readonly columns: readonly string[];
  /** Of the columns, as they were when the rows were encoded. */
  readonly types: readonly string[];
  /** Not to be changed before the insert is over. */
  readonly bytes: Uint8Array;
}

/** All methods reject with `ClickHouseFailure`. */
export interface ClickHouse {
  readonly backend: 'server' | 'embedded';
  /** One statement without a result. */
  command(statement: Statement): Promise<void>;
  /** Resolves once the rows are stored. Keep batches at or below 10,000 rows. */
  insert(insert: Insert): Promise<void>;
  /** The same for rows that were encoded elsewhere, by the types of the columns. */
  insertEncoded(insert: EncodedInsert): Promise<void>;
  /**
   * Of the columns that can be written, by name: those without an expression, since what is left out has to be the same
   * for every backend.
   * @param table   qualified
   * @throws ClickHouseFailure (`60`)   it is not there
   */
  columnTypes(table: string): Promise<ReadonlyMap<string, string>>;
  query<Row>(query: Query<Row>): Promise<readonly Row[]>;
  /** Resolves when a query with these credentials is answered. */
  ping(): Promise<void>;
  /** Waits for what is in flight. */
  close(): Promise<void>;
}

/** What writes rows needs no more than this. */
export type Inserts = Pick<ClickHouse, 'insert'>;

export const DATABASE = 'gravity';
export const QUERY_TIMEOUT_MS = 30_000;

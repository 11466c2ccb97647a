/** `ClickHouse` over `@clickhouse/client`; what differs between server and embedded engine are the lanes. */
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ClickHouse,
  type CompactValue,
  type Insert,
  type Params,
  type Query,
  QUERY_TIMEOUT_MS,
  type Settings,
  type Statement,
} from './clickhouse.js';
import { ClickHouseFailure, failureOf } from './clickhouse-failure.js';
import { checkedName, INSERT_FORMAT } from './sql-text.js';

/** A client, and the rule by which calls to it follow one another. */
export interface Lane {
  run<T>(call: (client: ClickHouseClient) => Promise<T>): Promise<T>;
}

export interface Lanes {
  readonly admin: Lane;
  readonly write: Lane;
  read(): Lane;
  close(): Promise<void>;
}

/** Acknowledged means stored; a short row takes defaults; a batch may span any number of days. */
const INSERT_SETTINGS: Settings = {
  async_insert: 0,
  input_format_json_compact_allow_variable_number_of_columns: 1,
  input_format_parallel_parsing: 0,
  max_partitions_per_insert_block: 0,
};

const ROWS_A_PIECE = 256;

/** Rows as `JSONCompactEachRow` takes them, where a comma may stand between two. Only a few at a time are objects. */
function compactRows(rows: Iterable<readonly CompactValue[]>): string {
  const pieces: string[] = [];
  let piece: (readonly CompactValue[])[] = [];
  for (const row of rows) {
    if (piece.push(row) < ROWS_A_PIECE) continue;
    pieces.push(JSON.stringify(piece).slice(1, -1));
    piece = [];
  }
  if (piece.length > 0) pieces.push(JSON.stringify(piece).slice(1, -1));
  return pieces.join('\n');
}

function queryParams(params: Params | undefined): { query_params?: Record<string, unknown> } {
  return params === undefined ? {} : { query_params: { ...params } };
}

export class ClientBackend implements ClickHouse {
  readonly backend: 'server' | 'embedded';
  readonly #lanes: Lanes;
  #closed: Promise<void> | null = null;

  constructor(backend: 'server' | 'embedded', lanes: Lanes) {
    this.backend = backend;
    this.#lanes = lanes;
  }

  async command({ sql, params, settings }: Statement): Promise<void> {
    await this.#run(this.#lanes.admin, (client) =>
      client.command({
        query: sql,
        ...queryParams(params),
        ...(settings === undefined ? {} : { clickhouse_settings: { ...settings } }),
      }),
    );
  }

  async insert({ table, columns, rows }: Insert): Promise<void> {
    if (columns.length === 0) throw new ClickHouseFailure('an insert needs columns', 'INVALID', null);
    const into = `INSERT INTO ${checkedName(table)} (${columns.map(checkedName).join(', ')})`;
    // Before the lane is asked for: what the rows throw is the caller's own.
    const values = compactRows(rows);
    if (values === '') return;
    await this.#run(this.#lanes.write, async (client) => {
      // As one text: the client's own `insert` makes a string of each row, which takes twice as long.
      const query = `${into} FORMAT ${INSERT_FORMAT}\n${values}`;
      await client.command({ query, clickhouse_settings: { ...INSERT_SETTINGS } });
    });
  }

  async query<Row>({ sql, params, settings, row, timeoutMs }: Query<Row>): Promise<readonly Row[]> {
    const answer = await this.#run(this.#lanes.read(), async (client) => {
      const result = await client.query({
        query: sql,
        format: 'JSONEachRow',
        ...queryParams(params),
        clickhouse_settings: {
          ...settings,
          output_format_json_quote_64bit_integers: 1,
          max_execution_time: (timeoutMs ?? QUERY_TIMEOUT_MS) / 1000,
        },
      });
      return result.text();
    });
    return answer
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => row(JSON.parse(line)));
  }

  async ping(): Promise<void> {
    const result = await this.#run(this.#lanes.read(), (client) => client.ping({ select: true }));
    if (!result.success) throw failureOf(result.error);
  }

  close(): Promise<void> {
    this.#closed ??= this.#lanes.close();
    return this.#closed;
  }

  async #run<T>(lane: Lane, call: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    if (this.#closed !== null)
      throw new ClickHouseFailure('the ClickHouse client is closed', 'INVALID', null);
    try {
      return await lane.run(call);
    } catch (error) {
      throw failureOf(error);
    }
  }
}

/** `ClickHouse` over `@clickhouse/client`; what differs between server and embedded engine are the lanes. */
import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ClickHouse,
  type EncodedInsert,
  type Insert,
  type Params,
  type Query,
  QUERY_TIMEOUT_MS,
  type Settings,
  type Statement,
} from './clickhouse.js';
import { ClickHouseFailure, failureOf } from './clickhouse-failure.js';
import { ROW_FORMAT } from './row-binary.js';
import { RowEncoder } from './row-encoder.js';
import { rowOf, text } from './row-reader.js';
import { checkedName, stringLiteral } from './sql-text.js';

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

/**
 * Acknowledged means stored; a batch may span any number of days. Rows come one after the other: further threads, which
 * would be started for each insert, have nothing to do, and cost more than a small insert does.
 */
const INSERT_SETTINGS: Settings = {
  async_insert: 0,
  max_partitions_per_insert_block: 0,
  max_threads: 1,
};

function queryParams(params: Params | undefined): { query_params?: Record<string, unknown> } {
  return params === undefined ? {} : { query_params: { ...params } };
}

export class ClientBackend implements ClickHouse {
  readonly backend: 'server' | 'embedded';
  readonly #lanes: Lanes;
  readonly #encoder = new RowEncoder(this);
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

  insert(insert: Insert): Promise<void> {
    return this.#encoder.insert(insert);
  }

  async insertEncoded({ table, columns, types, bytes }: EncodedInsert): Promise<void> {
    const into = `INSERT INTO ${checkedName(table)} (${columns.map(checkedName).join(', ')})`;
    const structure = columns.map((column, place) => `${column} ${types[place] ?? ''}`).join(', ');
    await this.#run(this.#lanes.write, async (client) => {
      const { stream } = await client.exec({
        query: `${into} SELECT * FROM input(${stringLiteral(structure)}) FORMAT ${ROW_FORMAT}`,
        values: Readable.from([bytes], { objectMode: false }),
        clickhouse_settings: { ...INSERT_SETTINGS },
      });
      // The connection is free once the answer has been read. It is empty, or says what went wrong after all.
      const answer = await textOf(stream);
      if (answer !== '') throw new Error(answer);
    });
  }

  async columnTypes(table: string): Promise<ReadonlyMap<string, string>> {
    const [database = '', name = ''] = checkedName(table).split('.');
    const rows = await this.query({
      sql: `SELECT name, type FROM system.columns
        WHERE database = {database:String} AND table = {name:String} AND default_kind = ''`,
      params: { database, name },
      row: rowOf({ name: text, type: text }),
    });
    if (rows.length === 0) throw new ClickHouseFailure(`there is no table ${table}`, '60', 'UNKNOWN_TABLE');
    return new Map(rows.map((column) => [column.name, column.type]));
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

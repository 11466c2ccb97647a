/** `ClickHouse` over `@clickhouse/client`; what differs between server and embedded engine are the lanes. */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type ClickHouse,
  type Insert,
  type Params,
  type Query,
  QUERY_TIMEOUT_MS,
  type Settings,
  type Statement,
} from './clickhouse.js';
import { ClickHouseFailure, failureOf } from './clickhouse-failure.js';
import { ROW_FORMAT, RowBinary } from './row-binary.js';
import { checkedName } from './sql-text.js';
import { TableColumns } from './table-columns.js';

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

/** Acknowledged means stored; a batch may span any number of days. */
const INSERT_SETTINGS: Settings = {
  async_insert: 0,
  max_partitions_per_insert_block: 0,
};

const SPARE_MAX = 4;

function queryParams(params: Params | undefined): { query_params?: Record<string, unknown> } {
  return params === undefined ? {} : { query_params: { ...params } };
}

export class ClientBackend implements ClickHouse {
  readonly backend: 'server' | 'embedded';
  readonly #lanes: Lanes;
  /** Memory of inserts that are over: new memory for each would bring about collections of everything else. */
  readonly #spare: RowBinary[] = [];
  readonly #columns = new TableColumns((query) => this.query(query));
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
    const writers = await this.#columns.of(table, columns);
    const out = this.#spare.pop() ?? new RowBinary();
    out.clear();
    try {
      // Before the lane is asked for: what the rows throw is the caller's own.
      for (const row of rows) out.row(writers, row);
      const { bytes } = out;
      if (bytes.length === 0) return;
      await this.#run(this.#lanes.write, async (client) => {
        const { stream } = await client.exec({
          query: `${into} FORMAT ${ROW_FORMAT}`,
          values: Readable.from([bytes], { objectMode: false }),
          clickhouse_settings: { ...INSERT_SETTINGS },
        });
        // The connection is free once the answer, which is empty, has been read.
        stream.resume();
        await finished(stream);
      });
    } finally {
      if (this.#spare.length < SPARE_MAX) this.#spare.push(out);
    }
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

/**
 * chDB's connection for `@clickhouse/client`, made safe to share. As it comes, settings become sticky `SET`s
 * that later statements inherit, bound parameters block every other bound query of the process, several
 * statements pass as one, and binary formats store garbage. Here each statement carries its settings and
 * parameters itself, and what a server would refuse is refused.
 */
import { randomUUID } from 'node:crypto';
import { type Readable } from 'node:stream';
import {
  type ChdbConnection,
  type ConnCommandResult,
  type ConnExecResult,
  type ConnInsertResult,
  type ConnPingResult,
  type ConnQueryResult,
} from 'chdb/connection';
import { type ParamValue, type SettingValue } from './clickhouse.js';
import { ClickHouseFailure, failureOf } from './clickhouse-failure.js';
import { inlineParams, settingsList, splitStatements } from './sql-text.js';

const INSERT = /^INSERT INTO ([\w.]+)(?: \(([\w, ]+)\))?\s+FORMAT (\w+)$/;
const TEXT_INPUT = ['JSONEachRow', 'JSONCompactEachRow', 'CSV', 'TabSeparated'] as const;
const TEXT_OUTPUT = /^(JSON|CSV|TabSeparated|TSV|Pretty|Null$|Vertical$|Markdown$|Values$)/;
const TAKES_SETTINGS = /^(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN|ALTER|OPTIMIZE|\()/i;

/** What is used of the client's own parameter types, of which it and chDB each have a copy. */
interface Call {
  readonly query: string;
  readonly query_params?: Record<string, unknown> | undefined;
  readonly clickhouse_settings?: object | undefined;
}

function invalid(message: string): ClickHouseFailure {
  return new ClickHouseFailure(message, 'INVALID', null);
}

function paramsOf(given: Record<string, unknown> | undefined): Record<string, ParamValue> {
  const params: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
      params[name] = value;
    else if (Array.isArray(value)) params[name] = value.map((item: unknown) => String(item));
    else throw invalid(`parameter ${name}: a ${typeof value} cannot be a parameter`);
  }
  return params;
}

function settingsOf(given: object | undefined): Record<string, SettingValue> {
  const settings: Record<string, SettingValue> = {};
  for (const [name, value] of Object.entries<unknown>({ ...given })) {
    if (value === undefined) continue;
    if (typeof value === 'boolean') settings[name] = value ? 1 : 0;
    else if (typeof value === 'string' || typeof value === 'number') settings[name] = value;
    else throw invalid(`setting ${name}: a ${typeof value} cannot be a setting`);
  }
  return settings;
}

function statementOf(params: Call): string {
  const sql = inlineParams(params.query, paramsOf(params.query_params));
  const statements = splitStatements(sql);
  const [only] = statements;
  if (only === undefined || statements.length > 1)
    throw invalid(`expected one statement, got ${statements.length}`);
  const format = /\bFORMAT\s+(\w+)\s*$/i.exec(only)?.[1];
  if (format !== undefined && !TEXT_OUTPUT.test(format)) throw invalid(`binary format ${format} is refused`);
  const settings = settingsOf(params.clickhouse_settings);
  if (Object.keys(settings).length === 0) return only;
  if (!TAKES_SETTINGS.test(only)) throw invalid(`settings cannot be given to: ${only.slice(0, 40)}`);
  return `${only}\nSETTINGS ${settingsList(settings)}`;
}

async function bytesOf(values: string | Readable): Promise<Buffer> {
  if (typeof values === 'string') return Buffer.from(values);
  const chunks: Buffer[] = [];
  for await (const chunk of values) {
    if (typeof chunk === 'string') chunks.push(Buffer.from(chunk));
    else if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    else throw invalid('insert values must be text or bytes');
  }
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}

/** Fits `createClient({ connection })`. */
export class SafeConnection {
  readonly #inner: ChdbConnection;

  constructor(inner: ChdbConnection) {
    this.#inner = inner;
  }

  async query(params: Call): Promise<ConnQueryResult<Readable>> {
    return this.#inner.query({ query: statementOf(params) });
  }

  async command(params: Call): Promise<ConnCommandResult> {
    return this.#inner.command({ query: statementOf(params) });
  }

  async exec(params: Call & { readonly values?: Readable }): Promise<ConnExecResult<Readable>> {
    if (params.values !== undefined) throw invalid('use insert for data');
    return this.#inner.exec({ query: statementOf(params) });
  }

  /** Hands the bytes to the engine's own parser without building a statement around them. */
  async insert(
    params: Call & { readonly values: string | Readable; readonly query_id?: string },
  ): Promise<ConnInsertResult> {
    const query_id = params.query_id ?? randomUUID();
    const target = INSERT.exec(params.query.trim());
    const format = TEXT_INPUT.find((name) => name === target?.[3]);
    if (target?.[1] === undefined || format === undefined)
      throw invalid(`expected INSERT INTO table (columns) FORMAT with a text format: ${params.query}`);
    const values = await bytesOf(params.values);
    const settings = settingsOf(params.clickhouse_settings);
    if (values.length > 0) {
      const columns = target[2]?.split(', ');
      await this.#inner.chdb
        .rawInsert({
          table: target[1],
          format,
          values,
          settings,
          ...(columns === undefined ? {} : { columns }),
        })
        .catch((error: unknown) => {
          throw failureOf(error);
        });
    }
    return { query_id, response_headers: {}, http_status_code: 200 };
  }

  async ping(): Promise<ConnPingResult> {
    return this.#inner.ping({ select: true });
  }

  async close(): Promise<void> {
    return this.#inner.close();
  }
}

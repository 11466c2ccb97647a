/**
 * chDB's connection for `@clickhouse/client`, made safe to share. As it comes, settings become sticky `SET`s
 * that later statements inherit, bound parameters block every other bound query of the process, several
 * statements pass as one, and binary formats store garbage. Here each statement carries its settings and
 * parameters itself, what a server would refuse is refused, and rows reach the engine as bytes.
 */
import { rm, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type {
  ChdbConnection,
  ConnCommandResult,
  ConnExecResult,
  ConnInsertResult,
  ConnPingResult,
  ConnQueryResult,
} from 'chdb/connection';
import type { ParamValue, SettingValue } from './clickhouse.js';
import { ClickHouseFailure } from './clickhouse-failure.js';
import { ROW_FORMAT } from './row-binary.js';
import { inlineParams, settingsList, splitStatements, stringLiteral } from './sql-text.js';

/** With the rows of an insert beside it. */
const INSERT = new RegExp(
  `^(INSERT INTO [\\w.]+ \\([\\w, ]+\\) SELECT \\* FROM )input\\(('(?:[^'\\\\]|\\\\.)*')\\) FORMAT ${ROW_FORMAT}$`,
);
const OTHER_INSERT = /^\s*INSERT\s+INTO\s+[^\s(]+\s*(?:\([^)]*\))?\s*FORMAT\b/i;
const OURS_ALONE = 0o600;
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
  if (OTHER_INSERT.test(params.query)) throw invalid('rows are sent beside an INSERT, not in it');
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

/** Fits `createClient({ connection })`. */
export class SafeConnection {
  readonly #inner: ChdbConnection;
  readonly #rowsFile: string;

  /** @param rowsFile   rows go through this file: a statement cannot hold what is no text */
  constructor(inner: ChdbConnection, rowsFile: string) {
    this.#inner = inner;
    this.#rowsFile = rowsFile;
  }

  async query(params: Call): Promise<ConnQueryResult<Readable>> {
    return this.#inner.query({ query: statementOf(params) });
  }

  async command(params: Call): Promise<ConnCommandResult> {
    return this.#inner.command({ query: statementOf(params) });
  }

  /** Rows of an insert are `values`. One insert at a time. */
  async exec(params: Call & { readonly values?: Readable }): Promise<ConnExecResult<Readable>> {
    const { query, values, clickhouse_settings } = params;
    if (values === undefined) return this.#inner.exec({ query: statementOf(params) });
    const [, into, structure] = INSERT.exec(query) ?? [];
    if (into === undefined || structure === undefined)
      throw invalid(`expected INSERT INTO table (columns) SELECT * FROM input(…) FORMAT ${ROW_FORMAT}`);
    const settings = settingsList(settingsOf(clickhouse_settings));
    await writeFile(this.#rowsFile, values, { mode: OURS_ALONE });
    // Not FROM INFILE: for that the engine reads the standard input of the process, too.
    const file = `file(${stringLiteral(this.#rowsFile)}, '${ROW_FORMAT}', ${structure}, 'none')`;
    return this.#inner.exec({ query: `${into}${file}${settings === '' ? '' : ` SETTINGS ${settings}`}` });
  }

  async insert(): Promise<ConnInsertResult> {
    return Promise.reject(invalid('rows are inserted by exec'));
  }

  async ping(): Promise<ConnPingResult> {
    return this.#inner.ping({ select: true });
  }

  async close(): Promise<void> {
    await this.#inner.close();
    await rm(this.#rowsFile, { force: true });
  }
}

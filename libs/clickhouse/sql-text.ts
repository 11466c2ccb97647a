/**
 * What has to be known about SQL text without parsing it: where code ends and quoted text or a comment
 * begins, and how a value is written as a literal.
 */
import type { ParamValue, Params, Settings } from './clickhouse.js';
import { ClickHouseFailure } from './clickhouse-failure.js';

interface Segment {
  readonly kind: 'code' | 'quoted' | 'comment';
  readonly text: string;
}

const OPENING = /'|"|`|--|\/\*/g;

function invalid(message: string): ClickHouseFailure {
  return new ClickHouseFailure(message, 'INVALID', null);
}

function endOfQuoted(sql: string, start: number, quote: string): number {
  for (let i = start + 1; i < sql.length; i++) {
    if (sql[i] === '\\') i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  throw invalid(`unclosed ${quote} in SQL`);
}

function endOfComment(sql: string, start: number, mark: string): number {
  const close = mark === '--' ? '\n' : '*/';
  const at = sql.indexOf(close, start + 2);
  return at < 0 ? sql.length : at + close.length;
}

function segments(sql: string): Segment[] {
  const found: Segment[] = [];
  let from = 0;
  while (from < sql.length) {
    OPENING.lastIndex = from;
    const opening = OPENING.exec(sql);
    const start = opening?.index ?? sql.length;
    if (start > from) found.push({ kind: 'code', text: sql.slice(from, start) });
    if (opening === null) break;
    const quoted = opening[0].length === 1;
    const end = quoted ? endOfQuoted(sql, start, opening[0]) : endOfComment(sql, start, opening[0]);
    found.push({ kind: quoted ? 'quoted' : 'comment', text: sql.slice(start, end) });
    from = end;
  }
  return found;
}

/** The statements of a file, without comments and without their semicolons. */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let current = '';
  for (const { kind, text } of segments(sql)) {
    if (kind === 'comment') {
      current += ' ';
      continue;
    }
    if (kind === 'quoted') {
      current += text;
      continue;
    }
    const [head = '', ...rest] = text.split(';');
    current += head;
    for (const next of rest) {
      statements.push(current);
      current = next;
    }
  }
  return [...statements, current]
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A string literal; backslash as well as quote can end one, so both are escaped. */
export function stringLiteral(value: string): string {
  return `'${value.replace(/[\\'\0\b\f\n\r\t]/g, (char) => ESCAPES[char] ?? char)}'`;
}

const INTEGER_TYPE = /^U?Int(8|16|32|64)$/;

function literal(name: string, type: string, value: ParamValue): string {
  if (type === 'String' && typeof value === 'string') return stringLiteral(value);
  if (INTEGER_TYPE.test(type)) {
    const digits = typeof value === 'object' ? '' : String(value);
    if (!/^-?\d+$/.test(digits) || (typeof value === 'number' && !Number.isSafeInteger(value)))
      throw invalid(`parameter ${name}: ${JSON.stringify(String(value))} is not an integer`);
    return `CAST('${digits}', '${type}')`;
  }
  if (type === 'Array(String)' && Array.isArray(value))
    return `CAST([${value.map((item: string) => stringLiteral(item)).join(', ')}], 'Array(String)')`;
  throw invalid(`parameter ${name}: no literal of type ${type} for a ${typeof value}`);
}

/** Writes the parameters into the statement; placeholders inside quotes and comments stay as they are. */
export function inlineParams(sql: string, params: Params): string {
  return segments(sql)
    .map(({ kind, text }) =>
      kind !== 'code'
        ? text
        : text.replace(/\{(\w+):([\w()]+)\}/g, (_, name: string, type: string) => {
            const value = params[name];
            if (value === undefined) throw invalid(`parameter ${name} has no value`);
            return literal(name, type, value);
          }),
    )
    .join('');
}

/** `a = 1, b = 'x'`, for a statement's own SETTINGS clause. */
export function settingsList(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (!/^[a-z]\w*$/i.test(name)) throw invalid(`not a setting: ${JSON.stringify(name)}`);
      if (typeof value === 'number' && !Number.isFinite(value)) throw invalid(`setting ${name} is ${value}`);
      return `${name} = ${typeof value === 'number' ? value : stringLiteral(value)}`;
    })
    .join(', ');
}

const NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)?$/;

/** @throws ClickHouseFailure (`INVALID`) unless it is a plain, at most database-qualified name */
export function checkedName(name: string): string {
  if (!NAME.test(name)) throw invalid(`not a name: ${JSON.stringify(name)}`);
  return name;
}

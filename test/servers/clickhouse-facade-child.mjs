// Child process of clickhouse-facade.ts: answers the part of ClickHouse's HTTP interface that
// @clickhouse/client uses, over an embedded engine. Not a ClickHouse server: no sessions, no compression,
// no streaming, and settings only for statements that can carry them. Parameters are bound by the engine.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Session } from 'chdb';

const [path, username, password] = process.argv.slice(2);
const engine = new Session(path);
const NOT_SETTINGS = new Set(['query', 'query_id', 'database', 'session_id', 'role']);
const TRANSPORT = /^(wait_end_of_query|enable_http_compression|send_progress_in_http_headers|http_.*)$/;
const UNESCAPED = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', 0: '\0' };
const STATUS = { 60: 404, 81: 404, 516: 403, 159: 408 };
const INSERT =
  /^(INSERT INTO [\w.]+ \([\w, ]+\) SELECT \* FROM )input\(('(?:[^'\\]|\\.)*')\)\s+FORMAT (RowBinaryWithDefaults)$/s;
const rowsFile = `${path}/insert.rows`;
let tail = Promise.resolve();

function bodyOf(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
    request.on('end', () => resolve(Buffer.concat(chunks)));
  });
}

/** Rows that are no text reach the engine in a file. */
async function insertRows(query, settings, rows) {
  const [, into, structure, format] = INSERT.exec(query);
  writeFileSync(rowsFile, rows);
  const clause = settings.map(([name, value]) => `${name} = ${literal(value)}`).join(', ');
  const file = `file('${rowsFile}', '${format}', ${structure}, 'none')`;
  return engine.queryAsync(`${into}${file} ${clause === '' ? '' : `SETTINGS ${clause}`}`);
}

function literal(value) {
  return /^-?\d+(\.\d+)?$/.test(value) ? value : `'${value.replace(/[\\']/g, (char) => `\\${char}`)}'`;
}

function withSettings(sql, settings) {
  if (settings.length === 0) return sql;
  const clause = `SETTINGS ${settings.map(([name, value]) => `${name} = ${literal(value)}`).join(', ')}`;
  if (/^\s*(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN|ALTER|OPTIMIZE)\b/i.test(sql))
    return `${sql}\n${clause}`;
  return sql.replace(/^(\s*INSERT INTO [^(]+(?:\([^)]*\))?)/i, `$1 ${clause} `);
}

function sqlOf(url, body) {
  return url.searchParams.get('query') ?? body;
}

const plain = (text) => text.replace(/\\(.)/gs, (_, char) => UNESCAPED[char] ?? char);

/** The client escapes values as ClickHouse wants them in a URL; the engine's binding escapes them itself. */
function unescaped(sql, name, value) {
  if (!sql.includes(`{${name}:Array`)) return plain(value);
  return [...value.matchAll(/'((?:\\.|[^'\\])*)'/gs)].map(([, item]) => plain(item));
}

async function run(url, bytes) {
  const body = bytes.toString('utf8');
  const params = {};
  const settings = [];
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) params[name.slice(6)] = unescaped(sqlOf(url, body), name.slice(6), value);
    else if (!NOT_SETTINGS.has(name) && !TRANSPORT.test(name)) settings.push([name, value]);
  }
  const query = url.searchParams.get('query');
  if (query !== null && INSERT.test(query)) return insertRows(query, settings, bytes);
  const sql = withSettings(query ?? body, settings) + (query === null ? '' : `\n${body}`);
  const bound = Object.keys(params).length > 0;
  return bound ? engine.queryBindAsync(sql, params) : engine.queryAsync(sql);
}

function refuse(response, code, message) {
  response.writeHead(STATUS[code] ?? 500, { 'X-ClickHouse-Exception-Code': String(code) });
  response.end(message);
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://127.0.0.1');
  if (url.pathname === '/ping') return void response.end('Ok.\n');
  const body = await bodyOf(request);
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  if (request.headers.authorization !== expected)
    return refuse(
      response,
      516,
      `Code: 516. DB::Exception: ${username}: Authentication failed. (AUTHENTICATION_FAILED)`,
    );
  const result = tail.then(() => run(url, body));
  tail = result.catch(() => undefined);
  try {
    const bytes = (await result).bytes();
    response.writeHead(200, {
      'X-ClickHouse-Summary': '{}',
      'X-ClickHouse-Query-Id': url.searchParams.get('query_id') ?? '',
    });
    response.end(bytes);
  } catch (error) {
    refuse(response, Number(/Code: (\d+)/.exec(error.message)?.[1] ?? 1002), error.message);
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit(0));

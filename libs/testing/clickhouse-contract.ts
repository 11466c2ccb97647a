/** What every backend of `ClickHouse` must do alike. Runs in a database of its own, which it drops. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { big, type ClickHouse, ClickHouseFailure, flag, integer, listOf, rowOf, text } from '#clickhouse';

export interface OpenedClickHouse {
  readonly clickhouse: ClickHouse;
  close(): Promise<void>;
}

export const AWKWARD_TEXTS = [
  '',
  ' ',
  "it's",
  "a\\' OR 1=1 --",
  '\\',
  "\\\\'",
  '"double" `back`',
  'tab\tnewline\nreturn\r',
  'nul\0byte',
  '\b\f\v',
  '{name:String}',
  'x; DROP TABLE y',
  '/* no -- comment */',
  '\\N',
  '%s ? $1 ${x}',
  '私域引力',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  'e\u0301 \u202e rtl \ufeff',
];

export function clickhouseContract(backend: string, open: () => Promise<OpenedClickHouse>): void {
  describe(`ClickHouse contract: ${backend}`, () => {
    const database = `contract_${randomBytes(6).toString('hex')}`;
    const table = `${database}.cells`;
    const columns = ['id', 'version', 'value', 'at'];
    let opened: OpenedClickHouse;
    let clickhouse: ClickHouse;

    beforeAll(async () => {
      opened = await open();
      clickhouse = opened.clickhouse;
      await clickhouse.command({ sql: `CREATE DATABASE ${database} ENGINE = Atomic` });
      await clickhouse.command({
        sql: `CREATE TABLE ${table} (id String, version UInt64, value String, at DateTime64(3, 'UTC'))
              ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMMDD(at) ORDER BY id`,
      });
    });

    afterAll(async () => {
      await clickhouse.command({ sql: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await opened.close();
    });

    const valueOf = async (id: string): Promise<readonly string[]> => {
      const rows = await clickhouse.query({
        sql: `SELECT value FROM ${table} FINAL WHERE id = {id:String}`,
        params: { id },
        row: rowOf({ value: text }),
      });
      return rows.map(({ value }) => value);
    };

    const codeOf = async (call: Promise<unknown>): Promise<string> => {
      try {
        await call;
        return 'none';
      } catch (error) {
        expect(error).toBeInstanceOf(ClickHouseFailure);
        return error instanceof ClickHouseFailure ? error.code : '';
      }
    };

    it('answers a ping', async () => {
      await expect(clickhouse.ping()).resolves.toBeUndefined();
    });

    it('keeps the row with the highest version, whatever the order of writing, and bears replays', async () => {
      const rows = [
        ['dedup', '2', 'second', 1_700_000_000_000],
        ['dedup', '1', 'first', 1_700_000_000_000],
      ];
      for (let i = 0; i < 3; i++)
        for (const row of rows) await clickhouse.insert({ table, columns, rows: [row] });
      expect(await valueOf('dedup')).toEqual(['second']);
      await clickhouse.insert({ table, columns, rows: [['dedup', '3', 'third', 1_700_000_000_000]] });
      expect(await valueOf('dedup')).toEqual(['third']);
    });

    it('stores an empty insert as nothing and a short row with defaults', async () => {
      await clickhouse.insert({ table, columns, rows: [] });
      await clickhouse.insert({
        table,
        columns: ['id', 'version', 'at', 'value'],
        rows: [
          ['short', 1, 0],
          ['short', 2],
        ],
      });
      expect(await valueOf('short')).toEqual(['']);
    });

    it('takes a batch that spans more days than an insert may by default', async () => {
      const rows = Array.from({ length: 150 }, (_, day) => [
        `day-${day}`,
        1,
        'v',
        1_600_000_000_000 + day * 86_400_000,
      ]);
      await clickhouse.insert({ table, columns, rows });
      const [{ days } = { days: 0 }] = await clickhouse.query({
        sql: `SELECT uniqExact(toDate(at, 'UTC')) AS days FROM ${table} WHERE startsWith(id, 'day-')`,
        row: rowOf({ days: integer }),
      });
      expect(days).toBe(150);
    });

    it('returns 64-bit integers exactly', async () => {
      const version = 2n ** 64n - 1n;
      await clickhouse.insert({ table, columns, rows: [['big', version.toString(), 'v', 1]] });
      const rows = await clickhouse.query({
        sql: `SELECT version, toInt64(-9007199254740993) AS low, {n:UInt64} AS n, toUnixTimestamp64Milli(at) AS ms
              FROM ${table} WHERE id = 'big' AND version = {n:UInt64}`,
        params: { n: version },
        row: rowOf({ version: big, low: big, n: big, ms: integer }),
      });
      expect(rows).toEqual([{ version, low: -9007199254740993n, n: version, ms: 1 }]);
    });

    it.each(AWKWARD_TEXTS)('carries %j in and out as row and as parameter', async (awkward) => {
      const id = `awkward ${awkward}`;
      await clickhouse.insert({ table, columns, rows: [[id, 1, awkward, 1]] });
      const rows = await clickhouse.query({
        sql: `SELECT value, {given:String} AS given, value = {given:String} AS same, {list:Array(String)} AS list,
                     '{given:String}' AS quoted /* {given:String} */
              FROM ${table} FINAL WHERE id = {id:String} -- {nothing:String}`,
        params: { id, given: awkward, list: [awkward, 'x', awkward] },
        row: rowOf({ value: text, given: text, same: flag, list: listOf(text), quoted: text }),
      });
      expect(rows).toEqual([
        {
          value: awkward,
          given: awkward,
          same: true,
          list: [awkward, 'x', awkward],
          quoted: '{given:String}',
        },
      ]);
    });

    it('gives errors their code', async () => {
      expect(
        await codeOf(clickhouse.query({ sql: `SELECT * FROM ${database}.nothing`, row: rowOf({}) })),
      ).toBe('60');
      expect(await codeOf(clickhouse.command({ sql: 'SELEC 1' }))).toBe('62');
      const into = `${database}.nothing`;
      expect(await codeOf(clickhouse.insert({ table: into, columns: ['id'], rows: [['x']] }))).toBe('60');
      expect(await codeOf(clickhouse.insert({ table, columns: ['version'], rows: [['not a number']] }))).toBe(
        'INVALID',
      );
      expect(await codeOf(clickhouse.insert({ table, columns: ['nothing'], rows: [['x']] }))).toBe('16');
      expect(await codeOf(clickhouse.insert({ table: 'a; b', columns: ['id'], rows: [['x']] }))).toBe(
        'INVALID',
      );
    });

    it('stops a query at its timeout, and the next one is not affected', async () => {
      const slow = clickhouse.query({
        sql: 'SELECT max(sipHash64(number)) AS hash FROM system.numbers_mt',
        timeoutMs: 300,
        row: rowOf({ hash: big }),
      });
      expect(await codeOf(slow)).toMatch(/^(159|160)$/);
      const settings = await clickhouse.query({
        sql: "SELECT value FROM system.settings WHERE name = 'async_insert'",
        timeoutMs: 5_000,
        row: rowOf({ value: text }),
      });
      expect(settings).toHaveLength(1);
    });

    it('leaks no setting from one statement into the next', async () => {
      const read = async (settings: Record<string, string | number>): Promise<string | undefined> => {
        const rows = await clickhouse.query({
          sql: "SELECT getSetting('log_comment') AS comment",
          settings,
          row: rowOf({ comment: text }),
        });
        return rows[0]?.comment;
      };
      for (const comment of ["it's \\ odd", 'plain'])
        for (let i = 0; i < 4; i++) expect(await read({ log_comment: comment })).toBe(comment);
      for (let i = 0; i < 4; i++) expect(await read({})).toBe('');
    });

    it('answers queries side by side with inserts', async () => {
      const calls = Array.from({ length: 20 }, async (_, i) => {
        await clickhouse.insert({ table, columns, rows: [[`side-${i}`, 1, `v${i}`, 1]] });
        return valueOf(`side-${i}`);
      });
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, i) => [`v${i}`]));
    });
  });
}

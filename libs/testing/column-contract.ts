/** What every backend of `ClickHouse` must store alike: values of all types of columns that the tables here have. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { type CompactValue, integer, listOf, rowOf, text } from '#clickhouse';
import type { OpenedClickHouse } from './clickhouse-contract.js';

interface TypeOfColumn {
  readonly type: string;
  readonly value: fc.Arbitrary<CompactValue>;
  /** As `toString` of the engine has it. */
  readonly said: (value: CompactValue) => string;
  readonly bad: readonly CompactValue[];
}

const plain = (value: CompactValue): string => String(value);
const orNull = (said: (value: CompactValue) => string) => (value: CompactValue) =>
  value === null ? 'NULL' : said(value);
const instant = (value: CompactValue): string =>
  new Date(Number(value)).toISOString().replace('T', ' ').replace('Z', '');
const whole = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0));
const bigs = (min: bigint, max: bigint): fc.Arbitrary<CompactValue> =>
  fc.oneof(
    fc.bigInt({ min, max }),
    fc.bigInt({ min, max }).map(String),
    fc.integer({ min: min < 0n ? -(2 ** 53) + 1 : 0, max: 2 ** 53 - 1 }),
    fc.constantFrom(min, max),
  );
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
);
const fractions = fc
  .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
  .map((n) => Math.round(n * 8) / 8 + 0);
const instants = fc.integer({ min: Date.UTC(1970, 0, 2), max: Date.UTC(2200, 0, 1) });
const days = fc
  .integer({ min: -20_000, max: 80_000 })
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10));

const TYPES: readonly TypeOfColumn[] = [
  { type: 'String', value: texts, said: plain, bad: [1, true, ['x']] },
  { type: 'LowCardinality(String)', value: texts, said: plain, bad: [1] },
  { type: 'UInt8', value: whole(0, 255), said: plain, bad: [-1, 256, 1.5, Number.NaN, '1', true] },
  { type: 'UInt16', value: whole(0, 65_535), said: plain, bad: [-1, 65_536] },
  { type: 'UInt32', value: whole(0, 2 ** 32 - 1), said: plain, bad: [-1, 2 ** 32] },
  { type: 'Int32', value: whole(-(2 ** 31), 2 ** 31 - 1), said: plain, bad: [2 ** 31, -(2 ** 31) - 1] },
  {
    type: 'Int64',
    value: bigs(-(2n ** 63n), 2n ** 63n - 1n),
    said: plain,
    bad: [2n ** 63n, 0.5, 2 ** 60, '', '1e3', 'x'],
  },
  { type: 'UInt64', value: bigs(0n, 2n ** 64n - 1n), said: plain, bad: [-1, -1n, 2n ** 64n, '-1'] },
  {
    type: 'Bool',
    value: fc.oneof(fc.boolean(), fc.constantFrom(0, 1)),
    said: (value) => String(Number(value) === 1),
    bad: [2, 'yes'],
  },
  { type: 'Float64', value: fractions, said: plain, bad: ['1', true] },
  { type: "DateTime64(3, 'UTC')", value: instants, said: instant, bad: [1.5, Number.NaN, '2024-01-01'] },
  { type: 'Date32', value: days, said: plain, bad: [1, '2024-13-01', '2024-02-30', '20240101'] },
  {
    type: "Enum8('a' = 1, 'it\\'s' = -3, '域' = 127)",
    value: fc.constantFrom('a', '域'),
    said: plain,
    bad: ['b', 1],
  },
  {
    type: 'Array(String)',
    value: fc.array(texts, { maxLength: 200 }),
    said: (value) => (value as readonly string[]).join('|'),
    bad: ['x', [1]],
  },
  {
    type: 'Array(Int64)',
    value: fc.array(bigs(-(2n ** 63n), 2n ** 63n - 1n) as fc.Arbitrary<bigint>),
    said: (value) => (value as readonly bigint[]).map(String).join('|'),
    bad: [1, ['x']],
  },
  { type: 'Nullable(Int64)', value: fc.option(whole(-5, 5)), said: orNull(plain), bad: ['x'] },
  { type: 'Nullable(Bool)', value: fc.option(fc.boolean()), said: orNull(plain), bad: [2] },
  { type: "Nullable(DateTime64(3, 'UTC'))", value: fc.option(instants), said: orNull(instant), bad: ['x'] },
];

const read = (name: string, { type }: TypeOfColumn): string => {
  if (type.startsWith('Array')) return `arrayStringConcat(arrayMap(item -> toString(item), ${name}), '|')`;
  return `ifNull(toString(${name}), 'NULL')`;
};

export function columnContract(backend: string, open: () => Promise<OpenedClickHouse>): void {
  describe(`columns of ClickHouse: ${backend}`, () => {
    const database = `columns_${randomBytes(6).toString('hex')}`;
    const table = `${database}.cells`;
    const columns = ['n', ...TYPES.map((_, place) => `c${place}`)];
    let opened: OpenedClickHouse;

    beforeAll(async () => {
      opened = await open();
      await opened.clickhouse.command({ sql: `CREATE DATABASE ${database} ENGINE = Atomic` });
      const defined = TYPES.map(({ type }, place) => `c${place} ${type}`);
      await opened.clickhouse.command({
        sql: `CREATE TABLE ${table} (n UInt32, ${defined.join(', ')}) ENGINE = MergeTree ORDER BY n`,
      });
    });

    afterAll(async () => {
      await opened.clickhouse.command({ sql: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await opened.close();
    });

    it('hold what was given', async () => {
      const given = fc.sample(fc.tuple(...TYPES.map(({ value }) => value)), 400);
      const rows = given.map((cells, n) => [n, ...cells]);
      await opened.clickhouse.insert({ table, columns, rows });
      const stored = await opened.clickhouse.query({
        sql: `SELECT n, [${TYPES.map((one, place) => read(`c${place}`, one)).join(', ')}] AS said FROM ${table} ORDER BY n`,
        row: rowOf({ n: integer, said: listOf(text) }),
      });
      const expected = given.map((cells) => TYPES.map(({ said }, place) => said(cells[place] ?? null)));
      expect(stored.map(({ said }) => said)).toEqual(expected);
    });

    it.each(TYPES.flatMap(({ type, bad }, place) => bad.map((value) => ({ type, value, place }))))(
      '$type refuses $value',
      async ({ value, place }) => {
        const insert = opened.clickhouse.insert({ table, columns: [`c${place}`], rows: [[value]] });
        await expect(insert).rejects.toMatchObject({
          code: 'INVALID',
          message: expect.stringContaining(`c${place}`),
        });
      },
    );
  });
}

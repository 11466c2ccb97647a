import type { ClickHouse } from '../clickhouse.js';
import { IS_SHOWN } from './generations.js';
import { flag, integer, integerOrNull, rowOf, text } from '../row-reader.js';

export interface PersonFigures {
  readonly person: string;
  readonly period_id: string;
  readonly tier: number;
  readonly purchase_days: number;
  readonly orders: number;
  readonly own_value_minor: number;
  /** ms. */
  readonly first_purchase: number | null;
  readonly last_purchase: number | null;
  readonly is_member: boolean;
}

export interface PersonsQuery {
  readonly brand: string;
  readonly schemeId: string;
  /** Only of this tier. */
  readonly tier?: number;
  /** The last person of the page before. */
  readonly after?: string;
  /** At most 10,000. */
  readonly limit: number;
}

const COLUMNS = `
  person, period_id, tier, purchase_days, orders, own_value_minor, is_member,
  toUnixTimestamp64Milli(first_purchase) AS first_ms, toUnixTimestamp64Milli(last_purchase) AS last_ms`;

/** Rows of the newest generation that is shown, without those that say that a person is gone. */
const LIVING = `
  gravity.persons FINAL
  WHERE brand = {brand:String} AND scheme_id = {schemeId:String} AND NOT gone AND generation = (
    SELECT max(generation) FROM gravity.persons
    WHERE brand = {brand:String} AND scheme_id = {schemeId:String} AND ${IS_SHOWN}
  )`;

const READ = rowOf({
  person: text,
  period_id: text,
  tier: integer,
  purchase_days: integer,
  orders: integer,
  own_value_minor: integer,
  is_member: flag,
  first_ms: integerOrNull,
  last_ms: integerOrNull,
});

function row(cells: unknown): PersonFigures {
  const { first_ms, last_ms, ...person } = READ(cells);
  return { ...person, first_purchase: first_ms, last_purchase: last_ms };
}

/** One person under one scheme; null if unknown. */
export async function personRow(
  clickhouse: ClickHouse,
  query: { readonly brand: string; readonly schemeId: string; readonly person: string },
): Promise<PersonFigures | null> {
  const [found] = await clickhouse.query({
    sql: `SELECT ${COLUMNS} FROM ${LIVING} AND person = {person:String} ORDER BY version DESC LIMIT 1`,
    params: { ...query },
    row,
  });
  return found ?? null;
}

/** A page of persons in the order of their ids (as bytes). */
export async function persons(
  clickhouse: ClickHouse,
  query: PersonsQuery,
): Promise<readonly PersonFigures[]> {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > 10_000)
    throw new RangeError(`limit: expected 1 to 10000, got ${query.limit}`);
  return clickhouse.query({
    sql: `
      SELECT ${COLUMNS} FROM ${LIVING}
        AND person > {after:String} AND ({tier:Int16} < 0 OR tier = {tier:Int16})
      ORDER BY person LIMIT {limit:UInt32}`,
    params: {
      ...{ brand: query.brand, schemeId: query.schemeId, limit: query.limit },
      ...{ after: query.after ?? '', tier: query.tier ?? -1 },
    },
    row,
  });
}

/** Persons by tier 0–5, counted from the person rows. */
export async function tierStocks(
  clickhouse: ClickHouse,
  query: { readonly brand: string; readonly schemeId: string },
): Promise<readonly number[]> {
  const rows = await clickhouse.query({
    sql: `SELECT tier, count() AS persons FROM ${LIVING} GROUP BY tier`,
    params: { ...query },
    row: rowOf({ tier: integer, persons: integer }),
  });
  return [0, 1, 2, 3, 4, 5].map((tier) => rows.find((stock) => stock.tier === tier)?.persons ?? 0);
}

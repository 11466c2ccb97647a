/** The figures of a scheme's period, put together from the rows of all partitions. */
import { ALL_CHANNELS } from '#domain';
import type { RowStatus } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import { IS_SHOWN } from './generations.js';
import { integer, listOf, oneOf, rowOf, text } from '../row-reader.js';
import { ROW_STATUSES, worstStatus } from './row-status.js';

export interface PeriodQuery {
  readonly brand: string;
  /** Default: all. */
  readonly channel?: string;
  readonly schemeId: string;
  /** Default: the period of the newest day. */
  readonly periodId?: string;
}

export interface PeriodFigures {
  readonly period_id: string;
  /** Local day `YYYY-MM-DD` that the figures "of the day" speak of. */
  readonly day: string;
  readonly status: RowStatus;
  readonly watermark: number;
  readonly generation: number;
  readonly partitionsReporting: number;
  readonly capital: number;
  readonly capital_base: number;
  readonly new_relations: number;
  readonly lost_relations: number;
  readonly orders: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  readonly deepened: number;
  readonly deepened_cohort: number;
  readonly tiers: readonly number[];
}

const ROW = rowOf({
  partition: integer,
  generation: integer,
  period_id: text,
  day_text: text,
  status: oneOf(ROW_STATUSES),
  watermark_ms: integer,
  capital: integer,
  capital_base: integer,
  new_relations: integer,
  lost_relations: integer,
  orders: integer,
  gmv_gross_minor: integer,
  refunds_minor: integer,
  deepened: integer,
  deepened_cohort: integer,
  tiers: listOf(integer),
});
type Row = ReturnType<typeof ROW>;

/** Of each partition of the newest generation that is shown its newest row, of that period if one is asked for. */
async function newestRows(clickhouse: ClickHouse, query: PeriodQuery): Promise<readonly Row[]> {
  return clickhouse.query({
    sql: `
      SELECT partition, generation, period_id, toString(day) AS day_text, status,
        toUnixTimestamp64Milli(watermark) AS watermark_ms, capital, capital_base, new_relations, lost_relations,
        orders, gmv_gross_minor, refunds_minor, deepened, deepened_cohort, tiers
      FROM gravity.period_figures FINAL
      WHERE brand = {brand:String} AND channel = {channel:String} AND scheme_id = {schemeId:String}
        AND ({periodId:String} = '' OR period_id = {periodId:String})
        AND ${IS_SHOWN}
      ORDER BY generation DESC, day DESC, version DESC
      LIMIT 1 BY generation, partition`,
    params: {
      brand: query.brand,
      channel: query.channel ?? ALL_CHANNELS,
      schemeId: query.schemeId,
      periodId: query.periodId ?? '',
    },
    row: ROW,
  });
}

function add(rows: readonly Row[], value: (row: Row) => number): number {
  return rows.reduce((total, row) => total + value(row), 0);
}

/**
 * Stocks of all partitions as of the newest day. A partition whose newest row is of an older day had nothing to
 * add to that day: its stocks still stand, its figures of the day are 0; and if the row is of the period before,
 * its stocks at the close are what this period is compared with. Null when there is no row.
 */
export async function latestPeriodFigures(
  clickhouse: ClickHouse,
  query: PeriodQuery,
): Promise<PeriodFigures | null> {
  const all = await newestRows(clickhouse, query);
  const [newest] = all;
  if (newest === undefined) return null;
  const rows = all.filter(({ generation }) => generation === newest.generation);
  const ofDay = rows.filter(({ day_text }) => day_text === newest.day_text);
  const ofPeriod = rows.filter(({ period_id }) => period_id === newest.period_id);
  const before = rows.filter(({ period_id }) => period_id !== newest.period_id);
  return {
    period_id: newest.period_id,
    day: newest.day_text,
    status: worstStatus(rows.map(({ status }) => status)),
    watermark: Math.min(...rows.map(({ watermark_ms }) => watermark_ms)),
    generation: newest.generation,
    partitionsReporting: rows.length,
    capital: add(rows, (row) => row.capital),
    capital_base: add(ofPeriod, (row) => row.capital_base) + add(before, (row) => row.capital),
    new_relations: add(ofDay, (row) => row.new_relations),
    lost_relations: add(ofDay, (row) => row.lost_relations),
    orders: add(ofDay, (row) => row.orders),
    gmv_gross_minor: add(ofDay, (row) => row.gmv_gross_minor),
    refunds_minor: add(ofDay, (row) => row.refunds_minor),
    deepened: add(ofPeriod, (row) => row.deepened),
    deepened_cohort: add(ofPeriod, (row) => row.deepened_cohort),
    tiers: [0, 1, 2, 3, 4, 5].map((tier) => add(rows, (row) => row.tiers[tier] ?? 0)),
  };
}

/** Every brand that has figures, in order. */
export async function brands(clickhouse: ClickHouse): Promise<readonly string[]> {
  const rows = await clickhouse.query({
    sql: `
      SELECT DISTINCT brand FROM (
        SELECT brand FROM gravity.period_figures UNION ALL SELECT brand FROM gravity.window_figures
      ) ORDER BY brand`,
    row: rowOf({ brand: text }),
  });
  return rows.map(({ brand }) => brand);
}

/** The channels of a brand that have figures, in order, without `all`. */
export async function channels(clickhouse: ClickHouse, brand: string): Promise<readonly string[]> {
  const rows = await clickhouse.query({
    sql: `
      SELECT DISTINCT channel FROM (
        SELECT brand, channel FROM gravity.period_figures UNION ALL SELECT brand, channel FROM gravity.window_figures
      ) WHERE brand = {brand:String} AND channel != '${ALL_CHANNELS}' ORDER BY channel`,
    params: { brand },
    row: rowOf({ channel: text }),
  });
  return rows.map(({ channel }) => channel);
}

/** The rows of a scheme's days as the tables have them, by partition. */
import type { Scheme } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import {
  countsOfStored,
  PERIOD_COLUMNS,
  PERIOD_READERS,
  type PeriodCounts,
} from '../recount/period-counts.js';
import { big, integer, oneOf, rowOf, text } from '../row-reader.js';
import { IS_SHOWN } from './generations.js';
import { ROW_STATUSES } from './row-status.js';
import type { RowStatus } from '#pipeline';

export interface StoredDay {
  readonly channel: string;
  readonly partition: number;
  readonly period_id: string;
  readonly version: bigint;
  readonly status: RowStatus;
  /** ms */
  readonly watermark: number;
  readonly counts: PeriodCounts;
}

const READ = rowOf({
  ...{ channel: text, partition: integer, period_id: text, version: big },
  ...{ status: oneOf(ROW_STATUSES), watermark_ms: integer, ...PERIOD_READERS },
});

export async function dayRows(
  clickhouse: ClickHouse,
  query: {
    readonly brand: string;
    readonly scheme: Scheme;
    readonly generation: number;
    readonly day: string;
  },
): Promise<readonly StoredDay[]> {
  const { brand, scheme, generation, day } = query;
  const rows = await clickhouse.query({
    sql: `
      SELECT channel, partition, period_id, version, status, toUnixTimestamp64Milli(watermark) AS watermark_ms,
        ${PERIOD_COLUMNS.join(', ')}
      FROM gravity.period_figures FINAL
      WHERE brand = {brand:String} AND scheme_id = {scheme:String} AND generation = {generation:UInt32}
        AND day = toDate32({day:String})`,
    params: { brand, scheme: scheme.id, generation, day },
    row: READ,
  });
  return rows.map(({ channel, partition, period_id, version, status, watermark_ms, ...counts }) => ({
    ...{ channel, partition, period_id, version, status, watermark: watermark_ms },
    counts: countsOfStored(counts),
  }));
}

const READ_SPAN = rowOf({ generation: integer, first: text, last: text });

/** First and last day of the newest generation that is shown that a scheme has rows of; null where it has none. */
export async function daySpan(
  clickhouse: ClickHouse,
  { brand, scheme }: { readonly brand: string; readonly scheme: Scheme },
): Promise<{ readonly generation: number; readonly first: string; readonly last: string } | null> {
  const [span] = await clickhouse.query({
    sql: `
      SELECT generation, toString(min(day)) AS first, toString(max(day)) AS last
      FROM gravity.period_figures
      WHERE brand = {brand:String} AND scheme_id = {scheme:String} AND generation = (
        SELECT max(generation) FROM gravity.window_heartbeats WHERE ${IS_SHOWN}
      )
      GROUP BY generation`,
    params: { brand, scheme: scheme.id },
    row: READ_SPAN,
  });
  return span ?? null;
}

/** Runs of the background reconciliation, and what they found to differ. */
import type { ClickHouse } from '../clickhouse.js';
import { integer, integerOrNull, rowOf, text } from '../row-reader.js';

export interface StoredComparison {
  /** Start of the run, ms. */
  readonly runAt: number;
  readonly brand: string;
  /** `window 5m`, `persons rolling:30d`, … */
  readonly what: string;
  readonly compared: number;
  /** Differ by what came too late (windows), or are ahead of the watermark (persons). */
  readonly setAside: number;
  readonly differ: number;
}

export interface StoredDrift {
  readonly runAt: number;
  readonly brand: string;
  readonly what: string;
  /** Which one: `all, 2026-11-11T12:00:00.000Z`, or a person. */
  readonly place: string;
  readonly figure: string;
  /** Null: there is none. */
  readonly live: number | null;
  readonly recount: number | null;
}

/** The newest run; empty before the first. */
export function lastReconciliation(clickhouse: ClickHouse): Promise<readonly StoredComparison[]> {
  return clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(run_at) AS runAt, brand, what, compared, set_aside AS setAside, differ
      FROM gravity.reconciliations FINAL
      WHERE run_at = (SELECT max(run_at) FROM gravity.reconciliations)
      ORDER BY brand, what`,
    row: rowOf({
      ...{ runAt: integer, brand: text, what: text },
      ...{ compared: integer, setAside: integer, differ: integer },
    }),
  });
}

/** What differed, the newest first. @param limit at most 10,000 */
export function storedDrifts(
  clickhouse: ClickHouse,
  { brand, limit }: { readonly brand: string; readonly limit: number },
): Promise<readonly StoredDrift[]> {
  return clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(run_at) AS runAt, brand, what, place, figure, live, recount
      FROM gravity.drifts FINAL
      WHERE {brand:String} = '' OR brand = {brand:String}
      ORDER BY run_at DESC, brand, what, place, figure
      LIMIT {limit:UInt32}`,
    params: { brand, limit },
    row: rowOf({
      ...{ runAt: integer, brand: text, what: text, place: text, figure: text },
      ...{ live: integerOrNull, recount: integerOrNull },
    }),
  });
}

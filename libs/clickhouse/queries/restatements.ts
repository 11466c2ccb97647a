/** The audit of restatements: who counted which closed period anew, why, and what it changed. */
import type { ClickHouse } from '../clickhouse.js';
import { integer, oneOf, rowOf, text } from '../row-reader.js';

const STATES = ['begun', 'done'] as const;

export interface StoredRestatement {
  readonly id: string;
  /** When it began, ms. */
  readonly at: number;
  /** `begun`: not all of its rows may be there. */
  readonly state: (typeof STATES)[number];
  readonly by: string;
  readonly reason: string;
  readonly brand: string;
  /** `all` or one channel; '': all and every channel. */
  readonly channel: string;
  /** '': days of a scheme. */
  readonly window: string;
  /** '': ends of a window. */
  readonly schemeId: string;
  /** Of a scheme: first and last local day `YYYY-MM-DD`. */
  readonly fromDay: string;
  readonly toDay: string;
  /** First and last end, ms; of days their closes. */
  readonly fromEnd: number;
  readonly toEnd: number;
  readonly ends: number;
  readonly endsChanged: number;
  readonly rows: number;
  /** JSON of `FigureChange[]`, and of partition → log offset. */
  readonly changes: string;
  readonly logPositions: string;
  readonly generation: number;
  readonly build: string;
}

export interface RestatementsQuery {
  /** '': all. */
  readonly brand: string;
  /** At most 10,000. */
  readonly limit: number;
}

/** The newest first. */
export function restatements(
  clickhouse: ClickHouse,
  { brand, limit }: RestatementsQuery,
): Promise<readonly StoredRestatement[]> {
  return clickhouse.query({
    sql: `
      SELECT id, toUnixTimestamp64Milli(t.at) AS at, state, by, reason, brand, channel, window,
        scheme_id AS schemeId, from_day AS fromDay, to_day AS toDay,
        toUnixTimestamp64Milli(from_end) AS fromEnd, toUnixTimestamp64Milli(to_end) AS toEnd,
        ends, ends_changed AS endsChanged, rows, changes, log_positions AS logPositions, generation, build
      FROM gravity.restatements AS t FINAL
      WHERE {brand:String} = '' OR brand = {brand:String}
      ORDER BY t.at DESC, id
      LIMIT {limit:UInt32}`,
    params: { brand, limit },
    row: rowOf({
      ...{ id: text, at: integer, state: oneOf(STATES), by: text, reason: text, brand: text },
      ...{
        channel: text,
        window: text,
        schemeId: text,
        fromDay: text,
        toDay: text,
        fromEnd: integer,
        toEnd: integer,
        ends: integer,
      },
      ...{ endsChanged: integer, rows: integer, changes: text, logPositions: text },
      ...{ generation: integer, build: text },
    }),
  });
}

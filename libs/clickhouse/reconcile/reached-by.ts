import type { ClickHouse } from '../clickhouse.js';
import { IS_SHOWN } from '../queries/generations.js';
import { big, integer, rowOf } from '../row-reader.js';

/** Event time (ms) that every partition of the newest generation that is shown has reached by its rows; null before the first. */
export async function reachedBy(clickhouse: ClickHouse): Promise<number | null> {
  const rows = await clickhouse.query({
    sql: `
      WITH (SELECT max(generation) FROM gravity.window_heartbeats WHERE ${IS_SHOWN}) AS newest
      SELECT partition, max(at_ms) AS reached_ms FROM (
        SELECT partition, toUnixTimestamp64Milli(end) AS at_ms FROM gravity.window_heartbeats
        WHERE generation = newest
        UNION ALL
        SELECT partition, toUnixTimestamp64Milli(watermark) AS at_ms FROM gravity.window_figures
        WHERE generation = newest
      ) GROUP BY partition`,
    row: rowOf({ partition: integer, reached_ms: integer }),
  });
  return rows.length === 0 ? null : Math.min(...rows.map(({ reached_ms }) => reached_ms));
}

export interface PartitionReached {
  /** Event time, ms. */
  readonly reachedMs: number;
  /** Up to which its rows are stored. */
  readonly version: bigint;
}

/** How far each partition of a generation has got, by its heartbeats. */
export async function partitionsReached(
  clickhouse: ClickHouse,
  generation: number,
): Promise<ReadonlyMap<number, PartitionReached>> {
  const rows = await clickhouse.query({
    sql: `
      SELECT partition, toUnixTimestamp64Milli(max(end)) AS reached_ms, max(t.version) AS version
      FROM gravity.window_heartbeats AS t WHERE generation = {generation:UInt32}
      GROUP BY partition`,
    params: { generation },
    row: rowOf({ partition: integer, reached_ms: integer, version: big }),
  });
  return new Map(
    rows.map(({ partition, reached_ms, version }) => [partition, { reachedMs: reached_ms, version }]),
  );
}

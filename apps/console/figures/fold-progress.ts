/** How far the fold has got, as ClickHouse knows it. */
import { big, integer, IS_SHOWN, positionOf, rowOf, text, type ClickHouse } from '#clickhouse';

export interface PartitionProgress {
  /** Next log offset: all rows up to there are stored. */
  readonly position: number;
  /** Event time it has reached at least, ms. */
  readonly watermark: number;
}

export interface FoldProgress {
  readonly generation: number;
  readonly partitions: ReadonlyMap<number, PartitionProgress>;
}

/**
 * From the heartbeats of the newest generation that is shown, which are written after the rows they vouch for. Null before the
 * first one. Ask for it before the rows that it is to vouch for.
 */
export async function foldProgress(clickhouse: ClickHouse): Promise<FoldProgress | null> {
  const rows = await clickhouse.query({
    sql: `
      SELECT generation, partition, window, max(version) AS newest, argMax(toUnixTimestamp64Milli(end), version) AS end_ms
      FROM gravity.window_heartbeats
      WHERE generation = (SELECT max(generation) FROM gravity.window_heartbeats WHERE ${IS_SHOWN})
      GROUP BY generation, partition, window`,
    row: rowOf({ generation: integer, partition: integer, window: text, newest: big, end_ms: integer }),
  });
  const partitions = new Map<number, PartitionProgress>();
  let generation: number | null = null;
  for (const row of rows) {
    generation = row.generation;
    const before = partitions.get(row.partition);
    partitions.set(row.partition, {
      position: Math.max(before?.position ?? 0, positionOf(row.newest)),
      watermark: Math.max(before?.watermark ?? -Infinity, row.end_ms),
    });
  }
  return generation === null ? null : { generation, partitions };
}

/** Event time that all of them have reached, ms; null for none. */
export function leastWatermark(partitions: Iterable<{ readonly watermark: number }>): number | null {
  const least = Math.min(...[...partitions].map(({ watermark }) => watermark));
  return Number.isFinite(least) ? least : null;
}

/** One end of a window for every channel of a brand, put together from the rows of all partitions. */
import {
  addedCounts,
  big,
  integer,
  latestWindowFigures,
  NO_COUNTS,
  oneOf,
  positionOf,
  ROW_STATUSES,
  rowOf,
  text,
  WINDOW_COUNT_READERS,
  WINDOW_COUNTS,
  windowFiguresAt,
  worstStatus,
  type ClickHouse,
  type WindowCounts,
  type WindowFigures,
  type WindowQuery,
} from '#clickhouse';
import { ALL_CHANNELS } from '#domain';
import type { RowStatus } from '#pipeline';
import { leastWatermark, type FoldProgress, type PartitionProgress } from './fold-progress.js';

export interface ChannelCounts {
  readonly counts: WindowCounts;
  readonly status: RowStatus;
}

export interface WindowBoard {
  /** End instant T of [T − W, T), ms. */
  readonly end: number;
  readonly generation: number;
  /** By channel, `all` among them; a channel that is absent had nothing in the window. */
  readonly channels: ReadonlyMap<string, ChannelCounts>;
  /** What the rows are made of. */
  readonly partitions: ReadonlyMap<number, PartitionProgress>;
  readonly watermark: number | null;
}

const ROW = rowOf({
  ...{ channel: text, partition: integer, version: big, status: oneOf(ROW_STATUSES), watermark_ms: integer },
  ...WINDOW_COUNT_READERS,
});
type Row = ReturnType<typeof ROW>;

/** The newest end that is whole; null before the first one. */
export async function latestWindowBoard(
  clickhouse: ClickHouse,
  query: Omit<WindowQuery, 'channel'>,
  progress: FoldProgress,
): Promise<WindowBoard | null> {
  const newest = await latestWindowFigures(clickhouse, query);
  return newest === null ? null : boardAt(clickhouse, query, newest, progress);
}

/** The end at exactly this instant; null where it is not closed everywhere, or has no rows. */
export async function windowBoardAt(
  clickhouse: ClickHouse,
  query: Omit<WindowQuery, 'channel'>,
  at: number,
  progress: FoldProgress,
): Promise<WindowBoard | null> {
  const closed = await windowFiguresAt(clickhouse, query, at);
  return closed === null ? null : boardAt(clickhouse, query, closed, progress);
}

/** The last end for which any partition has a row, ms: the furthest that figures can speak of; null for none. */
export async function lastEndWithRows(
  clickhouse: ClickHouse,
  { brand, window }: Omit<WindowQuery, 'channel'>,
  generation: number,
): Promise<number | null> {
  const [last] = await clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(end) AS end_ms FROM gravity.window_figures
      WHERE brand = {brand:String} AND channel = {channel:String} AND window = {window:String}
        AND generation = {generation:UInt32}
      ORDER BY end DESC LIMIT 1`,
    params: { brand, window, generation, channel: ALL_CHANNELS },
    row: rowOf({ end_ms: integer }),
  });
  return last?.end_ms ?? null;
}

async function boardAt(
  clickhouse: ClickHouse,
  { brand, window }: Omit<WindowQuery, 'channel'>,
  { end, generation }: Pick<WindowFigures, 'end' | 'generation'>,
  progress: FoldProgress,
): Promise<WindowBoard> {
  const rows = await clickhouse.query({
    sql: `
      SELECT channel, partition, version, status, toUnixTimestamp64Milli(watermark) AS watermark_ms,
        ${WINDOW_COUNTS.join(', ')}
      FROM gravity.window_figures FINAL
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}
        AND end = fromUnixTimestamp64Milli({end:Int64}, 'UTC')`,
    params: { brand, window, generation, end },
    settings: { do_not_merge_across_partitions_select_final: 1 },
    row: ROW,
  });
  const partitions = new Map(generation === progress.generation ? progress.partitions : []);
  for (const row of rows) {
    const before = partitions.get(row.partition);
    partitions.set(row.partition, {
      position: Math.max(before?.position ?? 0, positionOf(row.version)),
      watermark: Math.max(before?.watermark ?? -Infinity, row.watermark_ms),
    });
  }
  const watermark = leastWatermark(partitions.values());
  return { end, generation, channels: byChannel(rows), partitions, watermark };
}

function byChannel(rows: readonly Row[]): ReadonlyMap<string, ChannelCounts> {
  const channels = new Map<string, ChannelCounts>();
  for (const row of rows) {
    const sum = channels.get(row.channel);
    channels.set(row.channel, {
      counts: addedCounts(sum?.counts ?? NO_COUNTS, row),
      status: sum === undefined ? row.status : worstStatus([sum.status, row.status]),
    });
  }
  return channels;
}

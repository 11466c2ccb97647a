/** The live figures of windows, put together from the rows of all partitions. */
import { ALL_CHANNELS } from '#domain';
import type { RowStatus } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import { IS_SHOWN } from './generations.js';
import { big, integer, integerOrNull, listOf, oneOf, rowOf } from '../row-reader.js';
import { restatedAsOf } from '../row-version.js';
import { ROW_STATUSES, worstStatus } from './row-status.js';
import {
  addedCounts,
  NO_COUNTS,
  WINDOW_COUNT_READERS,
  WINDOW_COUNTS,
  type WindowCounts,
} from './window-counts.js';

export interface WindowQuery {
  readonly brand: string;
  /** Default: all. */
  readonly channel?: string;
  /** `5m`, `1h`, … */
  readonly window: string;
}

export interface WindowFigures extends WindowCounts {
  /** End instant T of [T − W, T), ms. */
  readonly end: number;
  readonly status: RowStatus;
  /** The least of the partitions' watermarks: all figures are true up to there at least. */
  readonly watermark: number;
  readonly generation: number;
  readonly partitionsReporting: number;
}

export interface Heartbeats {
  readonly generation: number;
  /** Partition → the end up to which it has closed every end. */
  readonly closed: ReadonlyMap<number, number>;
  /** Partition → version up to which its rows are stored. */
  readonly versions: ReadonlyMap<number, bigint>;
}

/**
 * Of the newest generation that is shown; null before the first heartbeat.
 * @param generation   of this one instead, shown or not
 */
export async function heartbeats(
  clickhouse: ClickHouse,
  window: string,
  generation?: number,
): Promise<Heartbeats | null> {
  const rows = await clickhouse.query({
    sql: `
      SELECT generation, partition, argMax(toUnixTimestamp64Milli(end), version) AS closed_ms,
        max(version) AS newest
      FROM gravity.window_heartbeats
      WHERE window = {window:String}
        AND generation = if({generation:Int64} >= 0, {generation:Int64}, (
          SELECT max(generation) FROM gravity.window_heartbeats WHERE window = {window:String} AND ${IS_SHOWN}
        ))
      GROUP BY generation, partition`,
    params: { window, generation: generation ?? -1 },
    row: rowOf({ generation: integer, partition: integer, closed_ms: integer, newest: big }),
  });
  const [first] = rows;
  if (first === undefined) return null;
  return {
    generation: first.generation,
    closed: new Map(rows.map(({ partition, closed_ms }) => [partition, closed_ms])),
    versions: new Map(rows.map(({ partition, newest }) => [partition, newest])),
  };
}

/** Ends after the last one that is closed everywhere, newest first, with the partitions that have a row there. */
async function openEnds(clickhouse: ClickHouse, query: WindowQuery, generation: number, closedTo: number) {
  return clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(end) AS end_ms, groupUniqArray(partition) AS partitions
      FROM gravity.window_figures
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}
        AND end > fromUnixTimestamp64Milli({closedTo:Int64}, 'UTC')
      GROUP BY end_ms ORDER BY end_ms DESC`,
    params: { brand: query.brand, window: query.window, generation, closedTo },
    row: rowOf({ end_ms: integer, partitions: listOf(integer) }),
  });
}

/** The newest end at which every partition has closed, or has a provisional row of this brand. */
async function newestEnd(clickhouse: ClickHouse, query: WindowQuery, { generation, closed }: Heartbeats) {
  const closedTo = Math.min(...closed.values());
  const ends = await openEnds(clickhouse, query, generation, closedTo);
  const known = ends.find(({ end_ms, partitions }) =>
    [...closed].every(([partition, to]) => to >= end_ms || partitions.includes(partition)),
  );
  return known?.end_ms ?? closedTo;
}

async function rowsAt(clickhouse: ClickHouse, query: WindowQuery, generation: number, end: number) {
  return clickhouse.query({
    sql: `
      SELECT partition, version, status, toUnixTimestamp64Milli(watermark) AS watermark_ms,
        ${WINDOW_COUNTS.join(', ')}
      FROM gravity.window_figures FINAL
      WHERE brand = {brand:String} AND channel = {channel:String} AND window = {window:String}
        AND end = fromUnixTimestamp64Milli({end:Int64}, 'UTC') AND generation = {generation:UInt32}`,
    params: { ...query, channel: query.channel ?? ALL_CHANNELS, generation, end },
    settings: { do_not_merge_across_partitions_select_final: 1 },
    row: rowOf({
      ...{ partition: integer, version: big },
      status: oneOf(ROW_STATUSES),
      watermark_ms: integer,
      ...WINDOW_COUNT_READERS,
    }),
  });
}

/**
 * The newest set of rows that is whole: a partition without a row counts as zero only up to where it has closed.
 * Null before the first heartbeat.
 */
export async function latestWindowFigures(
  clickhouse: ClickHouse,
  query: WindowQuery,
): Promise<WindowFigures | null> {
  const beats = await heartbeats(clickhouse, query.window);
  if (beats === null) return null;
  const end = await newestEnd(clickhouse, query, beats);
  return figuresAt(clickhouse, query, beats, end);
}

/**
 * The figures of one end that may lie back; null if it is not closed everywhere yet, or if no partition has a row
 * there (ends of fine windows far back have none: `windowFiguresFromFacts` answers those).
 */
export async function windowFiguresAt(
  clickhouse: ClickHouse,
  query: WindowQuery,
  end: number,
): Promise<WindowFigures | null> {
  const beats = await heartbeats(clickhouse, query.window);
  if (beats === null || end > Math.min(...beats.closed.values())) return null;
  const figures = await figuresAt(clickhouse, query, beats, end);
  return figures.partitionsWithRows === 0 ? null : figures;
}

/** @param end   closed everywhere, or whole otherwise: a partition without a row there counts as zero */
export async function figuresAt(clickhouse: ClickHouse, query: WindowQuery, beats: Heartbeats, end: number) {
  const rows = await rowsAt(clickhouse, query, beats.generation, end);
  const watermarks = [...beats.closed].map(
    ([partition, closed]) => rows.find((row) => row.partition === partition)?.watermark_ms ?? closed,
  );
  return {
    ...rows.reduce<WindowCounts>(addedCounts, NO_COUNTS),
    end,
    status: worstStatus(rows.map(({ status }) => status)),
    watermark: Math.min(...watermarks),
    generation: beats.generation,
    partitionsReporting: beats.closed.size,
    partitionsWithRows: rows.length,
    restatedAsOf: new Map(
      rows.flatMap(({ partition, version }): readonly [number, bigint][] => {
        const asOf = restatedAsOf(version);
        return asOf === null ? [] : [[partition, asOf]];
      }),
    ),
  };
}

/** First end (ms) that was seen whole: its window does not reach back before the first tick. Null: none has a row. */
export async function firstWholeEnd(
  clickhouse: ClickHouse,
  {
    brand,
    window: { id, slideMs },
    generation,
  }: {
    /** Absent: of whatever brand. */
    readonly brand?: string;
    readonly window: { readonly id: string; readonly slideMs: number };
    readonly generation: number;
  },
): Promise<number | null> {
  const [bounds] = await clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(minOrNullIf(end, status != 'incomplete')) AS first_ms,
        toUnixTimestamp64Milli(maxOrNullIf(end, status = 'incomplete')) AS incomplete_ms
      FROM gravity.window_figures FINAL
      WHERE ${brand === undefined ? '' : 'brand = {brand:String} AND'}
        window = {window:String} AND generation = {generation:UInt32}`,
    params: { brand: brand ?? '', window: id, generation },
    row: rowOf({ first_ms: integerOrNull, incomplete_ms: integerOrNull }),
  });
  const begun = bounds?.first_ms ?? null;
  return begun === null ? null : Math.max(begun, (bounds?.incomplete_ms ?? -Infinity) + slideMs);
}

export interface SeriesQuery extends WindowQuery {
  /** First and last end, ms, both included. */
  readonly from: number;
  readonly to: number;
  /** Default: 500. With more ends than this, every n-th is taken, counted from the newest. */
  readonly pointsMax?: number;
}

export interface WindowPoint extends WindowCounts {
  readonly end: number;
  readonly status: RowStatus;
}

/** Ends in ascending order up to the newest whole one; an end without any row is left out. */
export async function windowSeries(
  clickhouse: ClickHouse,
  query: SeriesQuery,
): Promise<readonly WindowPoint[]> {
  const beats = await heartbeats(clickhouse, query.window);
  if (beats === null) return [];
  const { brand, window, from } = query;
  const to = Math.min(query.to, await newestEnd(clickhouse, query, beats));
  const rows = await clickhouse.query({
    sql: `
      WITH
        ends AS (
          SELECT toUnixTimestamp64Milli(end) AS end_ms, groupUniqArray(toString(status)) AS statuses,
            ${WINDOW_COUNTS.map((count) => `sum(${count}) AS sum_${count}`).join(', ')}
          FROM gravity.window_figures FINAL
          WHERE brand = {brand:String} AND channel = {channel:String} AND window = {window:String}
            AND generation = {generation:UInt32}
            AND end >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
            AND end <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
          GROUP BY end_ms
        ),
        numbered AS (SELECT *, row_number() OVER (ORDER BY end_ms DESC) - 1 AS place, count() OVER () AS total FROM ends)
      SELECT end_ms, statuses, ${WINDOW_COUNTS.map((count) => `sum_${count} AS ${count}`).join(', ')}
      FROM numbered
      WHERE place % greatest(1, intDiv(total + {points:UInt32} - 1, {points:UInt32})) = 0
      ORDER BY end_ms`,
    params: {
      ...{ brand, window, from, to, channel: query.channel ?? ALL_CHANNELS },
      ...{ generation: beats.generation, points: query.pointsMax ?? 500 },
    },
    settings: { do_not_merge_across_partitions_select_final: 1 },
    row: rowOf({ end_ms: integer, statuses: listOf(oneOf(ROW_STATUSES)), ...WINDOW_COUNT_READERS }),
  });
  return rows.map(({ end_ms, statuses, ...counts }) => ({
    ...counts,
    end: end_ms,
    status: worstStatus(statuses),
  }));
}

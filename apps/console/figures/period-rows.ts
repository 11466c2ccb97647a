/** The figures of schemes' periods, put together from the rows of all partitions. */
import {
  big,
  integer,
  listOf,
  oneOf,
  positionOf,
  ROW_STATUSES,
  rowOf,
  text,
  worstStatus,
  type ClickHouse,
} from '#clickhouse';
import type { RowStatus } from '#pipeline';
import type { FoldProgress, PartitionProgress } from './fold-progress.js';

const READ = rowOf({
  ...{ channel: text, scheme_id: text, period_id: text, day_text: text },
  ...{ partition: integer, version: big, status: oneOf(ROW_STATUSES), watermark_ms: integer },
  ...{ capital: integer, capital_base: integer, new_relations: integer, lost_relations: integer },
  ...{ orders: integer, gmv_gross_minor: integer, refunds_minor: integer },
  ...{ deepened: integer, deepened_cohort: integer, tiers: listOf(integer) },
});
export type PeriodRow = ReturnType<typeof READ>;

export interface PeriodSum {
  readonly scheme_id: string;
  readonly channel: string;
  readonly period_id: string;
  /** Local day `YYYY-MM-DD` that the figures "of the day" speak of. */
  readonly day: string;
  readonly status: RowStatus;
  readonly partitions: ReadonlyMap<number, PartitionProgress>;
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

export interface PeriodRowsQuery {
  readonly brand: string;
  /** Default: every channel and scheme. */
  readonly channel?: string;
  readonly schemeId?: string;
  /** Only days up to this one, `YYYY-MM-DD`. */
  readonly dayMax?: string | null;
  /** What to keep of each partition: its newest row, that of each period, or that of each day. */
  readonly keep: 'newest' | 'period' | 'day';
  readonly generation: number;
}

const ROWS_MAX = 50_000;
const KEPT_BY = { newest: '', period: ', period_id', day: ', period_id, day' } as const;

/** Newest days first. */
export function periodRows(clickhouse: ClickHouse, query: PeriodRowsQuery): Promise<readonly PeriodRow[]> {
  return clickhouse.query({
    sql: `
      SELECT channel, scheme_id, period_id, toString(day) AS day_text, partition, version, status,
        toUnixTimestamp64Milli(watermark) AS watermark_ms, capital, capital_base, new_relations, lost_relations,
        orders, gmv_gross_minor, refunds_minor, deepened, deepened_cohort, tiers
      FROM gravity.period_figures FINAL
      WHERE brand = {brand:String} AND generation = {generation:UInt32}
        AND ({channel:String} = '' OR channel = {channel:String})
        AND ({schemeId:String} = '' OR scheme_id = {schemeId:String})
        AND ({dayMax:String} = '' OR day <= toDate32OrNull({dayMax:String}))
      ORDER BY day DESC, version DESC
      LIMIT 1 BY channel, scheme_id, partition${KEPT_BY[query.keep]}
      LIMIT ${ROWS_MAX}`,
    params: {
      ...{ brand: query.brand, generation: query.generation, channel: query.channel ?? '' },
      ...{ schemeId: query.schemeId ?? '', dayMax: query.dayMax ?? '' },
    },
    row: READ,
  });
}

/**
 * One scheme and channel as of the newest day among `rows` (of each partition its newest row up to that day). A
 * partition whose row is of an older day had nothing to add to that day: its stocks still stand, its figures of the
 * day are 0; and if the row is of the period before, its stocks are what this period is compared with.
 *
 * @param progress   vouches for partitions whose row is old, or absent, because nothing has changed since
 */
export function sumPeriod(rows: readonly PeriodRow[], progress: FoldProgress): PeriodSum | null {
  const [newest] = rows;
  if (newest === undefined) return null;
  const ofDay = rows.filter(({ day_text }) => day_text === newest.day_text);
  const ofPeriod = rows.filter(({ period_id }) => period_id === newest.period_id);
  const before = rows.filter(({ period_id }) => period_id !== newest.period_id);
  return {
    scheme_id: newest.scheme_id,
    channel: newest.channel,
    period_id: newest.period_id,
    day: newest.day_text,
    status: worstStatus(ofDay.map(({ status }) => status)),
    partitions: progressOf(rows, progress),
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

/**
 * The sums of each scheme and channel, by `periodKey`, of rows kept as `newest`. What a partition has written for one
 * channel vouches for the others of the scheme, so give the rows of all of them.
 */
export function sumsByKey(
  rows: readonly PeriodRow[],
  progress: FoldProgress,
): ReadonlyMap<string, PeriodSum> {
  const byScheme = grouped(rows, (row) => row.scheme_id);
  const sums = new Map<string, PeriodSum>();
  for (const ofScheme of byScheme.values()) {
    const vouched = { ...progress, partitions: progressOf(ofScheme, progress) };
    for (const group of grouped(ofScheme, (row) => row.channel).values()) {
      const sum = sumPeriod(group, vouched);
      if (sum !== null) sums.set(periodKey(sum.scheme_id, sum.channel), sum);
    }
  }
  return sums;
}

function grouped(
  rows: readonly PeriodRow[],
  keyOf: (row: PeriodRow) => string,
): ReadonlyMap<string, readonly PeriodRow[]> {
  const groups = new Map<string, PeriodRow[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

export function periodKey(schemeId: string, channel: string): string {
  return `${schemeId}\0${channel}`;
}

/**
 * The close of each period (or day), newest first, from rows of one scheme and channel kept as `period` (or `day`).
 * A partition without a row on the last day stands as its newest row before says.
 */
export function periodCloses(
  rows: readonly PeriodRow[],
  by: 'period' | 'day',
  limit: number,
  progress: FoldProgress,
): readonly PeriodSum[] {
  const closes = new Map<string, string>();
  for (const { period_id, day_text } of rows) {
    const key = by === 'day' ? day_text : period_id;
    if (!closes.has(key)) closes.set(key, day_text);
  }
  return [...closes.values()].slice(0, limit).flatMap((day) => {
    const newest = new Map<number, PeriodRow>();
    for (const row of rows) {
      if (row.day_text <= day && !newest.has(row.partition)) newest.set(row.partition, row);
    }
    const sum = sumPeriod([...newest.values()].sort(byDayDescending), progress);
    return sum === null ? [] : [sum];
  });
}

function byDayDescending(left: PeriodRow, right: PeriodRow): number {
  return left.day_text < right.day_text ? 1 : left.day_text > right.day_text ? -1 : 0;
}

function add(rows: readonly PeriodRow[], value: (row: PeriodRow) => number): number {
  return rows.reduce((total, row) => total + value(row), 0);
}

function progressOf(
  rows: readonly PeriodRow[],
  progress: FoldProgress,
): ReadonlyMap<number, PartitionProgress> {
  const partitions = new Map(progress.partitions);
  for (const row of rows) {
    const before = partitions.get(row.partition);
    partitions.set(row.partition, {
      position: Math.max(before?.position ?? 0, positionOf(row.version)),
      watermark: Math.max(before?.watermark ?? -Infinity, row.watermark_ms),
    });
  }
  return partitions;
}

/** The rows of many window ends beside what the raw facts make of them, by partition and channel. */
import type { WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import {
  addedCounts,
  NO_COUNTS,
  WINDOW_COUNT_READERS,
  WINDOW_COUNTS,
  type WindowCounts,
} from '../queries/window-counts.js';
import { integer, rowOf, text } from '../row-reader.js';
import { personsOf } from './persons-of.js';
import { recountWindows } from './recount-windows.js';

/** What there is and what there should be. */
export interface EndCounts {
  /** `all` for all. */
  readonly channel: string;
  /** ms */
  readonly end: number;
  readonly before: WindowCounts;
  readonly after: WindowCounts;
}

export interface EndDifference extends EndCounts {
  readonly partition: number;
}

export interface EndsHeld {
  readonly generation: number;
  /** ms, a multiple of the slide; and how many. */
  readonly first: number;
  readonly ends: number;
}

/** A query holds a list of ends for every person. */
const PERSON_ENDS_MAX = 20_000_000;
const CHUNK_ENDS_MAX = 500;

/** How many ends may be recounted in one go. */
export async function endsAtOnce(clickhouse: ClickHouse, brand: string): Promise<number> {
  const persons = await personsOf(clickhouse, brand);
  return Math.max(1, Math.min(CHUNK_ENDS_MAX, Math.floor(PERSON_ENDS_MAX / Math.max(1, persons))));
}

/** Of every row and every recount, what there is and what there should be. */
export async function heldAgainst(
  clickhouse: ClickHouse,
  {
    brand,
    window,
  }: { readonly brand: string; readonly window: Pick<WindowSpec, 'id' | 'widthMs' | 'slideMs'> },
  { generation, first, ends }: EndsHeld,
): Promise<readonly EndDifference[]> {
  const recounted = await recountWindows(clickhouse, { brand, window, first, ends });
  const stored = await clickhouse.query({
    sql: `
      SELECT channel, partition, toUnixTimestamp64Milli(end) AS end_ms, ${WINDOW_COUNTS.join(', ')}
      FROM gravity.window_figures FINAL
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}
        AND end >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND end <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
    params: {
      ...{ brand, window: window.id, generation },
      ...{ from: first, to: first + (ends - 1) * window.slideMs },
    },
    settings: { do_not_merge_across_partitions_select_final: 1 },
    row: rowOf({
      ...{ channel: text, partition: integer, end_ms: integer },
      ...WINDOW_COUNT_READERS,
    }),
  });
  const found = new Map<string, EndDifference>();
  for (const { channel: of, partition, end_ms: end, ...before } of stored) {
    found.set(`${partition} ${end} ${of}`, { partition, channel: of, end, before, after: NO_COUNTS });
  }
  for (const { channel: of, partition, end, counts: after } of recounted) {
    const key = `${partition} ${end} ${of}`;
    const before = found.get(key)?.before ?? NO_COUNTS;
    found.set(key, { partition, channel: of, end, before, after });
  }
  return [...found.values()];
}

export function differs({ before, after }: Pick<EndCounts, 'before' | 'after'>): boolean {
  return WINDOW_COUNTS.some((figure) => before[figure] !== after[figure]);
}

export function overPartitions(rows: readonly EndDifference[]): readonly EndCounts[] {
  const sums = new Map<string, EndCounts>();
  for (const { channel, end, before, after } of rows) {
    const key = `${end} ${channel}`;
    const sum = sums.get(key) ?? { channel, end, before: NO_COUNTS, after: NO_COUNTS };
    sums.set(key, {
      ...sum,
      before: addedCounts(sum.before, before),
      after: addedCounts(sum.after, after),
    });
  }
  return [...sums.values()];
}

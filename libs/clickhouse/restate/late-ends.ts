import type { ClickHouse } from '../clickhouse.js';
import { integer, rowOf } from '../row-reader.js';
import type { EndsToRestate, Reopened } from './ends-to-restate.js';

/** Which ends of which partition an event has missed, by the late ledger. */
export type LateEnds = (partition: number, end: number) => boolean;

export async function lateEnds(
  clickhouse: ClickHouse,
  { brand, window: { id, slideMs } }: Pick<Reopened, 'brand' | 'window'>,
  { beats, first, ends }: EndsToRestate,
): Promise<LateEnds> {
  const slides = (column: string): string =>
    `intDiv(toUnixTimestamp64Milli(${column}) - {first:Int64}, {slide:Int64})`;
  const rows = await clickhouse.query({
    sql: `
      SELECT partition, arrayJoin(range(
        greatest(0, ${slides('missed_from')}), least({ends:Int64}, ${slides('missed_to')})
      )) AS nth
      FROM gravity.late_events
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}
        AND missed_from < fromUnixTimestamp64Milli({stop:Int64}, 'UTC')
        AND missed_to > fromUnixTimestamp64Milli({first:Int64}, 'UTC')
      GROUP BY partition, nth`,
    params: {
      ...{ brand, window: id, generation: beats.generation, slide: slideMs },
      ...{ first, ends, stop: first + ends * slideMs },
    },
    row: rowOf({ partition: integer, nth: integer }),
  });
  const missed = new Set(rows.map(({ partition, nth }) => `${partition} ${first + nth * slideMs}`));
  return (partition, end) => missed.has(`${partition} ${end}`);
}

import type { ClickHouse } from '../clickhouse.js';
import { integer, rowOf } from '../row-reader.js';

/** Whether anything was imported that happened before `until`, ms. */
export async function hasImports(clickhouse: ClickHouse, brand: string, until: number): Promise<boolean> {
  const [found] = await clickhouse.query({
    sql: `
      SELECT count() > 0 AS found FROM (
        SELECT 1 FROM gravity.touchpoints
        WHERE brand = {brand:String} AND origin = 'BACKFILL' AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        LIMIT 1
      )`,
    params: { brand, until },
    row: rowOf({ found: integer }),
  });
  return found?.found === 1;
}

import type { ClickHouse } from '../clickhouse.js';
import { integer, rowOf } from '../row-reader.js';

const READ = rowOf({ persons: integer });

/** About how many persons a recount of the brand has to do with. */
export async function personsOf(clickhouse: ClickHouse, brand: string): Promise<number> {
  const [counted] = await clickhouse.query({
    sql: 'SELECT uniq(person) AS persons FROM gravity.touchpoints WHERE brand = {brand:String}',
    params: { brand },
    row: READ,
  });
  return counted?.persons ?? 0;
}

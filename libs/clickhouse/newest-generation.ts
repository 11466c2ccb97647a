import type { ClickHouse } from './clickhouse.js';
import { integer, rowOf } from './row-reader.js';

/** Tables by generation, and that of the generations themselves where there is one. */
const TABLES = '^(window_heartbeats|period_figures|persons|generations)$';

/** The largest generation that anything was stored of, shown or not; 0 before the first row. */
export async function newestGeneration(clickhouse: ClickHouse): Promise<number> {
  const [found] = await clickhouse.query({
    sql: `SELECT max(generation) AS newest FROM merge('gravity', '${TABLES}')`,
    row: rowOf({ newest: integer }),
  });
  return found?.newest ?? 0;
}

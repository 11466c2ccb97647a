import { integer, rowOf, type ClickHouse } from '#clickhouse';

/**
 * Event time of the first raw fact of the log, of whatever brand, ms; null while there is none. A window that
 * reaches back before it was never seen whole.
 */
export async function firstFactAt(clickhouse: ClickHouse): Promise<number | null> {
  const [first] = await clickhouse.query({
    sql: 'SELECT count() AS facts, toUnixTimestamp64Milli(min(at)) AS first_ms FROM gravity.touchpoints',
    row: rowOf({ facts: integer, first_ms: integer }),
  });
  return first === undefined || first.facts === 0 ? null : first.first_ms;
}

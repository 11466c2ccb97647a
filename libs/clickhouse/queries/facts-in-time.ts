/** The raw facts that a row of a window end knows: all but those that came when it was final already. */
import { stringLiteral } from '../sql-text.js';

export interface RowsInTime {
  /** `5m`, `1h`, … */
  readonly window: string;
  /** Of the log. */
  readonly generation: number;
  /** Partition → as of which version its row was restated: what had come by then is in it, however late. */
  readonly restatedAsOf: ReadonlyMap<number, bigint>;
  /** The end T that the row is of, ms. Default: the parameter `until`. */
  readonly end?: number;
  /** Leaves out what was imported: the ledger does not tell which of it came when the row was final. */
  readonly withoutImports?: boolean;
}

/**
 * A source of facts for `facts-sql`: reads the parameters `brand` and `until`, the end T of the window (ms). The late
 * ledger knows which events missed that end.
 */
export function factsInTime({
  window,
  generation,
  restatedAsOf,
  end,
  withoutImports = false,
}: RowsInTime): string {
  const at = end === undefined ? '{until:Int64}' : String(end);
  const known = [...restatedAsOf].map(
    ([partition, asOf]) => `(partition = ${partition} AND version < ${asOf})`,
  );
  return `(
    SELECT *, identity FROM gravity.touchpoints
    WHERE brand = {brand:String} AND (person, event_id, at) NOT IN (
      SELECT person, event_id, at FROM gravity.late_events FINAL
      WHERE brand = {brand:String} AND window = ${stringLiteral(window)} AND generation = ${generation}
        AND missed_from <= fromUnixTimestamp64Milli(${at}, 'UTC')
        AND missed_to > fromUnixTimestamp64Milli(${at}, 'UTC')
        AND NOT (${known.length === 0 ? 'false' : known.join(' OR ')})
    )${withoutImports ? ` AND origin != 'BACKFILL'` : ''}
  )`;
}

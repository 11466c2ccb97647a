/** The raw facts that a row of a day knows: all but those that came when it was final already. */
import type { WindowSpec } from '#domain';
import { stringLiteral } from '../sql-text.js';

export interface DayInTime {
  /** From then on the row was final, ms. */
  readonly finalAt: number;
  /** Partition → as of which version its row was restated: what had come by then is in it, however late. */
  readonly restatedAsOf: ReadonlyMap<number, bigint>;
  /**
   * Whose late ledger is asked, too: a dead letter that is judged again has the arrival stamp of its first time, but
   * missed the ends of then. Where it missed all that it had, and came too early by its stamp for that, nothing says when
   * it was counted: then it is taken to be late. Null: there are no windows.
   */
  readonly ledger: Pick<WindowSpec, 'id' | 'widthMs' | 'latenessMs'> | null;
  readonly generation: number;
  /** Leaves out what was imported: it does not say when it came. */
  readonly withoutImports: boolean;
}

/** A source of facts for `facts-sql`: reads the parameter `brand`. */
export function factsBeforeFinal(day: DayInTime): string {
  const { finalAt, restatedAsOf, ledger, generation, withoutImports } = day;
  const known = [...restatedAsOf].map(
    ([partition, asOf]) => `(partition = ${partition} AND version < ${asOf})`,
  );
  const arrived = `arrived_at < fromUnixTimestamp64Milli(${finalAt}, 'UTC')`;
  const inTime =
    ledger === null
      ? arrived
      : `${arrived} AND (person, event_id, at) NOT IN (
        SELECT person, event_id, at FROM gravity.late_events FINAL
        WHERE brand = {brand:String} AND window = ${stringLiteral(ledger.id)} AND generation = ${generation}
          AND (missed_to >= fromUnixTimestamp64Milli(${finalAt - ledger.latenessMs}, 'UTC')
            OR (toUnixTimestamp64Milli(missed_to) - toUnixTimestamp64Milli(missed_from) >= ${ledger.widthMs}
              AND toUnixTimestamp64Milli(arrived_at) < toUnixTimestamp64Milli(missed_to) + ${ledger.latenessMs}))
      )`;
  return `(
    SELECT *, identity FROM gravity.touchpoints
    WHERE brand = {brand:String}
      AND (${[`(${inTime})`, `origin = 'BACKFILL'`, ...known].join(' OR ')})
      ${withoutImports ? `AND origin != 'BACKFILL'` : ''}
  )`;
}

/** The raw facts that a row of a day knows: all but those that came when it was final already. */

export interface DayInTime {
  /** From then on the row was final, ms. */
  readonly finalAt: number;
  /** Partition → as of which version its row was restated: what had come by then is in it, however late. */
  readonly restatedAsOf: ReadonlyMap<number, bigint>;
  /** Leaves out what was imported: it does not say when it came. */
  readonly withoutImports: boolean;
}

/** A source of facts for `facts-sql`: reads the parameter `brand`. */
export function factsBeforeFinal({ finalAt, restatedAsOf, withoutImports }: DayInTime): string {
  const known = [...restatedAsOf].map(
    ([partition, asOf]) => `(partition = ${partition} AND version < ${asOf})`,
  );
  return `(
    SELECT *, identity FROM gravity.touchpoints
    WHERE brand = {brand:String}
      AND (${[`arrived_at < fromUnixTimestamp64Milli(${finalAt}, 'UTC')`, `origin = 'BACKFILL'`, ...known].join(' OR ')})
      ${withoutImports ? `AND origin != 'BACKFILL'` : ''}
  )`;
}

/** How persons moved between tiers, from the tier changes that were published (the facts, not a recount). */
import type { TierCause } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { integer, oneOf, rowOf, text } from '../row-reader.js';
import { TIER_CAUSES } from './tier-changes.js';

export interface TierFlowsQuery {
  readonly brand: string;
  readonly schemeId: string;
  /** Changes that took effect in [from, to), ms. */
  readonly from: number;
  readonly to: number;
  /** Zone of the days, a tz database name. */
  readonly zone: string;
  /** One matrix for each local day, and not one for the whole span. */
  readonly byDay: boolean;
}

/** One cell of the matrix. */
export interface TierFlow {
  /** `YYYY-MM-DD`; empty for the whole span. */
  readonly day: string;
  readonly from: number;
  readonly to: number;
  readonly cause: TierCause;
  readonly changes: number;
  /** Distinct, so they do not add up over cells or days. */
  readonly persons: number;
}

/** Where persons stood before the first of their changes in the span, and after the last. */
export interface NetTierFlow {
  readonly from: number;
  readonly to: number;
  readonly persons: number;
}

const IN_SPAN = `
  brand = {brand:String} AND scheme_id = {schemeId:String}
  AND effective_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND effective_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;

/** In the order of day, from, to and cause; cells without a change are left out. Reads all changes of the brand. */
export function tierFlows(clickhouse: ClickHouse, query: TierFlowsQuery): Promise<readonly TierFlow[]> {
  return clickhouse.query({
    sql: `
      SELECT if({byDay:UInt8}, toString(toDate32(effective_at, {zone:String})), '') AS day, from_tier AS from, to_tier AS to, cause,
        count() AS changes, uniqExact(person) AS persons
      FROM gravity.tier_changes FINAL
      WHERE ${IN_SPAN}
      GROUP BY day, from, to, cause ORDER BY day, from, to, cause`,
    params: { ...query, byDay: query.byDay ? 1 : 0 },
    row: rowOf({
      ...{ day: text, from: integer, to: integer, cause: oneOf(TIER_CAUSES) },
      ...{ changes: integer, persons: integer },
    }),
  });
}

/** Who ended the span where they began it are left out. A person's changes have the order of their versions. */
export function netTierFlows(
  clickhouse: ClickHouse,
  { brand, schemeId, from, to }: TierFlowsQuery,
): Promise<readonly NetTierFlow[]> {
  return clickhouse.query({
    sql: `
      SELECT began AS from, ended AS to, count() AS persons
      FROM (
        SELECT person, argMin(from_tier, version) AS began, argMax(to_tier, version) AS ended
        FROM gravity.tier_changes
        WHERE ${IN_SPAN}
        GROUP BY person
      )
      WHERE began != ended GROUP BY began, ended ORDER BY began, ended`,
    params: { brand, schemeId, from, to },
    row: rowOf({ from: integer, to: integer, persons: integer }),
  });
}

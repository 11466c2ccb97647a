/** The tier changes that were published held against the tiers that stand in the rows of persons. */
import type { ClickHouse } from '../clickhouse.js';
import { IS_SHOWN } from '../queries/generations.js';
import { integer, rowOf, text } from '../row-reader.js';

export interface TierFlowSample {
  readonly brand: string;
  readonly schemeId: string;
}

export interface TierFlowDrift {
  readonly brand: string;
  readonly schemeId: string;
  readonly person: string;
  /** `last`: the newest change led elsewhere than the person's row; `chain`: a change begins where none had led. */
  readonly what: 'last' | 'chain';
  /** Of the row of the person, or from where the change begins. */
  readonly tier: number;
  /** Where the (former) changes led; 0 without any. */
  readonly led: number;
}

export interface TierFlowReconciliation {
  /** Persons with a tier or a change. */
  readonly compared: number;
  readonly drifts: readonly TierFlowDrift[];
}

const CHANGES = `
  SELECT person, version, from_tier, to_tier FROM gravity.tier_changes FINAL
  WHERE brand = {brand:String} AND scheme_id = {schemeId:String}`;

const STANDING = `
  SELECT person, toInt32(tier) AS stands FROM gravity.persons FINAL
  WHERE brand = {brand:String} AND scheme_id = {schemeId:String} AND NOT gone AND generation = (
    SELECT max(generation) FROM gravity.persons
    WHERE brand = {brand:String} AND scheme_id = {schemeId:String} AND ${IS_SHOWN}
  )`;

const LAST = `
  SELECT person, sum(stands) AS tier, sum(led) AS led
  FROM (
    SELECT person, stands, 0 AS led FROM (${STANDING})
    UNION ALL
    SELECT person, 0 AS stands, toInt32(argMax(to_tier, version)) AS led FROM (${CHANGES}) GROUP BY person
  )
  GROUP BY person`;

/** A fold from the start (a new epoch) publishes anew what differs: its first change may begin anywhere. */
const CHAIN = `
  SELECT person, toInt32(from_tier) AS tier, toInt32(before) AS led
  FROM (
    SELECT person, from_tier,
      lagInFrame(to_tier, 1, from_tier) OVER (
        PARTITION BY person, bitShiftRight(version, 48) ORDER BY version
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS before
    FROM (${CHANGES})
  )
  WHERE tier != led ORDER BY person`;

/** What is on the way to one of the tables only may differ: look again before believing it. */
export async function reconcileTierFlows(
  clickhouse: ClickHouse,
  sample: TierFlowSample,
): Promise<TierFlowReconciliation> {
  const params = { ...sample };
  const row = rowOf({ person: text, tier: integer, led: integer });
  const [[counted], last, chain] = await Promise.all([
    clickhouse.query({
      sql: `SELECT count() AS persons FROM (${LAST})`,
      params,
      row: rowOf({ persons: integer }),
    }),
    clickhouse.query({ sql: `SELECT * FROM (${LAST}) WHERE tier != led ORDER BY person`, params, row }),
    clickhouse.query({ sql: CHAIN, params, row }),
  ]);
  const drifts = (what: TierFlowDrift['what'], found: typeof last): TierFlowDrift[] =>
    found.map((one) => ({ ...sample, what, ...one }));
  return { compared: counted?.persons ?? 0, drifts: [...drifts('last', last), ...drifts('chain', chain)] };
}

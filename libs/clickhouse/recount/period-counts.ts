/** The figures of a period row, apart from what they are figures of. */
import { integer, listOf } from '../row-reader.js';

/** Columns of what happened on a day, and of Capital. */
export const FLOW_COUNTS = [
  ...(['capital', 'capital_base', 'new_relations', 'lost_relations'] as const),
  ...(['orders', 'gmv_gross_minor', 'refunds_minor'] as const),
] as const;
/** What only the rows of `all` have: how persons stand. */
export const STANDING_COUNTS = [
  'deepened',
  'deepened_cohort',
  ...(['tier_0', 'tier_1', 'tier_2', 'tier_3', 'tier_4', 'tier_5'] as const),
] as const;
export const PERIOD_COUNTS = [...FLOW_COUNTS, ...STANDING_COUNTS] as const;

export type FlowCount = (typeof FLOW_COUNTS)[number];
export type StandingCount = (typeof STANDING_COUNTS)[number];
export type PeriodCount = (typeof PERIOD_COUNTS)[number];
export type FlowCounts = Readonly<Record<FlowCount, number>>;
export type StandingCounts = Readonly<Record<StandingCount, number>>;
export type PeriodCounts = Readonly<Record<PeriodCount, number>>;

const ZEROS = new Map(PERIOD_COUNTS.map((count) => [count, 0]));
export const NO_PERIOD_COUNTS: PeriodCounts = countsBy((count) => ZEROS.get(count) ?? 0);

/** One number for each figure. */
export function countsBy(value: (count: PeriodCount) => number): PeriodCounts {
  return Object.fromEntries(PERIOD_COUNTS.map((count) => [count, value(count)])) as Record<
    PeriodCount,
    number
  >;
}

export function addedPeriodCounts(left: PeriodCounts, right: PeriodCounts): PeriodCounts {
  return countsBy((count) => left[count] + right[count]);
}

/** Columns of a stored row. */
export const PERIOD_COLUMNS = [...FLOW_COUNTS, 'deepened', 'deepened_cohort', 'tiers'] as const;
export const PERIOD_READERS = {
  ...{ capital: integer, capital_base: integer, new_relations: integer, lost_relations: integer },
  ...{ orders: integer, gmv_gross_minor: integer, refunds_minor: integer },
  ...{ deepened: integer, deepened_cohort: integer, tiers: listOf(integer) },
};

type StoredCounts = FlowCounts &
  Pick<StandingCounts, 'deepened' | 'deepened_cohort'> & { readonly tiers: readonly number[] };

export function countsOfStored({ tiers, ...row }: StoredCounts): PeriodCounts {
  const tier = (nth: number): number => tiers[nth] ?? 0;
  return {
    ...row,
    ...{ tier_0: tier(0), tier_1: tier(1), tier_2: tier(2) },
    ...{ tier_3: tier(3), tier_4: tier(4), tier_5: tier(5) },
  };
}

/** As a row stores them. */
export function storedOfCounts(counts: PeriodCounts): StoredCounts {
  const { tier_0, tier_1, tier_2, tier_3, tier_4, tier_5, ...row } = counts;
  return { ...row, tiers: [tier_0, tier_1, tier_2, tier_3, tier_4, tier_5] };
}

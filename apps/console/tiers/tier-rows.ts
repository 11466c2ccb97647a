/** A person's line in the answer of `gravity tiers` and of `/tiers`. */
import type { PersonSummary } from '#domain';

export const TIER_COLUMNS = [
  'person',
  'tier',
  'purchase_days',
  'orders',
  'own_value_minor',
  'first_purchase',
  'last_purchase',
] as const;

/** Instants are ISO in UTC with milliseconds; null for somebody who never bought. */
export type TierRow = Readonly<{
  person: string;
  tier: number;
  purchase_days: number;
  orders: number;
  own_value_minor: number;
  first_purchase: string | null;
  last_purchase: string | null;
}>;

export function tierRow(
  summary: Omit<PersonSummary, 'gone' | 'is_member' | 'scheme_id' | 'period_id' | 'brand'>,
): TierRow {
  const { person, tier, purchase_days, orders, own_value_minor, first_purchase, last_purchase } = summary;
  return {
    person,
    tier,
    purchase_days,
    orders,
    own_value_minor,
    first_purchase: iso(first_purchase),
    last_purchase: iso(last_purchase),
  };
}

/** By code units, so that the order does not depend on a locale. */
export function compareTierRows(left: TierRow, right: TierRow): number {
  return left.person < right.person ? -1 : left.person > right.person ? 1 : 0;
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

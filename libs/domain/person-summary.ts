import { compileRules, type CompiledRules } from './compiled-rules.js';
import { lifetime } from './money.js';
import { periodIdAt } from './periods.js';
import type { Relationship } from './relationship.js';
import { covers } from './spans.js';
import { purchaseDays, tierAt } from './tiers.js';
import type { Rules } from './rules.js';
import type { Tier } from './facts.js';

/** One person under one scheme; fields are named as the columns they end up in. */
export interface PersonSummary {
  readonly brand: string;
  readonly scheme_id: string;
  readonly person: string;
  readonly period_id: string;
  readonly tier: Tier;
  /** In the scheme's period. */
  readonly purchase_days: number;
  /** From here on: lifetime. Without orders of 0 where the scheme does not count them. */
  readonly orders: number;
  /** FAST+ CLV, own value, realised: paid less refunded. */
  readonly own_value_minor: number;
  readonly first_purchase: number | null;
  readonly last_purchase: number | null;
  readonly is_member: boolean;
  readonly gone: boolean;
}

/**
 * Whether `after` has the summaries that `before` had, each as of its own last look: cheap, and true only where nothing
 * that they are made of has changed. Most touchpoints are visits, and no summary speaks of those.
 */
export function hasSameSummaries(
  before: Relationship,
  after: Relationship,
  { calendars }: CompiledRules,
): boolean {
  if (
    before.money !== after.money ||
    before.links !== after.links ||
    before.rulesHash !== after.rulesHash ||
    hasSummary(before) !== hasSummary(after)
  )
    return false;
  // Periods are made of whole days.
  const [was, is] = [instantOf(before), instantOf(after)];
  return calendars.every((calendar) => calendar.dayOf(was) === calendar.dayOf(is));
}

/** The person's last look or own last event, whichever is later, ms. */
function instantOf({ evaluatedAt, lastAt }: Relationship): number {
  return Math.max(evaluatedAt, lastAt);
}

/**
 * A person under each scheme of the brand, counting what happened up to and including `t` (ms) or the person's
 * own last event, whichever is later. "As of T" is asked as t = T − 1, of a state folded up to T.
 * Nothing for guests, and for visitors without any relation, payment or refund.
 */
export function personSummaries(state: Relationship, rules: Rules, t: number): PersonSummary[] {
  if (!hasSummary(state)) return [];
  const at = Math.max(t, state.lastAt);
  const isMember = covers(state.links.member, at);
  const total = lifetime(state.money);
  return compileRules(rules)
    .schemesOf(state.brand)
    .map((scheme): PersonSummary => {
      const { zeroOrderCounts } = scheme.scheme;
      return {
        brand: state.brand,
        scheme_id: scheme.scheme.id,
        person: state.person,
        period_id: periodIdAt(scheme, at),
        tier: tierAt(state, scheme, at),
        purchase_days: purchaseDays(state, scheme, at).length,
        orders: zeroOrderCounts ? total.orders : total.orders - total.zeroOrders,
        own_value_minor: total.grossMinor - total.refundedMinor,
        first_purchase: zeroOrderCounts ? total.first : total.firstPositive,
        last_purchase: zeroOrderCounts ? total.last : total.lastPositive,
        is_member: isMember,
        gone: false,
      };
    });
}

function hasSummary({ guest, knownSince }: Relationship): boolean {
  return !guest && knownSince !== Infinity;
}

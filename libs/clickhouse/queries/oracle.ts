/**
 * What the fold says of persons, computed from the raw facts in one go and by other means: sets and sorts of SQL
 * instead of states and steps. It shares the definitions with the fold and nothing else, so that the two can be
 * held against each other.
 *
 * Bounds: reads all links and orders of the brand up to `at`.
 */
import type { Scheme, SchemePeriod } from '#domain';
import type { ClickHouse, Params } from '../clickhouse.js';
import { flag, integer, integerOrNull, rowOf, text } from '../row-reader.js';
import { FOREVER, LINK_SPANS, MEMBERSHIPS, MONEY } from './facts-sql.js';

export interface OracleQuery {
  readonly brand: string;
  readonly scheme: Scheme;
  /** As of this instant: events with a smaller time count. ms. */
  readonly at: number;
}

export interface OraclePerson {
  readonly person: string;
  readonly tier: number;
  /** Member purchase days that count in the scheme's period. */
  readonly purchase_days: number;
  /** Lifetime: orders paid, whatever came back of them. */
  readonly orders: number;
  /** Lifetime, paid minus refunded; below 0 where more came back than is known to have been paid. */
  readonly own_value_minor: number;
  readonly first_purchase: number | null;
  readonly last_purchase: number | null;
  readonly is_member: boolean;
}

export interface OracleTotals {
  /** Persons by tier 0–5. */
  readonly tiers: readonly number[];
  readonly persons: number;
  readonly member_purchase_days: number;
  /** Of all orders, guests' too. */
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  readonly orders: number;
  readonly guests: number;
}

/**
 * One row per order: when it was bought (0: it is no purchase), and whether nothing of it stands. Section 8 rows 8,
 * 9 and 30: refunds dated before the order are money only; the whole order is gone when a refund said to be full
 * names it, when all that was paid came back, or when each line is gone by its own full refund or its own amount.
 */
const ORDERS = `
  SELECT person, order_id,
    groupArrayIf((line_id, at_ms, toInt64(amount)), type = 'orderPaid') AS lines,
    groupArrayIf((line_id, at_ms, toInt64(amount), is_whole), type = 'orderRefunded') AS all_refunds,
    if(empty(lines), ${FOREVER}, arrayMin(line -> line.2, lines)) AS paid_ms,
    arrayFilter(refund -> refund.2 >= paid_ms, all_refunds) AS refunds,
    arrayFilter(line -> line.3 > 0 OR {zeroCounts:UInt8}, lines) AS counting,
    if(empty(counting), 0, arrayMin(line -> line.2, counting)) AS bought_ms,
    arraySum(line -> line.3, lines) AS paid,
    arraySum(refund -> refund.3, refunds) AS refunded,
    arrayExists(refund -> refund.4 AND refund.1 = '', refunds)
      OR (paid > 0 AND refunded >= paid)
      OR (notEmpty(refunds) AND NOT arrayExists(line ->
        NOT arrayExists(refund -> refund.4 AND refund.1 = line.1, refunds)
        AND (line.3 = 0 OR arraySum(refund -> if(refund.1 = line.1 AND refund.1 != '', refund.3, 0), refunds) < line.3),
      lines)) AS is_cancelled
  FROM money WHERE order_id != ''
  GROUP BY person, order_id`;

/** The local days that make a tier at T − 1 ms, by kind of period. */
function countsDay(period: SchemePeriod): string {
  switch (period.kind) {
    case 'rolling':
      return 'day > today - {days:Int32} AND day <= today';
    case 'calendarMonth':
      return 'toStartOfMonth(day) = toStartOfMonth(today)';
    case 'span':
      return 'day >= toDate32({first:String}) AND day < toDate32({end:String})';
    case 'campaign':
      return `day >= toDate32({first:String}) AND day < toDate32({end:String})
        AND today >= toDate32({first:String}) AND today < toDate32({end:String})`;
  }
}

const LOCAL_DAY = (ms: string) => `toDate32(fromUnixTimestamp64Milli(${ms}, 'UTC'), {zone:String})`;

/** Decision order of FAST+ section 3; tier 5 comes with sharing. */
function personsSql(period: SchemePeriod): string {
  return `
  WITH
    ${LOCAL_DAY('{until:Int64} - 1')} AS today,
    spans AS (${LINK_SPANS}),
    memberships AS (${MEMBERSHIPS}),
    relations AS (
      SELECT person, max(live_from < {until:Int64} AND {until:Int64} <= live_to) AS is_related,
        max(kind = 'MEMBER' AND live_from < {until:Int64} AND {until:Int64} <= live_to) AS is_member
      FROM spans GROUP BY person
    ),
    money AS (SELECT * FROM (${MONEY}) WHERE NOT startsWith(person, 'order:')),
    orders AS (${ORDERS}),
    member_days AS (
      SELECT person, uniqExactIf(day, ${countsDay(period)}) AS days
      FROM (
        SELECT orders.person AS person, ${LOCAL_DAY('bought_ms')} AS day
        FROM orders INNER JOIN memberships ON orders.person = memberships.person
        WHERE bought_ms != 0 AND NOT is_cancelled
          AND arrayExists(
            spell -> (spell.1 <= bought_ms AND bought_ms < spell.2) OR abs(spell.1 - bought_ms) <= {tolerance:Int64},
            spells)
      )
      GROUP BY person
    ),
    purchases AS (
      SELECT person, countIf(bought_ms != 0) AS bought, minIf(bought_ms, bought_ms != 0) AS first_ms,
        max(bought_ms) AS last_ms
      FROM orders GROUP BY person
    ),
    own AS (
      SELECT person, sum(if(type = 'orderPaid', amount, -amount)) AS own_minor FROM money GROUP BY person
    ),
    known AS (
      SELECT DISTINCT person FROM gravity.touchpoints
      WHERE brand = {brand:String} AND NOT guest AND type IN ('link', 'orderPaid', 'orderRefunded')
        AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    )
  SELECT known.person AS person,
    multiIf(NOT is_related, 0, NOT is_member, 1, days = 0, 2, days = 1, 3, 4) AS tier,
    days AS purchase_days, bought AS orders, own_minor AS own_value_minor,
    nullIf(first_ms, 0) AS first_purchase, nullIf(last_ms, 0) AS last_purchase, is_member = 1 AS is_member
  FROM known
    LEFT JOIN relations ON known.person = relations.person
    LEFT JOIN member_days ON known.person = member_days.person
    LEFT JOIN purchases ON known.person = purchases.person
    LEFT JOIN own ON known.person = own.person`;
}

const TOTALS = `
  SELECT
    sumIf(amount, type = 'orderPaid') AS gmv_gross_minor,
    sumIf(amount, type = 'orderRefunded') AS refunds_minor,
    uniqExactIf((person, order_id), type = 'orderPaid') AS orders,
    uniqExactIf(person, type = 'orderPaid' AND startsWith(person, 'order:')) AS guests
  FROM (${MONEY})`;

/** A full recount of a long history may take this long. */
const TIMEOUT_MS = 300_000;

function paramsOf({ brand, scheme, at }: OracleQuery): Params {
  const { period } = scheme;
  return {
    ...{ brand, until: at, zone: scheme.zone, tolerance: scheme.joinToleranceMs },
    zeroCounts: scheme.zeroOrderCounts ? 1 : 0,
    days: period.kind === 'rolling' ? period.days : 0,
    first: 'from' in period ? period.from : '',
    end: 'to' in period ? period.to : '',
  };
}

const PERSON = rowOf({
  person: text,
  tier: integer,
  purchase_days: integer,
  orders: integer,
  own_value_minor: integer,
  first_purchase: integerOrNull,
  last_purchase: integerOrNull,
  is_member: flag,
});

/** Everybody with a link, a payment or a refund before `at`, in the order of ids; guests are never persons. */
export async function oraclePersons(
  clickhouse: ClickHouse,
  query: OracleQuery,
): Promise<readonly OraclePerson[]> {
  return clickhouse.query({
    sql: `${personsSql(query.scheme.period)} ORDER BY person`,
    params: paramsOf(query),
    timeoutMs: TIMEOUT_MS,
    row: PERSON,
  });
}

/** Tier stocks and money of the brand. */
export async function oracleTotals(clickhouse: ClickHouse, query: OracleQuery): Promise<OracleTotals> {
  const [tiers, [money]] = await Promise.all([
    clickhouse.query({
      sql: `SELECT tier, count() AS persons, sum(purchase_days) AS days FROM (${personsSql(query.scheme.period)}) GROUP BY tier`,
      params: paramsOf(query),
      timeoutMs: TIMEOUT_MS,
      row: rowOf({ tier: integer, persons: integer, days: integer }),
    }),
    clickhouse.query({
      sql: TOTALS,
      params: paramsOf(query),
      timeoutMs: TIMEOUT_MS,
      row: rowOf({ gmv_gross_minor: integer, refunds_minor: integer, orders: integer, guests: integer }),
    }),
  ]);
  if (money === undefined) throw new Error('an aggregate without a row');
  return {
    ...money,
    tiers: [0, 1, 2, 3, 4, 5].map((tier) => tiers.find((row) => row.tier === tier)?.persons ?? 0),
    persons: tiers.reduce((total, { persons }) => total + persons, 0),
    member_purchase_days: tiers.reduce((total, { days }) => total + days, 0),
  };
}

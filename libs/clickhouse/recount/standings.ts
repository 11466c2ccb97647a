/**
 * How the persons of a brand stood under a scheme at the close of one local day, from the raw facts, by partition:
 * stocks of tiers, and whose relation has deepened. Sets and sorts of SQL; of the fold it has the definitions only.
 */
import { type Scheme } from '#domain';
import { type ClickHouse } from '../clickhouse.js';
import { ALL_FACTS, FOREVER, linkSpans, MEMBERSHIPS, moneyOf } from '../queries/facts-sql.js';
import { integer, rowOf } from '../row-reader.js';
import { type StandingCounts } from './period-counts.js';
import { schemeDays } from './scheme-days.js';

export interface StandingsQuery {
  readonly brand: string;
  readonly scheme: Scheme;
  /** Local date `YYYY-MM-DD`, and the first instant of the one after it, ms. */
  readonly day: string;
  readonly close: number;
  /** How long after its payment a refund can still cancel an order. */
  readonly refundHorizonMs: number;
  /** Default: all there are. */
  readonly facts?: string;
}

const TIMEOUT_MS = 600_000;

const localDay = (ms: string): string => `toDate32(fromUnixTimestamp64Milli(${ms}, 'UTC'), {zone:String})`;
const startOf = (day: string): string =>
  `toUnixTimestamp64Milli(toDateTime64(concat(${day}, ' 00:00:00'), 3, {zone:String}))`;

/** An order of an array of (bought_ms, day, lines, refunds): nothing of it stands at `t`. Section 8 rows 8, 9 and 30. */
const isCancelled = (order: string, t: string): string => {
  const [lines, refunds] = [`${order}.3`, `${order}.4`];
  const come = `refund.2 <= ${t}`;
  const paid = `arraySum(line -> if(line.2 <= ${t}, line.3, 0), ${lines})`;
  return `(arrayExists(refund -> ${come}, ${refunds}) AND (
    arrayExists(refund -> ${come} AND refund.4 AND refund.1 = '', ${refunds})
    OR (${paid} > 0 AND arraySum(refund -> if(${come}, refund.3, 0), ${refunds}) >= ${paid})
    OR NOT arrayExists(line -> line.2 <= ${t}
        AND NOT arrayExists(refund -> ${come} AND refund.4 AND refund.1 = line.1, ${refunds})
        AND (line.3 = 0 OR
          arraySum(refund -> if(${come} AND refund.1 = line.1 AND refund.1 != '', refund.3, 0), ${refunds}) < line.3),
      ${lines})))`;
};

/** Decision order of FAST+ section 3 at `t`, by purchases on the days [from, to); tier 5 comes with sharing. */
const tierAt = (t: string, from: string, to: string): string => `multiIf(
  NOT arrayExists(live -> live.1 <= ${t} AND ${t} < live.2, lives), 0,
  NOT arrayExists(spell -> spell.1 <= ${t} AND ${t} < spell.2, spells), 1,
  2 + least(2, length(arrayDistinct(arrayMap(order -> order.2, arrayFilter(
    order -> order.1 <= ${t} AND order.2 >= ${from} AND order.2 < ${to} AND NOT ${isCancelled('order', t)}, bought))))))`;

/** The days that make the tier at an instant of the period. */
function daysAt({ period }: Scheme, t: string): readonly [from: string, to: string] {
  const day = localDay(t);
  switch (period.kind) {
    case 'rolling':
      return [`addDays(${day}, 1 - {days:Int32})`, `addDays(${day}, 1)`];
    case 'calendarMonth':
      return [`toStartOfMonth(${day})`, `addMonths(toStartOfMonth(${day}), 1)`];
    case 'span':
    case 'campaign':
      return ['toDate32({start:String})', 'toDate32({end:String})'];
  }
}

/** person, home, since (its first relation), lives, spells (of membership), bought (by members): arrays in any order. */
const people = (facts: string): string => `
    spans AS (${linkSpans('partition', facts)}),
    memberships AS (${MEMBERSHIPS}),
    links AS (
      SELECT person, any(extra) AS home, min(live_from) AS since, groupArray((live_from, live_to)) AS lives
      FROM spans GROUP BY person
    ),
    orders AS (
      SELECT person, order_id,
        groupArrayIf((line_id, at_ms, toInt64(amount)), type = 'orderPaid') AS lines,
        if(empty(lines), ${FOREVER}, arrayMin(line -> line.2, lines)) AS paid_ms,
        arrayFilter(refund -> refund.2 >= paid_ms AND refund.2 - paid_ms < {horizon:Int64},
          groupArrayIf((line_id, at_ms, toInt64(amount), is_whole), type = 'orderRefunded')) AS refunds,
        arrayFilter(line -> line.3 > 0 OR {zeroCounts:UInt8}, lines) AS counting,
        if(empty(counting), 0, arrayMin(line -> line.2, counting)) AS bought_ms
      FROM (${moneyOf(facts)}) WHERE order_id != '' AND NOT startsWith(person, 'order:')
      GROUP BY person, order_id
    ),
    purchases AS (
      SELECT orders.person AS person, groupArray((bought_ms, ${localDay('bought_ms')}, lines, refunds)) AS bought
      FROM orders INNER JOIN memberships ON orders.person = memberships.person
      WHERE bought_ms != 0 AND arrayExists(
        spell -> (spell.1 <= bought_ms AND bought_ms < spell.2) OR abs(spell.1 - bought_ms) <= {tolerance:Int64},
        spells)
      GROUP BY person
    ),
    related AS (
      SELECT links.person AS person, home, since, lives, spells, bought
      FROM links
        LEFT JOIN memberships ON links.person = memberships.person
        LEFT JOIN purchases ON links.person = purchases.person
    )`;

/**
 * A tier can only rise where the period begins, a link is switched on, something is bought, or a line paid later
 * opens an order again: at all these instants somebody is asked for his tier (FAST+ section 8 rows 3b, 4 and 5).
 */
const INSTANTS = `arrayDistinct(arrayFilter(instant -> instant >= start_ms AND instant <= up_to_ms, arrayConcat(
  [start_ms, up_to_ms],
  arrayMap(live -> live.1, lives),
  arrayMap(order -> order.1, bought),
  arrayFlatten(arrayMap(order -> if(empty(order.4), emptyArrayInt64(), arrayMap(line -> line.2, order.3)), bought)))))`;

function standingsSql(scheme: Scheme, facts: string): string {
  const at = daysAt(scheme, 'moment');
  const began = daysAt(scheme, 'since');
  const upTo = `if({end:String} = '', {close:Int64} - 1, least({close:Int64}, ${startOf('{end:String}')}) - 1)`;
  return `
  WITH
    assumeNotNull(${startOf('{start:String}')}) AS start_ms,
    assumeNotNull(${upTo}) AS up_to_ms,
    ${people(facts)},
    known AS (
      SELECT person, argMax(partition, version) AS own FROM ${facts}
      WHERE brand = {brand:String} AND NOT guest AND type IN ('link', 'orderPaid', 'orderRefunded')
        AND NOT startsWith(person, 'order:') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
      GROUP BY person
    ),
    stood AS (
      SELECT person, since,
        ${tierAt('({close:Int64} - 1)', 'toDate32({from:String})', 'toDate32({to:String})')} AS stands,
        ${tierAt('(start_ms - 1)', 'toDate32({baseFrom:String})', 'toDate32({start:String})')} AS base,
        multiIf(base > 0, base, since < start_ms, 1, ${tierAt('since', ...began)}) AS came_from,
        arrayMax(arrayMap(moment -> ${tierAt('moment', ...at)}, ${INSTANTS})) AS rose
      FROM related
    ),
    standing AS (
      SELECT person, stands, base, since <= up_to_ms AND rose > came_from AS has_deepened FROM stood
    )
  SELECT own AS home, ${[0, 1, 2, 3, 4, 5].map((tier) => `countIf(stands = ${tier}) AS tier_${tier}`).join(', ')},
    countIf(has_deepened) AS deepened, countIf(has_deepened AND base > 0) AS deepened_cohort
  FROM known LEFT JOIN standing ON known.person = standing.person
  GROUP BY home`;
}

const READ = rowOf({
  ...{ home: integer, tier_0: integer, tier_1: integer, tier_2: integer },
  ...{ tier_3: integer, tier_4: integer, tier_5: integer, deepened: integer, deepened_cohort: integer },
});

/** By partition. */
export async function standingsAt(
  clickhouse: ClickHouse,
  { brand, scheme, day, close, refundHorizonMs, facts = ALL_FACTS }: StandingsQuery,
): Promise<ReadonlyMap<number, StandingCounts>> {
  const { period } = scheme;
  const { end, ...days } = schemeDays(scheme, day);
  const rows = await clickhouse.query({
    sql: standingsSql(scheme, facts),
    params: {
      ...{ brand, close, until: close, zone: scheme.zone, tolerance: scheme.joinToleranceMs },
      ...{ ...days, end: end ?? '', horizon: refundHorizonMs, zeroCounts: scheme.zeroOrderCounts ? 1 : 0 },
      days: period.kind === 'rolling' ? period.days : 0,
    },
    timeoutMs: TIMEOUT_MS,
    row: READ,
  });
  return new Map(rows.map(({ home, ...counts }) => [home, counts]));
}

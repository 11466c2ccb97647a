/**
 * How the persons of a brand stood under a scheme at the close of local days, from the raw facts, by partition:
 * stocks of tiers, and whose relation has deepened. Sets and sorts of SQL; of the fold it has the definitions only.
 */
import type { Scheme } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { ALL_FACTS, FOREVER, linkSpans, MEMBERSHIPS, moneyOf } from '../queries/facts-sql.js';
import { integer, rowOf, text } from '../row-reader.js';
import type { StandingCounts } from './period-counts.js';
import { schemeDays, type ClosedDay } from './scheme-days.js';

export interface StandingsQuery {
  readonly brand: string;
  readonly scheme: Scheme;
  /** At least one; together as many as one query may take (`daysAtOnce`). */
  readonly days: readonly ClosedDay[];
  /** How long after its payment a refund can still cancel an order. */
  readonly refundHorizonMs: number;
  /** Default: all there are. */
  readonly facts?: string;
}

const TIMEOUT_MS = 600_000;

/** A query holds every person once for each of its days. */
const PERSON_DAYS_MAX = 500_000;
const DAYS_MAX = 31;

/** How many days may be recounted in one go: a query takes longer to be understood than to count a few days. */
export function daysAtOnce(persons: number): number {
  return Math.max(1, Math.min(DAYS_MAX, Math.floor(PERSON_DAYS_MAX / Math.max(1, persons))));
}

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
      return [`addDays(${day}, 1 - {width:Int32})`, `addDays(${day}, 1)`];
    case 'calendarMonth':
      return [`toStartOfMonth(${day})`, `addMonths(toStartOfMonth(${day}), 1)`];
    case 'span':
    case 'campaign':
      return ['toDate32(starts)', 'toDate32(ends)'];
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

/** The days asked for, each with the days that count for it, and the instants of its period that lie behind its close. */
const ASKED = `
  SELECT
    arrayJoin(arrayZip({days:Array(String)}, {closes:Array(String)}, {starts:Array(String)}, {ends:Array(String)},
      {froms:Array(String)}, {tos:Array(String)}, {baseFroms:Array(String)})) AS one,
    one.1 AS day, toInt64(one.2) AS close_ms, one.3 AS starts, one.4 AS ends,
    toDate32(one.5) AS from_day, toDate32(one.6) AS to_day, toDate32(one.7) AS base_from,
    toDate32(starts) AS start_day, assumeNotNull(${startOf('starts')}) AS start_ms,
    if(ends = '', close_ms, least(close_ms, assumeNotNull(${startOf("if(ends = '', starts, ends)")}))) - 1 AS up_to_ms`;

function standingsSql(scheme: Scheme, facts: string): string {
  const at = daysAt(scheme, 'moment');
  const began = daysAt(scheme, 'since');
  return `
  WITH
    asked AS (${ASKED}),
    ${people(facts)},
    known AS (
      SELECT person, argMax(partition, version) AS own, min(toUnixTimestamp64Milli(at)) AS first_ms FROM ${facts}
      WHERE brand = {brand:String} AND NOT guest AND type IN ('link', 'orderPaid', 'orderRefunded')
        AND NOT startsWith(person, 'order:') AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
      GROUP BY person
    ),
    counted AS (SELECT person, own, day FROM known CROSS JOIN asked WHERE first_ms < close_ms),
    stood AS (
      SELECT person, day, since, up_to_ms,
        ${tierAt('(close_ms - 1)', 'from_day', 'to_day')} AS stands,
        ${tierAt('(start_ms - 1)', 'base_from', 'start_day')} AS base,
        multiIf(base > 0, base, since < start_ms, 1, ${tierAt('since', ...began)}) AS came_from,
        arrayMax(arrayMap(moment -> ${tierAt('moment', ...at)}, ${INSTANTS})) AS rose
      FROM related CROSS JOIN asked
    ),
    standing AS (
      SELECT person, day, stands, base, since <= up_to_ms AND rose > came_from AS has_deepened FROM stood
    )
  SELECT counted.day AS on_day, own AS home,
    ${[0, 1, 2, 3, 4, 5].map((tier) => `countIf(stands = ${tier}) AS tier_${tier}`).join(', ')},
    countIf(has_deepened) AS deepened, countIf(has_deepened AND base > 0) AS deepened_cohort
  FROM counted LEFT JOIN standing ON counted.person = standing.person AND counted.day = standing.day
  GROUP BY on_day, home`;
}

const READ = rowOf({
  ...{ on_day: text, home: integer, tier_0: integer, tier_1: integer, tier_2: integer },
  ...{ tier_3: integer, tier_4: integer, tier_5: integer, deepened: integer, deepened_cohort: integer },
});

/** By day, all of them, then by partition. */
export async function standingsAt(
  clickhouse: ClickHouse,
  { brand, scheme, days, refundHorizonMs, facts = ALL_FACTS }: StandingsQuery,
): Promise<ReadonlyMap<string, ReadonlyMap<number, StandingCounts>>> {
  const { period } = scheme;
  const asked = days.map(({ day, close }) => ({ day, close, ...schemeDays(scheme, day) }));
  const rows = await clickhouse.query({
    sql: standingsSql(scheme, facts),
    params: {
      ...{ brand, until: Math.max(...days.map(({ close }) => close)), zone: scheme.zone },
      days: asked.map(({ day }) => day),
      closes: asked.map(({ close }) => String(close)),
      starts: asked.map(({ start }) => start),
      ends: asked.map(({ end }) => end ?? ''),
      froms: asked.map(({ from }) => from),
      tos: asked.map(({ to }) => to),
      baseFroms: asked.map(({ baseFrom }) => baseFrom),
      ...{ tolerance: scheme.joinToleranceMs, horizon: refundHorizonMs },
      ...{ zeroCounts: scheme.zeroOrderCounts ? 1 : 0, width: period.kind === 'rolling' ? period.days : 0 },
    },
    timeoutMs: TIMEOUT_MS,
    row: READ,
  });
  const byDay = new Map(days.map(({ day }) => [day, new Map<number, StandingCounts>()]));
  for (const { on_day: day, home, ...counts } of rows) byDay.get(day)?.set(home, counts);
  return byDay;
}

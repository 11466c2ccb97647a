/**
 * The figures of many window ends from the raw facts, by partition and channel: what rows hold. Same definitions as
 * `windowFiguresFromFacts`, which counts one end; here each fact is laid on the ends that it covers.
 */
import { ALL_CHANNELS, type WindowSpec } from '#domain';
import type { ClickHouse, Params } from '../clickhouse.js';
import { ALL_FACTS, linkSpans, moneyOf, reachWords } from '../queries/facts-sql.js';
import { NO_COUNTS, type WindowCounts } from '../queries/window-counts.js';
import { integer, rowOf, text } from '../row-reader.js';

export interface EndsToRecount {
  readonly brand: string;
  readonly window: Pick<WindowSpec, 'widthMs' | 'slideMs'>;
  /** First end, ms, a multiple of the slide; and how many. */
  readonly first: number;
  readonly ends: number;
  /** Default: all there are. */
  readonly facts?: string;
}

export interface RecountedEnd {
  /** `all` for all. */
  readonly channel: string;
  readonly partition: number;
  /** ms */
  readonly end: number;
  readonly counts: WindowCounts;
}

/** Of a brand with many persons the lists of ends get long; a query may take a while. */
const TIMEOUT_MS = 600_000;

/** Number of the slide that holds an instant: the first end after it is one slide later. */
const slideOf = (ms: string): string => `toInt64(floor((${ms}) / {slide:Int64}))`;
/** The ends asked for, numbered by the slide they close, within [from, to). */
const endsWithin = (from: string, to: string): string =>
  `range(greatest(${from}, {first:Int64}), least(${to}, {stop:Int64}))`;
/** Those whose window holds the instant. */
const endsOf = (ms: string): string => endsWithin(slideOf(ms), `${slideOf(ms)} + {n:Int64}`);
/** Those just before which something held from one instant to another. */
const endsBetween = (from: string, to: string): string => endsWithin(slideOf(from), slideOf(to));
const LINES = `arrayJoin([channel, '${ALL_CHANNELS}'])`;
const PLACE = 'line, home, slide_no';

/** FAST+ section 4 and section 8 row 21, as in `windowFiguresFromFacts`. */
const presence = (facts: string): string => `
  WITH
    related AS (
      SELECT person,
        groupUniqArrayArray(${endsWithin(slideOf('live_from'), `${slideOf('live_to - 1')} + {n:Int64}`)}) AS related
      FROM (${linkSpans('0', facts)}) GROUP BY person
    ),
    events AS (
      SELECT person, argMax(partition, version) AS home,
        argMin((toUnixTimestamp64Milli(at), channel, type != 'visit', actor), (at, content_hash)) AS event
      FROM ${facts}
      WHERE brand = {brand:String} AND NOT guest AND type != 'note'
        AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        AND identity IN (
          SELECT identity FROM gravity.touchpoints
          WHERE brand = {brand:String} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
            AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        )
      GROUP BY person, event_id
      HAVING event.1 >= {from:Int64} AND event.4 = ''
    ),
    present AS (
      SELECT person, line, any(home) AS home, groupUniqArrayArray(ends) AS came,
        groupUniqArrayArrayIf(ends, is_active) AS acted
      FROM (
        SELECT person, home, event.3 AS is_active, event.2 AS channel, ${LINES} AS line, ${endsOf('event.1')} AS ends
        FROM events
      )
      GROUP BY person, line
    )
  SELECT ${PLACE}, countIf(of = 0) AS visitors, countIf(of = 1) AS active, countIf(of = 2) AS active_related,
    countIf(of = 3) AS visitors_related
  FROM (
    SELECT line, home, arrayJoin(arrayConcat(
      arrayMap(e -> (e, 0), came), arrayMap(e -> (e, 1), acted),
      arrayMap(e -> (e, 2), arrayIntersect(acted, related)), arrayMap(e -> (e, 3), arrayIntersect(came, related))
    )) AS counted, counted.1 AS slide_no, counted.2 AS of
    FROM present LEFT JOIN related USING person
  )
  GROUP BY ${PLACE}`;

/** FAST+ Capital, and section 8 row 22: a word on messages holds until the next one in its channel. */
const capital = (facts: string): string => `
  WITH
    silences AS (
      SELECT person, channel, groupUniqArrayArray(${endsBetween('at_ms', 'next_ms')}) AS declined
      FROM (
        SELECT person, word.2 AS channel, word.1 AS at_ms, word.3 AS is_welcome,
          leadInFrame(word.1, 1, 9223372036854775807) OVER (
            PARTITION BY person, word.2 ORDER BY word.1, event_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
          ) AS next_ms
        FROM (${reachWords(facts)})
      )
      WHERE NOT is_welcome GROUP BY person, channel
    ),
    linked AS (
      SELECT person, line, any(home) AS home, groupUniqArrayArray(live) AS live,
        groupUniqArrayArray(reach) AS reach
      FROM (
        SELECT person, toUInt16(extra) AS home, channel, ${LINES} AS line,
          ${endsBetween('live_from', 'live_to')} AS live,
          if(empty(declined), live, arrayFilter(e -> NOT has(declined, e), live)) AS reach
        FROM (${linkSpans('partition', facts)}) AS spans LEFT JOIN silences USING (person, channel)
      )
      GROUP BY person, line
    )
  SELECT ${PLACE}, countIf(of = 0) AS capital, countIf(of = 1) AS capital_reachable
  FROM (
    SELECT line, home, arrayJoin(arrayConcat(arrayMap(e -> (e, 0), live), arrayMap(e -> (e, 1), reach))) AS counted,
      counted.1 AS slide_no, counted.2 AS of
    FROM linked
  )
  GROUP BY ${PLACE}`;

const orders = (facts: string): string => `
  SELECT person, any(home) AS home, min(at_ms) AS first_ms, argMin(money_channel, (at_ms, hash, line_id)) AS channel
  FROM (${moneyOf(facts)}) WHERE type = 'orderPaid'
  GROUP BY person, order_id`;

/** Amounts count when and where they were paid; an order counts once, with its first line. */
const moneyCounts = (facts: string): string => `
  SELECT ${PLACE}, sum(is_order) AS orders, sum(gross) AS gmv_gross_minor, sum(refund) AS refunds_minor
  FROM (
    SELECT home, ${LINES} AS line, arrayJoin(${endsOf('ms')}) AS slide_no, is_order, gross, refund
    FROM (
      SELECT home, money_channel AS channel, at_ms AS ms, 0 AS is_order, if(type = 'orderPaid', amount, 0) AS gross,
        if(type = 'orderPaid', 0, amount) AS refund
      FROM (${moneyOf(facts)}) WHERE at_ms >= {from:Int64}
      UNION ALL
      SELECT home, channel, first_ms AS ms, 1 AS is_order, 0 AS gross, 0 AS refund
      FROM (${orders(facts)}) WHERE first_ms >= {from:Int64}
    )
  )
  GROUP BY ${PLACE}`;

/** Guests have orders, but are no buyers. */
const buyers = (facts: string): string => `
  SELECT ${PLACE}, count() AS buyers
  FROM (
    SELECT line, home, arrayJoin(groupUniqArrayArray(ends)) AS slide_no
    FROM (
      SELECT person, home, ${LINES} AS line, ${endsOf('first_ms')} AS ends
      FROM (${orders(facts)}) WHERE first_ms >= {from:Int64} AND NOT startsWith(person, 'order:')
    )
    GROUP BY person, line, home
  )
  GROUP BY ${PLACE}`;

const PLACE_READERS = { line: text, home: integer, slide_no: integer };
type Placed = Partial<WindowCounts> & {
  readonly line: string;
  readonly home: number;
  readonly slide_no: number;
};

const READERS = [
  {
    sql: presence,
    row: rowOf({
      ...PLACE_READERS,
      ...{ visitors: integer, active: integer, active_related: integer, visitors_related: integer },
    }),
  },
  { sql: capital, row: rowOf({ ...PLACE_READERS, capital: integer, capital_reachable: integer }) },
  {
    sql: moneyCounts,
    row: rowOf({ ...PLACE_READERS, orders: integer, gmv_gross_minor: integer, refunds_minor: integer }),
  },
  { sql: buyers, row: rowOf({ ...PLACE_READERS, buyers: integer }) },
] as const;

/** Only what is not zero. One query after another: each may need much memory. */
export async function recountWindows(
  clickhouse: ClickHouse,
  { brand, window: { widthMs, slideMs }, first, ends, facts = ALL_FACTS }: EndsToRecount,
): Promise<readonly RecountedEnd[]> {
  const firstNo = first / slideMs - 1;
  const params: Params = {
    ...{ brand, slide: slideMs, n: widthMs / slideMs, first: firstNo, stop: firstNo + ends },
    ...{ from: first - widthMs, until: first + (ends - 1) * slideMs },
  };
  const found = new Map<string, RecountedEnd>();
  for (const { sql, row } of READERS) {
    const rows: readonly Placed[] = await clickhouse.query<Placed>({
      ...{ sql: sql(facts), params, row, timeoutMs: TIMEOUT_MS },
    });
    for (const { line: channel, home: partition, slide_no: slideNo, ...counts } of rows) {
      const end = (slideNo + 1) * slideMs;
      const key = `${partition} ${end} ${channel}`;
      const before = found.get(key)?.counts ?? NO_COUNTS;
      found.set(key, { channel, partition, end, counts: { ...before, ...counts } });
    }
  }
  // A line of zeros (a payment of nothing, say) is as no line.
  return [...found.values()];
}

/**
 * The figures of one window end counted from the raw facts, for ends that have no row (any instant, any width)
 * and to hold the live figures against.
 */
import { ALL_CHANNELS } from '#domain';
import type { ClickHouse, Params } from '../clickhouse.js';
import { integer, rowOf } from '../row-reader.js';
import { ALL_FACTS, declined, linkSpans, moneyOf } from './facts-sql.js';
import { factsInTime, type RowsInTime } from './facts-in-time.js';
import type { WindowCounts } from './window-counts.js';

export interface FactsWindow {
  readonly brand: string;
  /** Default: all. */
  readonly channel?: string;
  readonly widthMs: number;
  /** End instant T of [T − W, T), ms. */
  readonly at: number;
  /** Without what came too late for these rows; absent: with all there is. */
  readonly inTime?: RowsInTime;
}

const HERE = `({channel:String} = '${ALL_CHANNELS}' OR channel = {channel:String})`;

/**
 * FAST+ section 4: every event of a person but a note is a visit, and every one but a visit is active; guests,
 * staff and bots are neither. Related (section 8 row 21): a link, of any channel, was live at some instant of the window.
 */
const presenceSql = (facts: string): string => `
  WITH
    related AS (
      SELECT person FROM (${linkSpans('0', facts)})
      WHERE live_from < {until:Int64} AND live_to > {from:Int64}
    ),
    present AS (
      SELECT person, argMin((channel, type != 'visit', actor), (at, content_hash)) AS event
      FROM ${facts}
      WHERE brand = {brand:String} AND NOT guest AND type != 'note'
        AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        AND identity IN (
          SELECT identity FROM ${facts}
          WHERE brand = {brand:String} AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
            AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        )
      GROUP BY person, event_id
      HAVING min(at) >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    ),
    persons AS (
      SELECT person, max(event.2) AS is_active, person IN (SELECT person FROM related) AS is_related
      FROM (SELECT person, event, event.1 AS channel FROM present)
      WHERE event.3 = '' AND ${HERE}
      GROUP BY person
    )
  SELECT count() AS visitors, countIf(is_active) AS active, countIf(is_active AND is_related) AS active_related,
    countIf(is_related) AS visitors_related
  FROM persons`;

/**
 * FAST+ Capital: persons with a live link just before T; of one channel, with a link made there. Reachable (section 8
 * row 22): by one of these links, messages in its channel not being declined.
 */
const capitalSql = (facts: string): string => `
  SELECT uniqExact(person) AS capital,
    uniqExactIf(person, (person, channel) NOT IN (${declined(facts)})) AS capital_reachable
  FROM (${linkSpans('0', facts)})
  WHERE live_from < {until:Int64} AND {until:Int64} <= live_to AND ${HERE}`;

/** Amounts count when and where they were paid; an order counts once, with its first line. Guests count too, but are no buyers. */
const moneySql = (facts: string): string => `
  WITH
    money AS (SELECT *, money_channel AS channel FROM (${moneyOf(facts)})),
    orders AS (
      SELECT person, min(at_ms) AS first_ms, argMin(money_channel, (at_ms, hash, line_id)) AS channel
      FROM money WHERE type = 'orderPaid'
      GROUP BY person, order_id
    )
  SELECT
    (SELECT count() FROM orders WHERE first_ms >= {from:Int64} AND ${HERE}) AS orders,
    (
      SELECT uniqExact(person) FROM orders
      WHERE first_ms >= {from:Int64} AND NOT startsWith(person, 'order:') AND ${HERE}
    ) AS buyers,
    sumIf(amount, type = 'orderPaid') AS gmv_gross_minor,
    sumIf(amount, type = 'orderRefunded') AS refunds_minor
  FROM money WHERE at_ms >= {from:Int64} AND ${HERE}`;

export async function windowFiguresFromFacts(
  clickhouse: ClickHouse,
  window: FactsWindow,
): Promise<WindowCounts> {
  const params: Params = {
    brand: window.brand,
    channel: window.channel ?? ALL_CHANNELS,
    from: window.at - window.widthMs,
    until: window.at,
  };
  const facts = window.inTime === undefined ? ALL_FACTS : factsInTime(window.inTime);
  const [[presence], [stock], [money]] = await Promise.all([
    clickhouse.query({
      sql: presenceSql(facts),
      params,
      row: rowOf({ visitors: integer, active: integer, active_related: integer, visitors_related: integer }),
    }),
    clickhouse.query({
      sql: capitalSql(facts),
      params,
      row: rowOf({ capital: integer, capital_reachable: integer }),
    }),
    clickhouse.query({
      sql: moneySql(facts),
      params,
      row: rowOf({ orders: integer, buyers: integer, gmv_gross_minor: integer, refunds_minor: integer }),
    }),
  ]);
  if (presence === undefined || stock === undefined || money === undefined)
    throw new Error('an aggregate without a row');
  return { ...presence, ...stock, ...money };
}

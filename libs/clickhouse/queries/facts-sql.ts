/**
 * The raw facts as events: of several records with one id the one with the smallest (at, content_hash), by
 * definition before `until`. Each piece is the body of a common table expression and reads the parameters
 * `brand` and `until` (ms, exclusive).
 */

/** One row per event id of a person: the switches of links. */
const TOGGLES = `
  SELECT person, event_id,
    argMin((toUnixTimestamp64Milli(at), kind, channel, is_on), (at, content_hash)) AS toggle
  FROM gravity.touchpoints
  WHERE brand = {brand:String} AND type = 'link' AND NOT guest AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, event_id`;

/** End of a link that is still live. */
export const FOREVER = '9223372036854775807';

/**
 * person, kind, channel, live_from, live_to (ms): one row per switching on, up to the next switching off of the
 * same link (for membership: in any channel). Rows of one link may overlap; together they are its live times.
 */
export const LINK_SPANS = `
  SELECT person, kind, channel, live_from, if(next_off = 0, ${FOREVER}, next_off) AS live_to
  FROM (
    SELECT person, toggle.1 AS live_from, toggle.2 AS kind, toggle.3 AS channel, toggle.4 AS is_on,
      min(if(toggle.4, ${FOREVER}, toggle.1)) OVER (
        PARTITION BY person, toggle.2, if(toggle.2 = 'MEMBER', '', toggle.3)
        ORDER BY toggle.1, event_id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
      ) AS next_off
    FROM (${TOGGLES})
  )
  WHERE is_on AND live_to > live_from`;

/** person, channel: who has declined messages there, by the last word before `until`. */
export const DECLINED = `
  SELECT person, word.2 AS channel
  FROM (
    SELECT person, event_id,
      argMin((toUnixTimestamp64Milli(at), channel, is_on), (at, content_hash)) AS word
    FROM gravity.touchpoints
    WHERE brand = {brand:String} AND type = 'note' AND kind = 'REACH' AND NOT guest
      AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY person, event_id
  )
  GROUP BY person, channel
  HAVING NOT argMax(word.3, (word.1, event_id))`;

/** person, type, order_id, line_id, refund_id, at_ms, hash, channel, amount, is_whole (said to be the full refund). */
export const MONEY = `
  SELECT person, type, order_id, line_id, refund_id,
    argMin((toUnixTimestamp64Milli(at), content_hash, channel, amount_minor, is_full), (at, content_hash)) AS money,
    money.1 AS at_ms, money.2 AS hash, money.3 AS money_channel, money.4 AS amount, money.5 AS is_whole
  FROM gravity.touchpoints
  WHERE brand = {brand:String} AND type IN ('orderPaid', 'orderRefunded')
    AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, type, order_id, line_id, refund_id`;

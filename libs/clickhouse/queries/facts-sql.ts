/**
 * The raw facts as events: of several records with one id the one with the smallest (at, content_hash), by
 * definition before `until`. Each piece is the body of a common table expression and reads the parameters
 * `brand` and `until` (ms, exclusive).
 */

/** End of a link that is still live. */
export const FOREVER = '9223372036854775807';

/** Where all of them are. What reads them takes another source too: a part of them, with the same columns. */
export const ALL_FACTS = 'gravity.touchpoints';

/** One row per event id of a person: the switches of links, with a column more of those who switched. */
const toggles = (column: string, facts: string): string => `
  SELECT person, event_id,
    argMin((toUnixTimestamp64Milli(at), kind, channel, is_on, ${column}), (at, content_hash)) AS toggle
  FROM ${facts}
  WHERE brand = {brand:String} AND type = 'link' AND NOT guest AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, event_id`;

/** As `LINK_SPANS`, with `column` of the event that switched on as `extra`. */
export const linkSpans = (column: string, facts = ALL_FACTS): string => `
  SELECT person, kind, channel, live_from, if(next_off = 0, ${FOREVER}, next_off) AS live_to, event_id, extra
  FROM (
    SELECT person, event_id, toggle.1 AS live_from, toggle.2 AS kind, toggle.3 AS channel, toggle.4 AS is_on,
      toggle.5 AS extra,
      min(if(toggle.4, ${FOREVER}, toggle.1)) OVER (
        PARTITION BY person, toggle.2, if(toggle.2 = 'MEMBER', '', toggle.3)
        ORDER BY toggle.1, event_id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
      ) AS next_off
    FROM (${toggles(column, facts)})
  )
  WHERE is_on AND live_to > live_from`;

/**
 * person, kind, channel, live_from, live_to (ms): one row per switching on, up to the next switching off of the
 * same link (for membership: in any channel). Rows of one link may overlap; together they are its live times.
 */
export const LINK_SPANS = linkSpans('0');

/** person, spells: the live times of membership as the union of those in `spans`, [from, to] pairs in order. */
export const MEMBERSHIPS = `
  SELECT person, groupArray((start_ms, stop_ms)) AS spells
  FROM (
    SELECT person, spell, min(live_from) AS start_ms, max(live_to) AS stop_ms
    FROM (
      SELECT person, live_from, live_to, sum(begins) OVER (PARTITION BY person ORDER BY live_from, live_to) AS spell
      FROM (
        SELECT person, live_from, live_to, live_from > max(live_to) OVER (
            PARTITION BY person ORDER BY live_from, live_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
          ) AS begins
        FROM (SELECT person, live_from, live_to FROM spans WHERE kind = 'MEMBER')
      )
    )
    GROUP BY person, spell
  )
  GROUP BY person`;

/**
 * person, kind, first_channel, source, start_ms, stop_ms: the live times of each link, put together. Channel and source are
 * those of the event that it began with.
 */
export const LINK_LIVES = `
  SELECT person, kind, argMin(channel, (live_from, event_id)) AS first_channel,
    argMin(extra, (live_from, event_id)) AS source, min(live_from) AS start_ms, max(live_to) AS stop_ms
  FROM (
    SELECT *, sum(begins) OVER (PARTITION BY person, kind, line ORDER BY live_from, event_id) AS life
    FROM (
      SELECT *, if(kind = 'MEMBER', '', channel) AS line,
        live_from > max(live_to) OVER (
          PARTITION BY person, kind, if(kind = 'MEMBER', '', channel) ORDER BY live_from, event_id
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS begins
      FROM (${linkSpans('entry_source')})
    )
  )
  GROUP BY person, kind, line, life`;

/** person, event_id, word (at in ms, channel, are messages welcome): what was said about messages. */
export const reachWords = (facts = ALL_FACTS): string => `
  SELECT person, event_id,
    argMin((toUnixTimestamp64Milli(at), channel, is_on), (at, content_hash)) AS word
  FROM ${facts}
  WHERE brand = {brand:String} AND type = 'note' AND kind = 'REACH' AND NOT guest
    AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, event_id`;

/** person, channel: who has declined messages there, by the last word before `until`. */
export const declined = (facts = ALL_FACTS): string => `
  SELECT person, word.2 AS channel
  FROM (${reachWords(facts)})
  GROUP BY person, channel
  HAVING NOT argMax(word.3, (word.1, event_id))`;

/** As `MONEY`. */
export const moneyOf = (facts: string): string => `
  SELECT person, type, order_id, line_id, refund_id,
    argMin((toUnixTimestamp64Milli(at), content_hash, channel, amount_minor, is_full), (at, content_hash)) AS money,
    money.1 AS at_ms, money.2 AS hash, money.3 AS money_channel, money.4 AS amount, money.5 AS is_whole,
    argMax(partition, version) AS home
  FROM ${facts}
  WHERE brand = {brand:String} AND type IN ('orderPaid', 'orderRefunded')
    AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, type, order_id, line_id, refund_id`;

/**
 * person, type, order_id, line_id, refund_id, at_ms, hash, money_channel, amount, is_whole (said to be the full
 * refund), home (partition of the log).
 */
export const MONEY = moneyOf(ALL_FACTS);

/**
 * What is finer than brand and channel, counted from the raw facts of one window: links by kind and source, GMV by
 * the buyer's tier and relation before it, by source, and by domain.
 */
import { ALL_CHANNELS } from '#domain';
import type { ClickHouse, Params } from '../clickhouse.js';
import { integer, oneOf, rowOf, text } from '../row-reader.js';
import { LINK_LIVES, LINK_SPANS } from './facts-sql.js';
import type { FactsWindow } from './window-figures-from-facts.js';

export interface LinkFlow {
  readonly by: 'kind' | 'source';
  /** A kind of link, or an entry source; '' where that is not known. */
  readonly key: string;
  /** Links that began and that ended in the window; not persons: who follows and joins has two. */
  readonly began: number;
  readonly ended: number;
}

export interface GmvPart {
  readonly by: 'tier' | 'relation' | 'source' | 'domain';
  /**
   * Tier 0–5 just before the order · `new` (the relation began in the window), `older` or `none` · entry source, ''
   * where that is not known · `private` or `public`.
   */
  readonly key: string;
  /** Each counts once, with its first line. */
  readonly orders: number;
  readonly gmv_gross_minor: number;
}

export interface BreakdownQuery extends FactsWindow {
  /** Whose tiers. */
  readonly schemeId: string;
}

const HERE = `({channel:String} = '${ALL_CHANNELS}' OR channel = {channel:String})`;

/** A link that is moved to another channel of its kind is another link; membership is one over all channels. */
const LINK_FLOWS = `
  SELECT dimension.1 AS by, dimension.2 AS key,
    countIf(start_ms >= {from:Int64} AND start_ms < {until:Int64}) AS began,
    countIf(stop_ms >= {from:Int64} AND stop_ms < {until:Int64}) AS ended
  FROM (SELECT *, first_channel AS channel FROM (${LINK_LIVES}))
  ARRAY JOIN [('kind', kind), ('source', source)] AS dimension
  WHERE ${HERE} AND (start_ms >= {from:Int64} OR (stop_ms >= {from:Int64} AND stop_ms < {until:Int64}))
  GROUP BY by, key ORDER BY by, key`;

/** One row per line that was paid: of several records of one the smallest (at, content_hash). */
const LINES = `
  SELECT person, order_id, line_id,
    argMin((toUnixTimestamp64Milli(at), content_hash, channel, amount_minor, entry_source, public_domain),
      (at, content_hash)) AS line
  FROM gravity.touchpoints
  WHERE brand = {brand:String} AND type = 'orderPaid' AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, order_id, line_id`;

/** Lines of the window in the channel, with the instant of their order's first line. */
const PAID = `
  SELECT person, line.3 AS channel, line.4 AS amount, line.5 AS source, line.6 AS is_public, first_ms,
    (line.1, line.2, line_id) = first_line AS is_first
  FROM (
    SELECT *, min((line.1, line.2, line_id)) OVER (PARTITION BY person, order_id) AS first_line,
      first_line.1 AS first_ms
    FROM (${LINES})
  )
  WHERE line.1 >= {from:Int64} AND ${HERE}`;

/** Where the published changes had led by an instant; the newest of those of one instant. */
const TIERS = `
  SELECT person, toUnixTimestamp64Milli(effective_at) AS tier_ms, argMax(to_tier, version) AS tier
  FROM gravity.tier_changes
  WHERE brand = {brand:String} AND scheme_id = {schemeId:String}
    AND effective_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  GROUP BY person, effective_at`;

/** The live times of the relation, all links together. */
const RELATIONS = `
  SELECT person, min(live_from) AS start_ms, max(live_to) AS stop_ms
  FROM (
    SELECT person, live_from, live_to, sum(begins) OVER (PARTITION BY person ORDER BY live_from, live_to) AS life
    FROM (
      SELECT person, live_from, live_to, live_from > max(live_to) OVER (
          PARTITION BY person ORDER BY live_from, live_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS begins
      FROM (${LINK_SPANS})
    )
  )
  GROUP BY person, life`;

/** FAST+ section 8 row 29: the tier before the order, else it would be what the order has made it. */
const GMV_PARTS = `
  WITH
    tiered AS (
      SELECT paid.person AS person, amount, source, is_public, is_first, first_ms, tier
      FROM (${PAID}) AS paid ASOF LEFT JOIN (${TIERS}) AS tiers
        ON paid.person = tiers.person AND paid.first_ms > tiers.tier_ms
    ),
    related AS (
      SELECT amount, source, is_public, is_first, tier,
        multiIf(stop_ms <= first_ms, 'none', start_ms >= {from:Int64}, 'new', 'older') AS relation
      FROM tiered ASOF LEFT JOIN (${RELATIONS}) AS relations
        ON tiered.person = relations.person AND tiered.first_ms >= relations.start_ms
    )
  SELECT dimension.1 AS by, dimension.2 AS key, countIf(is_first) AS orders, sum(amount) AS gmv_gross_minor
  FROM related
  ARRAY JOIN [
    ('tier', toString(tier)), ('relation', relation), ('source', source),
    ('domain', if(is_public, 'public', 'private'))
  ] AS dimension
  GROUP BY by, key ORDER BY by, key`;

/** In the order of `by` and key; keys without any link are left out. */
export function linkFlows(clickhouse: ClickHouse, window: FactsWindow): Promise<readonly LinkFlow[]> {
  return clickhouse.query({
    sql: LINK_FLOWS,
    params: paramsOf(window),
    row: rowOf({ by: oneOf(['kind', 'source']), key: text, began: integer, ended: integer }),
  });
}

/** In the order of `by` and key; the parts of each `by` add up to the GMV and orders of the window. */
export function gmvParts(clickhouse: ClickHouse, query: BreakdownQuery): Promise<readonly GmvPart[]> {
  return clickhouse.query({
    sql: GMV_PARTS,
    params: { ...paramsOf(query), schemeId: query.schemeId },
    row: rowOf({
      by: oneOf(['tier', 'relation', 'source', 'domain']),
      key: text,
      orders: integer,
      gmv_gross_minor: integer,
    }),
  });
}

function paramsOf({ brand, channel = ALL_CHANNELS, widthMs, at }: FactsWindow): Params {
  return { brand, channel, from: at - widthMs, until: at };
}

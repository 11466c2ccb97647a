/** Capital and what happened on every local day, from the raw facts, by partition and channel. */
import { ALL_CHANNELS } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { ALL_FACTS, FOREVER, linkSpans, moneyOf } from '../queries/facts-sql.js';
import { integer, rowOf, text } from '../row-reader.js';
import type { FlowCounts } from './period-counts.js';

export interface DayFlowsQuery {
  readonly brand: string;
  readonly zone: string;
  /** Facts before this instant, ms. */
  readonly until: number;
  /** Default: all there are. */
  readonly facts?: string;
}

type Moved = Omit<FlowCounts, 'capital' | 'capital_base'>;

const TIMEOUT_MS = 600_000;
const LINES = `arrayJoin([channel, '${ALL_CHANNELS}'])`;
const localDay = (ms: string): string =>
  `toString(toDate32(fromUnixTimestamp64Milli(${ms}, 'UTC'), {zone:String}))`;

/** FAST+ Capital: who has a link in the channel, whichever; of `all`, anywhere. */
const relations = (facts: string): string => `
  SELECT line, home, day, sum(began) AS new_relations, sum(ended) AS lost_relations
  FROM (
    SELECT line, home, arrayJoin([(start_ms, 1, 0), (stop_ms, 0, 1)]) AS moment, ${localDay('moment.1')} AS day,
      moment.2 AS began, moment.3 AS ended
    FROM (
      SELECT person, line, any(extra) AS home, min(live_from) AS start_ms, max(live_to) AS stop_ms
      FROM (
        SELECT *, sum(begins) OVER (PARTITION BY person, line ORDER BY live_from, live_to) AS spell
        FROM (
          SELECT person, line, extra, live_from, live_to, live_from > max(live_to) OVER (
              PARTITION BY person, line ORDER BY live_from, live_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS begins
          FROM (SELECT person, extra, live_from, live_to, ${LINES} AS line FROM (${linkSpans('partition', facts)}))
        )
      )
      GROUP BY person, line, spell
    )
    WHERE moment.1 != ${FOREVER}
  )
  GROUP BY line, home, day`;

/** Amounts count on the day of their payment or refund; an order counts once, with its first line. */
const money = (facts: string): string => `
  SELECT line, home, day, sum(is_order) AS orders, sum(gross) AS gmv_gross_minor, sum(refund) AS refunds_minor
  FROM (
    SELECT ${LINES} AS line, home, ${localDay('ms')} AS day, is_order, gross, refund
    FROM (
      SELECT home, money_channel AS channel, at_ms AS ms, 0 AS is_order, if(type = 'orderPaid', amount, 0) AS gross,
        if(type = 'orderPaid', 0, amount) AS refund
      FROM (${moneyOf(facts)})
      UNION ALL
      SELECT any(home) AS home, argMin(money_channel, (at_ms, hash, line_id)) AS channel, min(at_ms) AS ms,
        1 AS is_order, 0 AS gross, 0 AS refund
      FROM (${moneyOf(facts)}) WHERE type = 'orderPaid'
      GROUP BY person, order_id
    )
  )
  GROUP BY line, home, day`;

const PLACE = { line: text, home: integer, day: text };
const READ_RELATIONS = rowOf({ ...PLACE, new_relations: integer, lost_relations: integer });
const READ_MONEY = rowOf({ ...PLACE, orders: integer, gmv_gross_minor: integer, refunds_minor: integer });
const NOTHING: Moved = {
  ...{ new_relations: 0, lost_relations: 0, orders: 0, gmv_gross_minor: 0, refunds_minor: 0 },
};

export interface FlowPlace {
  readonly partition: number;
  /** `all` for all. */
  readonly channel: string;
}

export class DayFlows {
  private constructor(
    /** By place, in the order of the days. */
    private readonly lines: ReadonlyMap<string, readonly (readonly [day: string, moved: Moved])[]>,
    readonly places: readonly FlowPlace[],
  ) {}

  static async count(
    clickhouse: ClickHouse,
    { facts = ALL_FACTS, ...params }: DayFlowsQuery,
  ): Promise<DayFlows> {
    const found = new Map<string, Map<string, Moved>>();
    const places = new Map<string, FlowPlace>();
    const ask = { params, timeoutMs: TIMEOUT_MS };
    const rows = [
      ...(await clickhouse.query({ ...ask, sql: relations(facts), row: READ_RELATIONS })),
      ...(await clickhouse.query({ ...ask, sql: money(facts), row: READ_MONEY })),
    ];
    for (const { line: channel, home: partition, day, ...moved } of rows) {
      const key = keyOf({ partition, channel });
      places.set(key, { partition, channel });
      const days = found.get(key) ?? new Map<string, Moved>();
      days.set(day, { ...(days.get(day) ?? NOTHING), ...moved });
      found.set(key, days);
    }
    const lines = [...found].map(([key, days]): [string, (readonly [string, Moved])[]] => [
      key,
      [...days].sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
    return new DayFlows(new Map(lines), [...places.values()]);
  }

  /** @param periodStart   first day of the period that `day` lies in */
  at(place: FlowPlace, day: string, periodStart: string): FlowCounts {
    const line = this.lines.get(keyOf(place)) ?? [];
    let capital = 0;
    let capitalBase = 0;
    let moved = NOTHING;
    for (const [of, one] of line) {
      if (of > day) break;
      capital += one.new_relations - one.lost_relations;
      if (of < periodStart) capitalBase = capital;
      if (of === day) moved = one;
    }
    return { capital, capital_base: capitalBase, ...moved };
  }
}

function keyOf({ partition, channel }: FlowPlace): string {
  return `${partition} ${channel}`;
}

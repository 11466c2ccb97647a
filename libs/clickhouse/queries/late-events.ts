/** The late ledger: which events missed ends of which window that were final already. */
import { ALL_CHANNELS } from '#domain';
import type { ClickHouse, Params } from '../clickhouse.js';
import { integer, rowOf, text } from '../row-reader.js';

/** Place of an entry in the order of (at, window, event, person). */
export interface LateEventCursor {
  /** Event time, ms. */
  readonly at: number;
  readonly window: string;
  readonly eventId: string;
  readonly person: string;
}

export interface StoredLateEvent extends LateEventCursor {
  readonly channel: string;
  /** ms. */
  readonly arrivedAt: number;
  /** The ends that it misses: [missedFrom, missedTo), as instants, ms. */
  readonly missedFrom: number;
  readonly missedTo: number;
}

/** Which entries are meant. */
export interface LateEventsFilter {
  readonly brand: string;
  /** Of the log: a ledger of an older one speaks of figures that are no longer shown. */
  readonly generation: number;
  /** Default: all. */
  readonly channel?: string;
  /** `5m`, `1h`, …; default: every window. */
  readonly window?: string;
  /** Event time, ms: from `from` on, before `to`. */
  readonly from?: number;
  readonly to?: number;
  /** Only those that missed this end, ms. */
  readonly missedEnd?: number;
}

export interface LateEventsQuery extends LateEventsFilter {
  /** Entries beyond this one; null or absent: from the oldest event on. */
  readonly after?: LateEventCursor | null;
  /** At most 10,000. */
  readonly limit: number;
}

const MS_MIN = Date.UTC(1900, 0, 1);
const MS_MAX = Date.UTC(2262, 0, 1);

/** No window ends there. */
const NO_END = -1;

const MEANT = `
  FROM gravity.late_events FINAL
  WHERE brand = {brand:String} AND generation = {generation:UInt32}
    AND ({channel:String} = '${ALL_CHANNELS}' OR channel = {channel:String})
    AND ({onlyWindow:String} = '' OR window = {onlyWindow:String})
    AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
    AND ({missedEnd:Int64} = ${NO_END} OR (missed_from <= fromUnixTimestamp64Milli({missedEnd:Int64}, 'UTC')
      AND missed_to > fromUnixTimestamp64Milli({missedEnd:Int64}, 'UTC')))`;

// The month of `at` never changes for an entry, so each is whole within its partition.
const SETTINGS = { do_not_merge_across_partitions_select_final: 1 };

function paramsOf(filter: LateEventsFilter): Params {
  return {
    ...{ brand: filter.brand, generation: filter.generation },
    ...{ channel: filter.channel ?? ALL_CHANNELS, onlyWindow: filter.window ?? '' },
    ...{ from: filter.from ?? MS_MIN, to: filter.to ?? MS_MAX, missedEnd: filter.missedEnd ?? NO_END },
  };
}

const ROW = rowOf({
  ...{ at: integer, window: text, eventId: text, person: text, channel: text },
  ...{ arrivedAt: integer, missedFrom: integer, missedTo: integer },
});

const PLACE = 'at, window, event_id, person';
const CURSOR = `(fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {window:String}, {event:String}, {person:String})`;

/** A page of the ledger by event time. A late event can still appear before a cursor: it is late. */
export async function lateEvents(
  clickhouse: ClickHouse,
  query: LateEventsQuery,
): Promise<readonly StoredLateEvent[]> {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > 10_000)
    throw new RangeError(`limit: expected 1 to 10000, got ${query.limit}`);
  const { after = null } = query;
  return clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(entry.1) AS at, entry.2 AS window, entry.3 AS eventId, entry.4 AS person,
        channel, toUnixTimestamp64Milli(arrived_at) AS arrivedAt,
        toUnixTimestamp64Milli(missed_from) AS missedFrom, toUnixTimestamp64Milli(missed_to) AS missedTo
      FROM (
        SELECT (${PLACE}) AS entry, channel, arrived_at, missed_from, missed_to
        ${MEANT} ${after === null ? '' : `AND (${PLACE}) > ${CURSOR}`}
        ORDER BY ${PLACE} LIMIT {limit:UInt32}
      )
      ORDER BY entry`,
    params: {
      ...paramsOf(query),
      limit: query.limit,
      ...(after === null
        ? {}
        : { at: after.at, window: after.window, event: after.eventId, person: after.person }),
    },
    settings: SETTINGS,
    row: ROW,
  });
}

/** How many entries there are. */
export async function countLateEvents(clickhouse: ClickHouse, filter: LateEventsFilter): Promise<number> {
  const [counted] = await clickhouse.query({
    sql: `SELECT count() AS entries ${MEANT}`,
    params: paramsOf(filter),
    settings: SETTINGS,
    row: rowOf({ entries: integer }),
  });
  return counted?.entries ?? 0;
}

/** Which local days make a scheme's figures, by dates alone: the fold has its own arithmetic. */
import type { Scheme } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { integer, rowOf } from '../row-reader.js';

/** One local day. */
export interface ClosedDay {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** First instant of the day after, ms. */
  readonly close: number;
}

/** Local dates `YYYY-MM-DD`; ranges are [from, to). */
export interface SchemeDays {
  /** First day of the period that the day lies in. */
  readonly start: string;
  /** First day after it; null: the period moves along with time. */
  readonly end: string | null;
  /** Whose purchases make the tier at the close of the day. */
  readonly from: string;
  readonly to: string;
  /** Whose purchases made it at the close of the period before. */
  readonly baseFrom: string;
}

const DAY_MS = 86_400_000;

/** FAST+ section 8 row 2, and the periods of `rules.ts`. */
export function schemeDays({ period }: Scheme, day: string): SchemeDays {
  switch (period.kind) {
    case 'rolling': {
      const from = addDays(day, 1 - period.days);
      const to = addDays(day, 1);
      return { start: from, end: null, from, to, baseFrom: addDays(from, -period.days) };
    }
    case 'calendarMonth': {
      const from = `${day.slice(0, 7)}-01`;
      const to = monthAfter(from);
      return { start: from, end: to, from, to, baseFrom: `${addDays(from, -1).slice(0, 7)}-01` };
    }
    case 'span': {
      const { from, to } = period;
      const baseFrom = addDays(from, -daysBetween(from, to));
      return { start: from, end: to, from, to, baseFrom };
    }
    case 'campaign': {
      const { from, to, baseFrom } = period;
      // After the close no day counts any more.
      return { start: from, end: to, from, to: day < to ? to : from, baseFrom };
    }
  }
}

/** The last day that a scheme has rows of; null: there is none. */
export function lastDayOf({ period }: Scheme): string | null {
  return period.kind === 'campaign' ? period.to : null;
}

export function addDays(day: string, days: number): string {
  return dateOf(Date.parse(day) + days * DAY_MS);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

function monthAfter(first: string): string {
  return `${addDays(first, 31).slice(0, 7)}-01`;
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

const START = rowOf({ at_ms: integer });

/** First instant of each local date, ms; `days` ascending. */
export async function dayStarts(
  clickhouse: ClickHouse,
  zone: string,
  days: readonly string[],
): Promise<readonly number[]> {
  return clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(toDateTime64(concat(day, ' 00:00:00'), 3, {zone:String})) AS at_ms
      FROM (SELECT arrayJoin({days:Array(String)}) AS day) ORDER BY day`,
    params: { zone, days },
    row: (found) => START(found).at_ms,
  });
}

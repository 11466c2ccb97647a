/** Which days of a scheme may be restated: those that the stream has left for good, and that have rows. */
import type { Scheme, WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { daySpan } from '../queries/day-rows.js';
import { partitionsReached, type PartitionReached } from '../reconcile/reached-by.js';
import type { DaysQuery } from '../recount/recount-days.js';
import { addDays, daysBetween, dayStarts, lastDayOf, type ClosedDay } from '../recount/scheme-days.js';
import { assertFacts, iso } from './ends-to-restate.js';
import { RestatementRefused } from './restatement-refused.js';

export interface ReopenedDays extends DaysQuery {
  readonly scheme: Scheme;
  /** `all` or one channel; null: all and every channel. */
  readonly channel: string | null;
  /** First and last local day `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
  /** Of the rules. */
  readonly stateLatenessMs: number;
  /** The widest window, whose late ledger goes back furthest; null: there is none. */
  readonly ledger: Pick<WindowSpec, 'id' | 'widthMs' | 'latenessMs'> | null;
  /** The scheme is as it is since this instant, ms. */
  readonly since: number;
}

export interface DaysToRestate {
  readonly generation: number;
  readonly partitions: ReadonlyMap<number, PartitionReached>;
  /** At least one. */
  readonly days: readonly ClosedDay[];
}

/** Of one go: a year and a month. */
export const DAYS_MAX = 400;

/** @throws RestatementRefused */
export async function daysToRestate(clickhouse: ClickHouse, asked: ReopenedDays): Promise<DaysToRestate> {
  const { brand, scheme, from, to } = asked;
  const count = daysBetween(from, to) + 1;
  if (count < 1) throw new RestatementRefused(`the day ${from} lies after ${to}`);
  if (count > DAYS_MAX) {
    throw new RestatementRefused(
      `${count} days are more than the ${DAYS_MAX} of one go: reopen a shorter span, such as up to ` +
        addDays(from, DAYS_MAX - 1),
    );
  }
  const span = await daySpan(clickhouse, asked);
  if (span === null) throw new RestatementRefused(`${brand} has no figures under ${scheme.id}`);
  const all = Array.from({ length: count + 1 }, (_, nth) => addDays(from, nth));
  const starts = await dayStarts(clickhouse, scheme.zone, all);
  const days = all.slice(0, -1).flatMap((day, nth): readonly ClosedDay[] => {
    const [start = 0, close = 0] = starts.slice(nth, nth + 2);
    // A date that the zone has left out is no day.
    return start < close ? [{ day, close }] : [];
  });
  const partitions = await partitionsReached(clickhouse, span.generation);
  assertFinal(asked, days, Math.min(...[...partitions.values()].map(({ reachedMs }) => reachedMs)));
  assertRows(asked, days, span.first);
  await assertFacts(clickhouse, brand, days.at(-1)?.close ?? 0);
  return { generation: span.generation, partitions, days };
}

function assertFinal(
  { scheme, stateLatenessMs }: ReopenedDays,
  days: readonly ClosedDay[],
  reachedMs: number,
): void {
  const open = days.find(({ close }) => close + stateLatenessMs > reachedMs);
  if (open === undefined) return;
  const isClosed = open.close <= reachedMs;
  throw new RestatementRefused(
    `the day ${open.day} of ${scheme.id} is ${isClosed ? 'not final yet' : 'still open'}: late events change it by ` +
      `themselves up to ${stateLatenessMs / 3_600_000} h after its close, and time has got to ${iso(reachedMs)}`,
  );
}

function assertRows({ scheme, since }: ReopenedDays, days: readonly ClosedDay[], first: string): void {
  const last = lastDayOf(scheme);
  const without = days.find(
    ({ day, close }) => day < first || close <= since || (last !== null && day > last),
  );
  if (days.length > 0 && without === undefined) return;
  throw new RestatementRefused(
    without === undefined
      ? `${scheme.id} has no such day`
      : `${scheme.id}, as it is now, has no figures of ${without.day}: the first ones are of ` +
          `${first}${last === null ? '' : `, the last ones of ${last}`}` +
          (without.close <= since ? `, and the scheme was changed at ${iso(since)}` : ''),
  );
}

/** Which ends of a window may be restated: those that the stream has left for good, and that were seen whole. */
import type { WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { firstWholeEnd, heartbeats, type Heartbeats } from '../queries/window-figures.js';
import { integer, rowOf } from '../row-reader.js';
import { RestatementRefused } from './restatement-refused.js';

export interface Reopened {
  readonly brand: string;
  /** `all` or one channel; null: all and every channel. */
  readonly channel: string | null;
  readonly window: WindowSpec;
  /** First and last end, ms, both included. */
  readonly from: number;
  readonly to: number;
}

export interface EndsToRestate {
  readonly beats: Heartbeats;
  /** ms, multiples of the slide. */
  readonly first: number;
  readonly ends: number;
}

/** Of one go: a day of a window by 10 s, a week by minutes, a year by hours. Rows of it are held in memory. */
export const ENDS_MAX = 10_000;

/** @throws RestatementRefused */
export async function endsToRestate(clickhouse: ClickHouse, asked: Reopened): Promise<EndsToRestate> {
  const { brand, window, from, to } = asked;
  const { id, slideMs, latenessMs } = window;
  const first = Math.ceil(from / slideMs) * slideMs;
  const last = Math.floor(to / slideMs) * slideMs;
  if (first > last) {
    throw new RestatementRefused(
      `no end of the window ${id} lies from ${iso(from)} to ${iso(to)}: they are ${slideMs / 1_000} s apart`,
    );
  }
  const ends = (last - first) / slideMs + 1;
  if (ends > ENDS_MAX) {
    throw new RestatementRefused(
      `${ends} ends of the window ${id} are more than the ${ENDS_MAX} of one go: reopen a shorter span, ` +
        `such as up to ${iso(first + (ENDS_MAX - 1) * slideMs)}`,
    );
  }
  const beats = await heartbeats(clickhouse, id);
  if (beats === null) throw new RestatementRefused(`no end of the window ${id} is closed yet`);
  const closed = Math.min(...beats.closed.values());
  const final = Math.floor((closed - latenessMs) / slideMs) * slideMs;
  if (last > final) {
    throw new RestatementRefused(
      `the end ${iso(last)} of the window ${id} is ${last > closed ? 'still open' : 'not final yet'}: late events ` +
        `change it by themselves up to ${latenessMs / 60_000} min after its close; the last final end is ${iso(final)}`,
    );
  }
  const whole = await firstWholeEnd(clickhouse, { window, generation: beats.generation });
  if (whole === null || first < whole) {
    throw new RestatementRefused(
      whole === null
        ? `the window ${id} has no rows`
        : `the rows of the window ${id} are whole from ${iso(whole)} on, and ${iso(first)} lies before: earlier ` +
            'instants are counted from the raw facts whenever they are asked for',
    );
  }
  await assertFacts(clickhouse, brand, last);
  return { beats, first, ends };
}

/** Without facts all figures would become 0. */
export async function assertFacts(clickhouse: ClickHouse, brand: string, until: number): Promise<void> {
  const [found] = await clickhouse.query({
    sql: `
      SELECT count() AS facts FROM gravity.touchpoints
      WHERE brand = {brand:String} AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')`,
    params: { brand, until },
    row: rowOf({ facts: integer }),
  });
  if ((found?.facts ?? 0) > 0) return;
  throw new RestatementRefused(`there are no raw facts of ${brand} before ${iso(until)}: nothing to count`);
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** Live figures of periods held against a recount of the raw facts, at closed days. */
import type { Scheme, WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { dayRows, daySpan, type StoredDay } from '../queries/day-rows.js';
import {
  addedPeriodCounts,
  FLOW_COUNTS,
  NO_PERIOD_COUNTS,
  PERIOD_COUNTS,
  type PeriodCount,
  type PeriodCounts,
} from '../recount/period-counts.js';
import { DayRecount, type DaysQuery, type RecountedDay } from '../recount/recount-days.js';
import { factsBeforeFinal } from '../recount/facts-before-final.js';
import { addDays, daysBetween, dayStarts, lastDayOf, type ClosedDay } from '../recount/scheme-days.js';
import { restatedAsOf } from '../row-version.js';
import { hasImports } from './has-imports.js';

export interface PeriodsSample {
  readonly brand: string;
  readonly scheme: Scheme;
  /** Of the rules. */
  readonly refundHorizonMs: number;
  readonly stateLatenessMs: number;
  /** The widest window, whose late ledger goes back furthest; null: there is none. */
  readonly ledger: Pick<WindowSpec, 'id' | 'widthMs' | 'latenessMs'> | null;
  /** Event time that all partitions have reached, ms. */
  readonly watermark: number;
  /** The scheme is as it is since this instant, ms; earlier days say what it was before. */
  readonly since: number;
  /** How many days at most: the newest closed one, and others spread over all there are. */
  readonly daysMax: number;
  /** In [0, 1): where the others lie. */
  readonly offset: number;
}

export interface PeriodDrift {
  readonly brand: string;
  readonly schemeId: string;
  readonly channel: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly figure: PeriodCount;
  readonly live: number;
  readonly recount: number;
}

export interface PeriodsReconciliation {
  /** Days, each of them in every channel. */
  readonly days: number;
  readonly compared: number;
  /** (day, channel) pairs that differ by what came when they were final, or was imported. */
  readonly late: number;
  readonly drifts: readonly PeriodDrift[];
}

/** @param onDay   told after each day, with how many there are */
export async function reconcilePeriods(
  clickhouse: ClickHouse,
  sample: PeriodsSample,
  onDay: (done: number, of: number) => void = () => undefined,
): Promise<PeriodsReconciliation> {
  const span = await daySpan(clickhouse, sample);
  const days = span === null ? [] : await sampledDays(clickhouse, sample, span);
  if (span === null || days.length === 0) return { days: 0, compared: 0, late: 0, drifts: [] };
  const recount = await DayRecount.of(clickhouse, sample, days);
  const drifts: PeriodDrift[] = [];
  let compared = 0;
  let late = 0;
  for (const [nth, day] of days.entries()) {
    const stored = await dayRows(clickhouse, { ...sample, generation: span.generation, day: day.day });
    const found = await differencesOn(
      clickhouse,
      { ...sample, generation: span.generation },
      day,
      stored,
      await recount.at(day.day),
    );
    compared += found.compared;
    late += found.late;
    drifts.push(...found.drifts);
    onDay(nth + 1, days.length);
  }
  return { days: days.length, compared, late, drifts };
}

/** Closed days, newest first. */
async function sampledDays(
  clickhouse: ClickHouse,
  { scheme, watermark, since, daysMax, offset }: PeriodsSample,
  span: { readonly first: string; readonly last: string },
): Promise<readonly ClosedDay[]> {
  const bound = lastDayOf(scheme) ?? span.last;
  const last = bound < span.last ? bound : span.last;
  const count = daysBetween(span.first, last) + 1;
  const all = Array.from({ length: Math.max(0, count) }, (_, nth) => addDays(span.first, nth));
  const starts = await dayStarts(clickhouse, scheme.zone, [...all, addDays(last, 1)]);
  const closed = all
    .map((day, nth) => ({ day, start: starts[nth] ?? Infinity, close: starts[nth + 1] ?? Infinity }))
    // A date that the zone has left out is no day.
    .filter(({ start, close }) => start < close && close <= watermark && close > since)
    .reverse();
  if (closed.length <= daysMax) return closed;
  const stride = (closed.length - 1) / Math.max(1, daysMax - 1);
  const places = Array.from({ length: daysMax }, (_, n) =>
    n === 0 ? 0 : Math.min(closed.length - 1, Math.floor((n - offset) * stride)),
  );
  return [...new Set(places)].flatMap((place) => closed[place] ?? []);
}

/** What the two say together, by channel. */
interface ChannelDay {
  readonly live: PeriodCounts;
  readonly all: PeriodCounts;
}

/** Of a row that differs from all raw facts, whether what came when it was final explains that. */
export async function differencesOn(
  clickhouse: ClickHouse,
  sample: DaysInTimeQuery,
  day: ClosedDay,
  stored: readonly StoredDay[],
  recounted: readonly RecountedDay[],
): Promise<Omit<PeriodsReconciliation, 'days'>> {
  const channels = new Map<string, ChannelDay>();
  const sumsOf = (channel: string): ChannelDay =>
    channels.get(channel) ?? { live: NO_PERIOD_COUNTS, all: NO_PERIOD_COUNTS };
  for (const { channel, counts } of stored) {
    const { live, all } = sumsOf(channel);
    channels.set(channel, { live: addedPeriodCounts(live, counts), all });
  }
  for (const { channel, counts } of recounted) {
    const { live, all } = sumsOf(channel);
    channels.set(channel, { live, all: addedPeriodCounts(all, counts) });
  }
  const differing = [...channels].filter(([, { live, all }]) =>
    PERIOD_COUNTS.some((of) => live[of] !== all[of]),
  );
  if (differing.length === 0) return { compared: channels.size, late: 0, drifts: [] };
  const inTime = await countsInTime(clickhouse, sample, day, stored);
  const drifts: PeriodDrift[] = [];
  let late = 0;
  for (const [channel, { live, all }] of differing) {
    const known = [all, ...inTime.counts.map((counts) => counts.get(channel) ?? NO_PERIOD_COUNTS)];
    // What happened on a day is told whenever it comes, unless the row was restated: that stands as it is.
    const bounds = (of: PeriodCount): readonly number[] =>
      isFlow(of) && !inTime.restated.has(channel) ? [all[of]] : known.map((counts) => counts[of]);
    const wrong = PERIOD_COUNTS.filter((of) => {
      const values = bounds(of);
      return live[of] < Math.min(...values) || live[of] > Math.max(...values);
    });
    if (wrong.length === 0) late += 1;
    for (const figure of wrong) {
      const where = { brand: sample.brand, schemeId: sample.scheme.id, channel, day: day.day };
      drifts.push({ ...where, figure, live: live[figure], recount: all[figure] });
    }
  }
  return { compared: channels.size, late, drifts };
}

/** What explains how a row may differ from all raw facts. */
export interface DaysInTimeQuery extends DaysQuery, Pick<PeriodsSample, 'stateLatenessMs' | 'ledger'> {
  readonly generation: number;
}

interface InTime {
  /** By channel, with and without what was imported. */
  readonly counts: readonly ReadonlyMap<string, PeriodCounts>[];
  /** Channels with a restated row. */
  readonly restated: ReadonlySet<string>;
}

async function countsInTime(
  clickhouse: ClickHouse,
  sample: DaysInTimeQuery,
  day: ClosedDay,
  stored: readonly StoredDay[],
): Promise<InTime> {
  const restated = stored.filter(({ version }) => restatedAsOf(version) !== null);
  const asOf = new Map(
    restated.map(({ partition, version }): [number, bigint] => [partition, restatedAsOf(version) ?? 0n]),
  );
  const known = {
    ...{ finalAt: day.close + sample.stateLatenessMs, restatedAsOf: asOf },
    ...{ ledger: sample.ledger, generation: sample.generation },
  };
  const counts = [await countsOf(clickhouse, sample, day, { ...known, withoutImports: false })];
  if (await hasImports(clickhouse, sample.brand, day.close)) {
    counts.push(await countsOf(clickhouse, sample, day, { ...known, withoutImports: true }));
  }
  return { counts, restated: new Set(restated.map(({ channel }) => channel)) };
}

/** Over all partitions, by channel, from what a row of the day knows. */
async function countsOf(
  clickhouse: ClickHouse,
  query: DaysQuery,
  day: ClosedDay,
  known: Parameters<typeof factsBeforeFinal>[0],
): Promise<ReadonlyMap<string, PeriodCounts>> {
  const source = { ...query, facts: factsBeforeFinal(known) };
  const recount = await DayRecount.of(clickhouse, source, [day]);
  const sums = new Map<string, PeriodCounts>();
  for (const { channel, counts } of await recount.at(day.day)) {
    sums.set(channel, addedPeriodCounts(sums.get(channel) ?? NO_PERIOD_COUNTS, counts));
  }
  return sums;
}

function isFlow(count: PeriodCount): boolean {
  return FLOW_COUNTS.some((flow) => flow === count);
}

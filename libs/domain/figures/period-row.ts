import type { CompiledScheme } from '../compiled-rules.js';
import { dayText } from '../day-calendar.js';
import { periodAt } from '../periods.js';
import { FLOW, type ChannelDays } from './channel-days.js';
import type { RunningTable } from './day-table.js';
import { COHORT_CELL, DEEPENED_CELL } from './figure-changes.js';

/** One scheme on one local day in one channel (`all` for all); fields are named as the columns they end up in. */
export interface PeriodFigure {
  readonly brand: string;
  readonly channel: string;
  readonly scheme_id: string;
  readonly period_id: string;
  /** Local day in the scheme's zone, `YYYY-MM-DD`. */
  readonly day: string;
  readonly status: 'provisional' | 'closed' | 'restated';
  /** ms */
  readonly watermark: number;
  /** FAST+ Capital at the close of the day, so far. */
  readonly capital: number;
  /** The same at the close of the period before: the denominator of FAST+ Conversion. */
  readonly capital_base: number;
  readonly new_relations: number;
  readonly lost_relations: number;
  readonly orders: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  /** Of the period up to this day; `all` only. */
  readonly deepened: number;
  readonly deepened_cohort: number;
  /** Persons by tier 0–5 at the close of the day, so far; `all` only, zeros in the rows of one channel. */
  readonly tiers: readonly number[];
}

export interface PeriodRowSource {
  readonly brand: string;
  readonly channel: string;
  readonly scheme: CompiledScheme;
  readonly day: number;
  readonly days: ChannelDays;
  /** Undefined in the rows of one channel, and where nobody is known. */
  readonly stocks: RunningTable | undefined;
  readonly watermark: number;
  readonly latenessMs: number;
}

const TIERS = [0, 1, 2, 3, 4, 5] as const;

export function periodRow(source: PeriodRowSource): PeriodFigure {
  const { brand, channel, scheme, day, days, stocks, watermark } = source;
  const period = periodAt(scheme, scheme.calendar.dayStart(day));
  return {
    brand,
    channel,
    scheme_id: scheme.scheme.id,
    period_id: period.id,
    day: dayText(day),
    status: statusOf(source),
    watermark,
    capital: days.capitalAt(day),
    capital_base: days.capitalAt(period.days.first - 1),
    new_relations: days.flow(day, FLOW.newRelations),
    lost_relations: days.flow(day, FLOW.lostRelations),
    orders: days.flow(day, FLOW.orders),
    gmv_gross_minor: days.flow(day, FLOW.gross),
    refunds_minor: days.flow(day, FLOW.refunds),
    deepened: stocks?.at(day, DEEPENED_CELL) ?? 0,
    deepened_cohort: stocks?.at(day, COHORT_CELL) ?? 0,
    tiers: TIERS.map((tier) => stocks?.at(day, tier) ?? 0),
  };
}

/** Behind the lateness a row is final; where it changes all the same (an import), it says so. */
function statusOf({ scheme, day, days, watermark, latenessMs }: PeriodRowSource): PeriodFigure['status'] {
  const close = scheme.calendar.dayStart(day + 1);
  if (watermark < close) return 'provisional';
  const wasFinal = days.closedTo !== null && day <= days.closedTo && watermark >= close + latenessMs;
  return wasFinal ? 'restated' : 'closed';
}

/**
 * The days among `days` for which the scheme has rows: not before it began to be computed (`since`), a campaign
 * from its start to the day after its last (on which tiers have fallen), a report from its start on. A date that
 * the zone has left out is no day.
 */
export function rowDays(scheme: CompiledScheme, days: readonly number[], since: number): readonly number[] {
  const { calendar, days: own } = scheme;
  const first = Math.max(since, own?.first ?? -Infinity);
  const end = scheme.scheme.period.kind === 'campaign' && own !== null ? own.end + 1 : Infinity;
  return days.filter(
    (day) => day >= first && day < end && calendar.dayStart(day) < calendar.dayStart(day + 1),
  );
}

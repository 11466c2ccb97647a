import type { CompiledScheme, DayRange } from './compiled-rules.js';
import { monthStart, monthText, nextMonthStart } from './day-calendar.js';

/** The stretch of time that a scheme's figures speak of. */
export interface Period {
  readonly id: string;
  readonly days: DayRange;
  /** First instant, ms. */
  readonly start: number;
  /** First instant after it, ms; Infinity for a rolling period, which moves along. */
  readonly end: number;
  /** The days counted for the tier at the close of the period before: what Conversion compares with. */
  readonly baseDays: DayRange;
}

/**
 * The period that `t` lies in; of a span or a campaign always the one it has.
 * Rolling N days: the days dayOf(t) − N + 1 to dayOf(t), compared with the N days before.
 */
export function periodAt(scheme: CompiledScheme, t: number): Period {
  const day = scheme.calendar.dayOf(t);
  const known = latest.get(scheme);
  if (known?.day === day) return known.period;
  const period = periodOn(day, scheme);
  latest.set(scheme, { day, period });
  return period;
}

/** Between two ticks nearly everybody is asked about the same day. */
const latest = new WeakMap<CompiledScheme, { readonly day: number; readonly period: Period }>();

function periodOn(day: number, scheme: CompiledScheme): Period {
  const { calendar } = scheme;
  const { period, id } = scheme.scheme;
  if (scheme.days !== null && scheme.baseDays !== null) {
    const { first, end } = scheme.days;
    return {
      id,
      days: scheme.days,
      start: calendar.dayStart(first),
      end: calendar.dayStart(end),
      baseDays: scheme.baseDays,
    };
  }
  if (period.kind === 'rolling') {
    const first = day - period.days + 1;
    return {
      id,
      days: { first, end: day + 1 },
      start: calendar.dayStart(first),
      end: Infinity,
      baseDays: { first: first - period.days, end: first },
    };
  }
  const first = monthStart(day);
  const end = nextMonthStart(day);
  return {
    id: monthText(first),
    days: { first, end },
    start: calendar.dayStart(first),
    end: calendar.dayStart(end),
    baseDays: { first: monthStart(first - 1), end: first },
  };
}

const NO_DAYS: DayRange = { first: 0, end: 0 };

/** The days whose purchases make the tier at `t`. (Payments after `t` do not count either way.) */
export function countedDays(scheme: CompiledScheme, t: number): DayRange {
  const { calendar, days } = scheme;
  const { period } = scheme.scheme;
  switch (period.kind) {
    case 'rolling': {
      const day = calendar.dayOf(t);
      return { first: day - period.days + 1, end: day + 1 };
    }
    case 'calendarMonth': {
      const day = calendar.dayOf(t);
      return { first: monthStart(day), end: day + 1 };
    }
    case 'span':
      // A report: it stands after its close.
      return days ?? NO_DAYS;
    case 'campaign':
      if (days === null || t < calendar.dayStart(days.first) || t >= calendar.dayStart(days.end))
        return NO_DAYS;
      return days;
  }
}

/** `period_id` at `t`: the scheme's id, or the month. */
export function periodIdAt(scheme: CompiledScheme, t: number): string {
  return scheme.scheme.period.kind === 'calendarMonth'
    ? monthText(scheme.calendar.dayOf(t))
    : scheme.scheme.id;
}

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
  let periods = periodsByDay.get(scheme);
  if (periods === undefined) {
    periods = new Map();
    periodsByDay.set(scheme, periods);
  }
  let period = periods.get(day);
  if (period === undefined) {
    if (periods.size >= PERIODS_KEPT_MAX) periods.clear();
    period = periodOn(day, scheme);
    periods.set(day, period);
  }
  return period;
}

/** Persons are asked about a few days only: today, and the edges of what they did. */
const periodsByDay = new WeakMap<CompiledScheme, Map<number, Period>>();
const PERIODS_KEPT_MAX = 4_096;

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
    case 'rolling':
    case 'calendarMonth':
      return periodAt(scheme, t).days;
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

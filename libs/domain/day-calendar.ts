const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** 1990-01-01 to 2079: what events are about. */
const FIRST_DAY = 7_305;
const DAYS = 32_768;

/**
 * Local days of one zone, by the tz database. A day is numbered by its calendar date: days since 1970-01-01.
 * Day d is the time [dayStart(d), dayStart(d + 1)), so days follow each other without gap: where clocks go back
 * across midnight the day begins at the second midnight, where they go forward over it at the change, and a
 * date that a zone has left out (Samoa 2011-12-30) is an empty day.
 * Exact for dates from 1900 on.
 */
export class DayCalendar {
  /** By day − FIRST_DAY. Other days, which are rare, in the map. Not a typed array: V8 would box each answer anew. */
  private readonly starts = new Array<number | undefined>(DAYS).fill(undefined);
  private readonly farStarts = new Map<number, number>();
  private readonly format: Intl.DateTimeFormat;
  // The day asked for last: nearly every question is about it.
  private lastDay = 0;
  private lastStart = 0;
  private lastEnd = 0;

  private constructor(readonly zone: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /**
   * The calendar of a tz database name; one per zone.
   * @throws RangeError when there is no such zone
   */
  static of(zone: string): DayCalendar {
    let calendar = calendars.get(zone);
    if (calendar === undefined) {
      calendar = new DayCalendar(zone);
      calendars.set(zone, calendar);
    }
    return calendar;
  }

  /** Number of the local day of `t` (ms). */
  dayOf(t: number): number {
    if (t >= this.lastStart && t < this.lastEnd) return this.lastDay;
    // A guess from a day that is known; where clocks change it is a day off, and the steps reach it.
    let day = this.lastDay + Math.floor((t - this.lastStart) / DAY_MS);
    while (t < this.dayStart(day)) day--;
    while (t >= this.dayStart(day + 1)) day++;
    this.lastDay = day;
    this.lastStart = this.dayStart(day);
    this.lastEnd = this.dayStart(day + 1);
    return day;
  }

  /** The instant at which local day `day` begins, ms. */
  dayStart(day: number): number {
    const at = day - FIRST_DAY;
    if (at >= 0 && at < DAYS) {
      return (this.starts[at] ??= this.findStart(day));
    }
    let start = this.farStarts.get(day);
    if (start === undefined) {
      start = this.findStart(day);
      this.farStarts.set(day, start);
    }
    return start;
  }

  private findStart(day: number): number {
    const midnight = day * DAY_MS;
    const before = this.offsetAt(midnight - 26 * HOUR_MS);
    const after = this.offsetAt(midnight + 26 * HOUR_MS);
    const newMidnight = midnight - after;
    if (this.offsetAt(newMidnight) === after) return newMidnight;
    const oldMidnight = midnight - before;
    if (this.offsetAt(oldMidnight) === before) return oldMidnight;
    // This midnight does not exist: the day begins where the clocks leap over it.
    let low = Math.min(newMidnight, oldMidnight);
    let high = Math.max(newMidnight, oldMidnight);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (middle + this.offsetAt(middle) >= midnight) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Local time minus UTC at `t`, ms. */
  private offsetAt(t: number): number {
    // Whole seconds: the format knows no others, and no zone changes within one.
    const second = Math.floor(t / 1000) * 1000;
    let year = 0;
    let month = 1;
    let day = 1;
    let seconds = 0;
    for (const { type, value } of this.format.formatToParts(second)) {
      if (type === 'year') year = Number(value);
      else if (type === 'month') month = Number(value);
      else if (type === 'day') day = Number(value);
      else if (type === 'hour') seconds += Number(value) * 3600;
      else if (type === 'minute') seconds += Number(value) * 60;
      else if (type === 'second') seconds += Number(value);
    }
    return Date.UTC(year, month - 1, day) + seconds * 1000 - second;
  }
}

const calendars = new Map<string, DayCalendar>();

/** One text a day of some decades at most. */
const texts = new Map<number, string>();

/** `YYYY-MM-DD` of a local day number. */
export function dayText(day: number): string {
  let text = texts.get(day);
  if (text === undefined) {
    const { year, month, dayOfMonth } = civilOf(day);
    text = `${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(dayOfMonth)}`;
    texts.set(day, text);
  }
  return text;
}

/** `YYYY-MM` of the month that a local day number lies in. */
export function monthText(day: number): string {
  return dayText(day).slice(0, 7);
}

/** The local day number of `YYYY-MM-DD`; null when the text is no date. */
export function dayFromText(text: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const day = dayFromCivil(Number(match[1]), Number(match[2]), Number(match[3]));
  return dayText(day) === text ? day : null;
}

/** First day of the month that `day` lies in. */
export function monthStart(day: number): number {
  return monthOf(day).first;
}

/** First day of the month after the one that `day` lies in. */
export function nextMonthStart(day: number): number {
  return monthOf(day).end;
}

/** Local day numbers [first, end). */
interface Month {
  readonly first: number;
  readonly end: number;
}

// Nearly every question is about the month that was asked for last or about the one before.
let latestMonth: Month = { first: 0, end: 0 };
let formerMonth: Month = { first: 0, end: 0 };

function monthOf(day: number): Month {
  if (day >= latestMonth.first && day < latestMonth.end) return latestMonth;
  if (day >= formerMonth.first && day < formerMonth.end) return formerMonth;
  const { year, month } = civilOf(day);
  const first = dayFromCivil(year, month, 1);
  const end = month === 12 ? dayFromCivil(year + 1, 1, 1) : dayFromCivil(year, month + 1, 1);
  formerMonth = latestMonth;
  latestMonth = { first, end };
  return latestMonth;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function dayFromCivil(year: number, month: number, dayOfMonth: number): number {
  return Date.UTC(year, month - 1, dayOfMonth) / DAY_MS;
}

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly dayOfMonth: number;
}

// Howard Hinnant's civil_from_days: counts in 400-year eras that begin on 1 March.
function civilOf(day: number): Civil {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth };
}

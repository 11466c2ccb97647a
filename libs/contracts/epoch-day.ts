/** Local days as text (`YYYY-MM-DD`) and as Avro's `date`: days since 1970-01-01. */
const DAY_MS = 86_400_000;
// Date.parse alone takes nearly anything for a day.
const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;

// The days of some decades at most: making one text costs more than all else of its record.
const DAYS_KEPT_MAX = 50_000;
const numbers = new Map<string, number>();
const texts = new Map<number, string>();

/** @throws if the text is not a day */
export function toEpochDay(day: string): number {
  return numbers.get(day) ?? kept(numbers, day, parsedDay(day));
}

/** Of 0000-01-01 and 9999-12-31. */
const FIRST_DAY = -719_528;
const LAST_DAY = 2_932_896;

/** @throws RangeError if the number is no day of these years */
export function fromEpochDay(day: number): string {
  if (!(day >= FIRST_DAY && day <= LAST_DAY)) throw new RangeError(`not a day: ${day}`);
  return texts.get(day) ?? kept(texts, day, new Date(day * DAY_MS).toISOString().slice(0, 10));
}

function kept<Key, Value>(known: Map<Key, Value>, key: Key, value: Value): Value {
  if (known.size < DAYS_KEPT_MAX) known.set(key, value);
  return value;
}

function parsedDay(day: string): number {
  const epochDay = ISO_DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) / DAY_MS : Number.NaN;
  if (Number.isNaN(epochDay)) throw new Error(`not a day: ${day}`);
  return epochDay;
}

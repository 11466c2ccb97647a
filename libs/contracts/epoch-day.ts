/** Local days as text (`YYYY-MM-DD`) and as Avro's `date`: days since 1970-01-01. */
const DAY_MS = 86_400_000;
// Date.parse alone takes nearly anything for a day.
const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;

/** @throws if the text is not a day */
export function toEpochDay(day: string): number {
  const epochDay = ISO_DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) / DAY_MS : Number.NaN;
  if (Number.isNaN(epochDay)) throw new Error(`not a day: ${day}`);
  return epochDay;
}

export function fromEpochDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

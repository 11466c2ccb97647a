/** Local days as text (`YYYY-MM-DD`) and as Avro's `date`: days since 1970-01-01. */
const DAY_MS = 86_400_000;

/** @throws if the text is not a day */
export function toEpochDay(day: string): number {
  const at = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at)) throw new Error(`not a day: ${day}`);
  return at / DAY_MS;
}

export function fromEpochDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

import { DayCalendar, dayFromText } from '#domain';

const LOCAL = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * ISO 8601 with its offset, or local time of `zone`: `2026-11-11`, `2026-11-11T20:00`, `2026-11-11 20:00:30.5`.
 *
 * @returns ms; null where the text is neither
 */
export function instantFromText(text: string, zone: string): number | null {
  if (WITH_OFFSET.test(text)) {
    // A day that no month has would count on into the next one.
    if (dayFromText(text.slice(0, 10)) === null) return null;
    const at = Date.parse(text.replace(' ', 'T'));
    return Number.isNaN(at) ? null : at;
  }
  const [, date = '', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = LOCAL.exec(text) ?? [];
  const day = dayFromText(date);
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (day === null || h > 23 || m > 59 || s > 59) return null;
  const start = DayCalendar.of(zone).dayStart(day);
  const sinceMidnight = ((h * 60 + m) * 60 + s) * 1_000 + Number(fraction.padEnd(3, '0'));
  // On a day whose clocks change, elapsed time and the clock's reading differ by the change.
  const elapsed = start + sinceMidnight;
  return elapsed + sinceMidnight - clockOf(elapsed, zone, day);
}

/** What the clock of `zone` reads at `at`, ms since the midnight of local day `day`. */
function clockOf(at: number, zone: string, day: number): number {
  const text = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at);
  const read = Date.parse(`${text.replace(' ', 'T')}Z`);
  return read - day * 86_400_000 + (((at % 1_000) + 1_000) % 1_000);
}

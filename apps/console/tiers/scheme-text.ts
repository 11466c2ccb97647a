/**
 * `rolling:30d | calendar:month | span:FROM..TO | campaign:FROM..TO,BASEFROM`, as `--scheme` of the commands and
 * `?scheme=` of the API take it.
 */
import { dayFromText, type Scheme, type SchemePeriod } from '#domain';

const DAYS_MAX = 3_660;
const JOIN_TOLERANCE_MS = 60_000;

export const SCHEME_EXPECTED =
  'expected rolling:30d, calendar:month, span:YYYY-MM-DD..YYYY-MM-DD or campaign:YYYY-MM-DD..YYYY-MM-DD,YYYY-MM-DD';

/**
 * Null when the text is no scheme. FROM is inclusive, TO exclusive: days in the scheme's zone. A campaign is compared
 * with the days from BASEFROM up to its own first.
 */
export function parsePeriod(text: string): SchemePeriod | null {
  const rolling = /^rolling:(\d{1,4})d$/.exec(text);
  if (rolling !== null) {
    const days = Number(rolling[1]);
    return days >= 1 && days <= DAYS_MAX ? { kind: 'rolling', days } : null;
  }
  if (text === 'calendar:month') return { kind: 'calendarMonth' };
  const [kind, from = '', to = '', baseFrom] =
    /^(span|campaign):(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})(?:,(\d{4}-\d{2}-\d{2}))?$/
      .exec(text)
      ?.slice(1) ?? [];
  if (kind === 'span' && baseFrom === undefined && isAscending(from, to)) return { kind, from, to };
  if (kind === 'campaign' && baseFrom !== undefined && isAscending(baseFrom, from, to)) {
    return { kind, from, to, baseFrom };
  }
  return null;
}

/** `YYYY-MM-DD` all of them, each after the one before. */
function isAscending(...days: readonly string[]): boolean {
  const numbers = days.map(dayFromText);
  return numbers.every((day, index) => day !== null && day > (numbers[index - 1] ?? -Infinity));
}

export function schemeOf(id: string, period: SchemePeriod, zone: string, zeroOrderCounts: boolean): Scheme {
  return { id, brand: null, period, zone, zeroOrderCounts, joinToleranceMs: JOIN_TOLERANCE_MS };
}

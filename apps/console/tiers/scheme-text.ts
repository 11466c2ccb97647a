/** `rolling:30d | calendar:month | span:FROM..TO`, as `gravity tiers --scheme` and `/tiers?scheme=` take it. */
import { dayFromText, type Scheme, type SchemePeriod } from '#domain';

const DAYS_MAX = 3_660;
const JOIN_TOLERANCE_MS = 60_000;

export const SCHEME_EXPECTED = 'expected rolling:30d, calendar:month or span:YYYY-MM-DD..YYYY-MM-DD';

/** Null when the text is no scheme. FROM is inclusive, TO exclusive: days in the scheme's zone. */
export function parsePeriod(text: string): SchemePeriod | null {
  const rolling = /^rolling:(\d{1,4})d$/.exec(text);
  if (rolling !== null) {
    const days = Number(rolling[1]);
    return days >= 1 && days <= DAYS_MAX ? { kind: 'rolling', days } : null;
  }
  if (text === 'calendar:month') return { kind: 'calendarMonth' };
  const span = /^span:(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/.exec(text);
  const [from = '', to = ''] = span?.slice(1) ?? [];
  const first = dayFromText(from);
  const end = dayFromText(to);
  return first !== null && end !== null && first < end ? { kind: 'span', from, to } : null;
}

export function schemeOf(id: string, period: SchemePeriod, zone: string, zeroOrderCounts: boolean): Scheme {
  return { id, brand: null, period, zone, zeroOrderCounts, joinToleranceMs: JOIN_TOLERANCE_MS };
}

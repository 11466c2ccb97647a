import { defaultRules, DEFAULT_ZONE, type Rules } from '#domain';
import { CAMPAIGN } from './night/market.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CAMPAIGN_DAYS = 3;

/**
 * The rules of a simulated log: the default schemes, and the promotion as a campaign that began yesterday.
 *
 * @param anchor   when the history ends and the night begins, ms
 */
export function simulatedRules(anchor: number): Rules {
  const rules = defaultRules();
  const from = anchor - DAY;
  return {
    ...rules,
    schemes: [
      ...rules.schemes,
      {
        id: CAMPAIGN,
        brand: null,
        zone: DEFAULT_ZONE,
        zeroOrderCounts: true,
        joinToleranceMs: 60_000,
        period: {
          kind: 'campaign',
          from: localDay(from),
          to: localDay(from + CAMPAIGN_DAYS * DAY),
          baseFrom: localDay(from - CAMPAIGN_DAYS * DAY),
        },
      },
    ],
    // History is told by the hour; the fine windows matter from the night on.
    fineRowsFrom: anchor - HOUR,
  };
}

/** `YYYY-MM-DD` in the default zone. */
function localDay(at: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: DEFAULT_ZONE }).format(at);
}

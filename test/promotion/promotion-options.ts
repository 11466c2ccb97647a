/** What a promotion is made of: by the environment, so that the same spec is short in `npm test` and long on demand. */

export interface PromotionOptions {
  /** Of the shoppers and of what goes wrong on the way. */
  readonly seed: number;
  /** Touchpoints of the promotion, without repetitions. */
  readonly events: number;
  /** Of event time and of the clock alike, before bursts. */
  readonly eventsPerSecond: number;
  readonly persons: number;
  /** Ordinary days before, so that every window has closed ends and every period days. */
  readonly historyDays: number;
  readonly historyEventsPerDay: number;
  /** Hours of the history in which the fine windows have rows too. */
  readonly fineHours: number;
  /** Ends to compare of each window but the one that is compared whole. */
  readonly ends: number;
  /** Closed days to compare of each scheme; null: all. */
  readonly days: number | null;
  /** Tells about itself as it goes on. */
  readonly isLong: boolean;
  /** Folder that the report is written to; null: none. */
  readonly reportDirectory: string | null;
}

/** Of this window all ends are compared. */
export const WHOLE_WINDOW = '5m';

/** @throws RangeError   a variable that is no such number */
export function promotionOptions(env: Readonly<Record<string, string | undefined>>): PromotionOptions {
  const isLong = env['PROMOTION_LONG'] === '1';
  const number = (name: string, short: number, long: number, least: number): number => {
    const text = env[`PROMOTION_${name}`] ?? '';
    const value = text === '' ? (isLong ? long : short) : Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`PROMOTION_${name} has to be a whole number from ${least} on, not ${text}`);
    }
    return value;
  };
  return {
    seed: number('SEED', 7, 11, 0),
    events: number('EVENTS', 6_000, 2_000_000, 1),
    eventsPerSecond: number('EVENTS_PER_SECOND', 1_500, 4_000, 1),
    persons: number('PERSONS', 2_000, 200_000, 3),
    historyDays: number('HISTORY_DAYS', 31, 35, 31),
    historyEventsPerDay: number('HISTORY_EVENTS_PER_DAY', 100, 5_000, 1),
    fineHours: number('FINE_HOURS', 1, 30, 1),
    ends: number('ENDS', 400, 10_000, 1),
    days: isLong ? null : 4,
    isLong,
    reportDirectory: env['PROMOTION_REPORT_DIR'] ?? null,
  };
}

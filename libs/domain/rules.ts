/**
 * Schemes and windows as data. `Rules` travel in the log (`RulesSet`), so that a log folds the same way
 * whenever it is read.
 */

/** `rolling:30d`, `calendar:month`, `span:FROM..TO`, or a campaign with the span before it as its base. */
export type SchemePeriod =
  | { readonly kind: 'rolling'; readonly days: number }
  | { readonly kind: 'calendarMonth' }
  /** A report over [from, to), in local days `YYYY-MM-DD`; days keep counting after it has closed. */
  | { readonly kind: 'span'; readonly from: string; readonly to: string }
  /** Local days, [from, to); after the close no day counts. Conversion compares with [baseFrom, from). */
  | {
      readonly kind: 'campaign';
      readonly from: string;
      readonly to: string;
      readonly baseFrom: string;
    };

export interface Scheme {
  /** Unique among the schemes of one `Rules`; the `period_id` of rolling, span and campaign schemes. */
  readonly id: string;
  /** Null: for every brand. */
  readonly brand: string | null;
  readonly period: SchemePeriod;
  /** tz database name; fixed for the life of a scheme. */
  readonly zone: string;
  /** FAST+ section 8 row 30: is a payment of 0 a purchase whose day counts? */
  readonly zeroOrderCounts: boolean;
  /** FAST+ section 8 row 10: a join this close to the payment belongs to the same checkout. */
  readonly joinToleranceMs: number;
}

export interface WindowSpec {
  /** `1m`, `5m`, `1h`, `24h`, `30d`, … */
  readonly id: string;
  readonly widthMs: number;
  readonly slideMs: number;
  readonly latenessMs: number;
}

export interface Rules {
  readonly schemes: readonly Scheme[];
  /** By growing slide; slides nest; lateness does not shrink with the slide. */
  readonly windows: readonly WindowSpec[];
  /** Orders stay open for refunds (and orphan refunds wait for their order) this long in event time. */
  readonly refundHorizonDays: number;
  /** Stocks, tiers and day figures change for events up to this late. */
  readonly stateLatenessMs: number;
  /** A tick pops at most this many due persons; the owner appends further ticks for the rest. */
  readonly duesPerTick: number;
  /** Ends of windows that slide by less than an hour get rows only from here on (replay); 0 for all. */
  readonly fineRowsFrom: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const DEFAULT_ZONE = 'Asia/Shanghai';

export const DEFAULT_WINDOWS: readonly WindowSpec[] = [
  { id: '1m', widthMs: MINUTE, slideMs: 10_000, latenessMs: 5 * MINUTE },
  { id: '5m', widthMs: 5 * MINUTE, slideMs: 10_000, latenessMs: 10 * MINUTE },
  { id: '1h', widthMs: HOUR, slideMs: MINUTE, latenessMs: HOUR },
  { id: '24h', widthMs: DAY, slideMs: 5 * MINUTE, latenessMs: 6 * HOUR },
  { id: '30d', widthMs: 30 * DAY, slideMs: HOUR, latenessMs: DAY },
];

/** The live screen's scheme and the official one (FAST+ section 8 row 2). */
export function defaultSchemes(zone: string = DEFAULT_ZONE, zeroOrderCounts = true): readonly Scheme[] {
  const common = { brand: null, zone, zeroOrderCounts, joinToleranceMs: MINUTE };
  return [
    { id: 'rolling:30d', period: { kind: 'rolling', days: 30 }, ...common },
    { id: 'calendar:month', period: { kind: 'calendarMonth' }, ...common },
  ];
}

export function defaultRules(overrides: Partial<Rules> = {}): Rules {
  return {
    schemes: defaultSchemes(),
    windows: DEFAULT_WINDOWS,
    refundHorizonDays: 180,
    stateLatenessMs: 7 * DAY,
    duesPerTick: 10_000,
    fineRowsFrom: 0,
    ...overrides,
  };
}

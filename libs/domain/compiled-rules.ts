import { DayCalendar, dayFromText } from './day-calendar.js';
import { defaultRules, type Rules, type Scheme } from './rules.js';
import { StandingLists, Standings } from './standings.js';

/** Local days [first, end). */
export interface DayRange {
  readonly first: number;
  readonly end: number;
}

/** A scheme with its calendar, and its dates as day numbers where it has any. */
export interface CompiledScheme {
  readonly scheme: Scheme;
  readonly calendar: DayCalendar;
  readonly standings: Standings;
  /** Span and campaign: [from, to). */
  readonly days: DayRange | null;
  /** Span and campaign: the days that its Conversion is compared with. */
  readonly baseDays: DayRange | null;
}

/** Rules in the form the fold asks for. */
export interface CompiledRules {
  readonly rules: Rules;
  readonly schemes: readonly CompiledScheme[];
  /** Of the schemes' zones, in the order of the schemes. */
  readonly calendars: readonly DayCalendar[];
  /** 52-bit fingerprint: equal rules have equal ones. */
  readonly hash: number;
  readonly joinToleranceMaxMs: number;
  /** Of persons that have none yet. */
  readonly noStandings: StandingLists;
  schemesOf(brand: string): readonly CompiledScheme[];
}

const DAY_MS = 86_400_000;
const compiled = new WeakMap<Rules, CompiledRules>();
const DEFAULTS = defaultRules();

/**
 * Made once per `Rules` object; null stands for the default rules.
 * @throws RangeError for rules that `parseRules` would have refused
 */
export function compileRules(rules: Rules | null): CompiledRules {
  const source = rules ?? DEFAULTS;
  let result = compiled.get(source);
  if (result === undefined) {
    result = compile(source);
    compiled.set(source, result);
  }
  return result;
}

function compile(rules: Rules): CompiledRules {
  const schemes = rules.schemes.map(compileScheme);
  const byBrand = new Map<string, readonly CompiledScheme[]>();
  return {
    rules,
    schemes,
    calendars: [...new Set(schemes.map(({ calendar }) => calendar))],
    hash: fingerprint(JSON.stringify(rules)),
    noStandings: new StandingLists(),
    joinToleranceMaxMs: Math.max(0, ...rules.schemes.map(({ joinToleranceMs }) => joinToleranceMs)),
    schemesOf(brand) {
      let own = byBrand.get(brand);
      if (own === undefined) {
        own = schemes.filter(({ scheme }) => scheme.brand === null || scheme.brand === brand);
        byBrand.set(brand, own);
      }
      return own;
    },
  };
}

function compileScheme(scheme: Scheme): CompiledScheme {
  const calendar = DayCalendar.of(scheme.zone);
  const standings = new Standings(scheme.id);
  const { period } = scheme;
  switch (period.kind) {
    case 'rolling':
    case 'calendarMonth':
      return { scheme, calendar, standings, days: null, baseDays: null };
    case 'span': {
      const first = dayNumber(period.from);
      const end = dayNumber(period.to);
      return {
        scheme,
        calendar,
        standings,
        days: { first, end },
        baseDays: { first: first - (end - first), end: first },
      };
    }
    case 'campaign': {
      const first = dayNumber(period.from);
      const baseDays = { first: dayNumber(period.baseFrom), end: first };
      return { scheme, calendar, standings, days: { first, end: dayNumber(period.to) }, baseDays };
    }
  }
}

function dayNumber(text: string): number {
  const day = dayFromText(text);
  if (day === null) throw new RangeError(`no date: ${text}`);
  return day;
}

/** Length of the refund horizon, ms. */
export function refundHorizonMs(rules: Rules): number {
  return rules.refundHorizonDays * DAY_MS;
}

// Two lanes of FNV-1a. Only ever compared within one log, so it may change with FOLD_VERSION.
function fingerprint(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
  }
  return (low >>> 0) * 2 ** 20 + ((high >>> 0) % 2 ** 20);
}

/** Stamps of a file to instants: recognised (`auto`) or by a pattern such as `DD/MM/YYYY HH:mm`. */
import type { ZoneClock } from './zone-clock.js';

/** @returns the instant in ms, or null when the text is no such stamp */
export type StampParser = (text: string) => number | null;

export class TimeFormatError extends Error {
  override readonly name = 'TimeFormatError';
}

/**
 * - `auto`: ISO 8601 with or without a zone, `YYYY-MM-DD HH:mm[:ss[.fff]]` (also with `/`), a date alone
 *   (`YYYY-MM-DD`, `YYYY/MM/DD`, `YYYYMMDD`: local midnight), epoch seconds (9–10 digits) or milliseconds (12–13);
 * - `epoch-s`, `epoch-ms`;
 * - a pattern of `YYYY YY MM M MMM DD D HH H hh h mm m ss s SSS A Z`, other characters standing for themselves,
 *   and text in `[…]` too.
 * A stamp without a zone is read in `clock`'s. Digits below a millisecond are cut off.
 * @throws TimeFormatError when the pattern names no year, month and day
 */
export function stampParser(format: string, clock: ZoneClock): StampParser {
  if (format === 'auto') return autoParser(clock);
  if (format === 'epoch-s') return (text) => parseEpoch(text.trim(), 1000);
  if (format === 'epoch-ms') return (text) => parseEpoch(text.trim(), 1);
  return patternParser(format, clock);
}

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
}

/** The wall clock's reading as if it were UTC, or null for 30 February and 25:00. */
function localReading(f: Fields): number | null {
  if (f.month < 1 || f.month > 12 || f.day < 1 || f.hour > 23 || f.minute > 59 || f.second > 59) return null;
  if (f.day > daysOfMonth(f.year, f.month)) return null;
  const reading = Date.UTC(f.year, f.month - 1, f.day, f.hour, f.minute, f.second, f.ms);
  // Date.UTC takes the years 0–99 for 1900–1999.
  return f.year < 100 ? null : reading;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const ISO =
  /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:(?:T|t| +)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)? ?(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$/;
const COMPACT_DAY = /^(\d{4})(\d{2})(\d{2})$/;
const DIGITS = /^\d+(?:\.\d+)?$/;

function autoParser(clock: ZoneClock): StampParser {
  return (text) => {
    const trimmed = text.trim();
    const iso = ISO.exec(trimmed);
    if (iso !== null) return isoInstant(iso, clock);
    const day = COMPACT_DAY.exec(trimmed);
    if (day !== null) {
      const fields = { year: Number(day[1]), month: Number(day[2]), day: Number(day[3]) };
      const local = localReading({ ...fields, hour: 0, minute: 0, second: 0, ms: 0 });
      return local === null ? null : clock.instantOf(local);
    }
    if (!DIGITS.test(trimmed)) return null;
    const whole = trimmed.split('.')[0]?.length ?? 0;
    if (whole === 9 || whole === 10) return parseEpoch(trimmed, 1000);
    return whole === 12 || whole === 13 ? parseEpoch(trimmed, 1) : null;
  };
}

function isoInstant(match: RegExpExecArray, clock: ZoneClock): number | null {
  const local = localReading({
    year: Number(match[1]),
    month: Number(match[3]),
    day: Number(match[4]),
    hour: Number(match[5] ?? 0),
    minute: Number(match[6] ?? 0),
    second: Number(match[7] ?? 0),
    ms: milliseconds(match[8]),
  });
  return local === null ? null : toInstant(local, match[9], clock);
}

function toInstant(local: number, zone: string | undefined, clock: ZoneClock): number | null {
  if (zone === undefined) return clock.instantOf(local);
  if (zone === 'Z' || zone === 'z' || zone === 'UTC') return local;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2)) * (zone.length > 3 ? 1 : 0);
  if (hours > 18 || minutes > 59) return null;
  const offset = (hours * 60 + minutes) * 60_000;
  return zone.startsWith('-') ? local + offset : local - offset;
}

function milliseconds(fraction: string | undefined): number {
  return fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** The unit is 1000 for seconds, 1 for milliseconds; exact on the text. */
function parseEpoch(text: string, unit: 1 | 1000): number | null {
  if (!DIGITS.test(text)) return null;
  const [whole = '', fraction] = text.split('.');
  if (whole.length > 13) return null;
  return Number(whole) * unit + (unit === 1000 ? milliseconds(fraction) : 0);
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TOKEN = /\[([^\]]*)\]|YYYY|YY|MMM|MM|M|DD|D|HH|H|hh|h|mm|m|ss|s|S+|A|Z/g;
const TOKEN_PATTERNS: Readonly<Record<string, string>> = {
  YYYY: '(\\d{4})',
  YY: '(\\d{2})',
  MMM: '([A-Za-z]{3})',
  MM: '(\\d{2})',
  M: '(\\d{1,2})',
  DD: '(\\d{2})',
  D: '(\\d{1,2})',
  HH: '(\\d{2})',
  H: '(\\d{1,2})',
  hh: '(\\d{2})',
  h: '(\\d{1,2})',
  mm: '(\\d{2})',
  m: '(\\d{1,2})',
  ss: '(\\d{2})',
  s: '(\\d{1,2})',
  S: '(\\d{1,9})',
  A: '([AaPp]\\.?[Mm]\\.?)',
  Z: '(Z|UTC|[+-]\\d{2}(?::?\\d{2})?)',
};

function patternParser(format: string, clock: ZoneClock): StampParser {
  const tokens: string[] = [];
  let pattern = '';
  let from = 0;
  for (const match of format.matchAll(TOKEN)) {
    pattern += escaped(format.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) {
      pattern += escaped(match[1]);
      continue;
    }
    const token = match[0].startsWith('S') ? 'S' : match[0];
    tokens.push(token);
    pattern += TOKEN_PATTERNS[token] ?? '';
  }
  pattern += escaped(format.slice(from));
  requireDay(format, tokens);
  const regex = new RegExp(`^${pattern}$`);
  return (text) => {
    const match = regex.exec(text.trim());
    return match === null ? null : patternInstant(tokens, match, clock);
  };
}

function requireDay(format: string, tokens: readonly string[]): void {
  const letters = new Set(tokens.map((token) => token.charAt(0)));
  if (new Set(tokens).size !== tokens.length) {
    throw new TimeFormatError(`time format "${format}" names one part twice`);
  }
  if (!letters.has('Y') || !letters.has('M') || !letters.has('D')) {
    throw new TimeFormatError(
      `time format "${format}" must name a year, a month and a day (YYYY, MM, DD), or be auto, epoch-s or epoch-ms`,
    );
  }
}

function patternInstant(tokens: readonly string[], match: RegExpExecArray, clock: ZoneClock): number | null {
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, ms: 0 };
  let zone: string | undefined;
  let half: string | null = null;
  for (const [index, token] of tokens.entries()) {
    const text = match[index + 1] ?? '';
    if (token === 'YY') fields.year = Number(text) + (Number(text) < 69 ? 2000 : 1900);
    else if (token === 'YYYY') fields.year = Number(text);
    else if (token === 'MMM') fields.month = MONTHS.indexOf(text.toLowerCase()) + 1;
    else if (token.startsWith('M')) fields.month = Number(text);
    else if (token.startsWith('D')) fields.day = Number(text);
    else if (token.startsWith('H') || token.startsWith('h')) fields.hour = Number(text);
    else if (token.startsWith('m')) fields.minute = Number(text);
    else if (token.startsWith('s')) fields.second = Number(text);
    else if (token === 'S') fields.ms = milliseconds(text);
    else if (token === 'A') half = text.charAt(0).toLowerCase();
    else zone = text;
  }
  if (half !== null) {
    if (fields.hour < 1 || fields.hour > 12) return null;
    fields.hour = (fields.hour % 12) + (half === 'p' ? 12 : 0);
  }
  const local = localReading(fields);
  return local === null ? null : toInstant(local, zone, clock);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&').replaceAll(' ', ' +');
}

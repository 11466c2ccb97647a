/** Values of options: text in, what it means out, or a usage error that says what was expected. */
import { InvalidArgumentError } from 'commander';
import { ZoneClock } from '../simulator/recorded/zone-clock.js';
import { minorDigitsOf } from '../simulator/recorded/currency.js';
import { WHITESPACE } from '../simulator/recorded/csv-reader.js';
import type { ReplaySpeed } from '../simulator/recorded/replay-pace.js';

const DELIMITERS: Readonly<Record<string, string>> = {
  tab: '\t',
  '\\t': '\t',
  space: ' ',
  comma: ',',
  semicolon: ';',
  pipe: '|',
};

export function parseDelimiter(text: string): string {
  const delimiter = text === WHITESPACE ? text : (DELIMITERS[text] ?? text);
  if (delimiter !== '' && !/["\r\n]/.test(delimiter)) return delimiter;
  throw new InvalidArgumentError('expected one or more characters, tab, space or whitespace');
}

export const SCHEME_HELP =
  'rolling:30d, calendar:month, span:FROM..TO (days, TO not included), or campaign:FROM..TO,BASEFROM';

export function parseZone(text: string): string {
  try {
    return new ZoneClock(text).zone;
  } catch {
    throw new InvalidArgumentError('expected a tz database name such as Asia/Shanghai or UTC');
  }
}

export function parseSpeed(text: string): ReplaySpeed {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (Number.isFinite(speed) && speed > 0) return speed;
  throw new InvalidArgumentError(
    'expected max, or a number above 0 such as 60 (recorded seconds per second)',
  );
}

/** @returns Infinity for `max` */
export function parseRate(text: string): number {
  if (text === 'max') return Infinity;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected max, or a whole number of records per second from 1 on');
}

export function parseRecords(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of records');
}

/** A year at most: rows every ten seconds, of every channel and partition. */
export function parseHours(text: string): number {
  const hours = Number(text);
  if (/^\d{1,4}$/.test(text) && hours <= 8_784) return hours;
  throw new InvalidArgumentError('expected a whole number of hours up to 8784 (a year)');
}

export function parseCurrency(text: string): string {
  if (minorDigitsOf(text) !== null) return text;
  throw new InvalidArgumentError('expected an ISO 4217 code such as CNY');
}

/** `a,b` to a and b. */
export function parseList(text: string): readonly string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.every((item) => item !== '')) return items;
  throw new InvalidArgumentError('expected names separated by commas');
}

/** A brand or a source: part of keys and ids. */
export function parseName(text: string): string {
  if (/^[^\p{Cc}\p{Cs}|]{1,64}$/u.test(text) && text.trim() !== '') return text;
  throw new InvalidArgumentError('expected 1 to 64 characters without control characters and |');
}

export function parsePartitions(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('expected a whole number from 1 to 1000');
}

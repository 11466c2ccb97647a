/**
 * The kinds of values that settings have. Each reads one environment variable (text) and says, when it cannot,
 * what was expected. Give the default with `.prefault('10s')`, the meaning with `.describe('…')`.
 */
import { z } from 'zod';

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, KB: 1e3, MB: 1e6, GB: 1e9 } as const;

/** Non-empty text. */
export const text = () => z.string().min(1, 'expected some text');

/** Text that is never printed: not in errors, not in logs, not in `--help`. */
export const secret = () => z.string().meta({ secret: true });

/** A file or folder. */
export const path = () => z.string().min(1, 'expected a path');

/** `250ms`, `10s`, `5m`, `2h`, `30d`; read as milliseconds. */
export const duration = () =>
  quantity(DURATION_UNITS, 'expected a duration such as 250ms, 10s, 5m, 2h or 30d');

/** `512KiB`, `64MiB`, `1GiB` (or KB, MB, GB, B); read as bytes. */
export const size = () => quantity(SIZE_UNITS, 'expected a size such as 512KiB, 64MiB or 1GiB');

/** `true` or `false` (also `yes`/`no`, `on`/`off`, `1`/`0`). */
export const flag = () =>
  z.string().transform((value, context) => {
    const word = value.toLowerCase();
    if (['true', 'yes', 'on', '1'].includes(word)) return true;
    if (['false', 'no', 'off', '0'].includes(word)) return false;
    return refuse(context, 'expected true or false');
  });

/** A whole number within [min, max]. */
export const integer = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z.string().transform((value, context) => {
    const number = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    return refuse(context, `expected a whole number ${range}`);
  });

const PORT_MAX = 65_535;

/** A TCP port; 0 lets the system choose one. */
export const port = () => integer(0, PORT_MAX);

/** Entries separated by commas; empty ones are dropped, at least one must stay. */
export const list = () =>
  z.string().transform((value, context): readonly string[] => {
    const entries = value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    return entries.length > 0 ? entries : refuse(context, 'expected entries separated by commas');
  });

const BROKER = /^(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;

/** Brokers of Kafka: `host:port`, separated by commas. */
export const brokers = () =>
  list().transform((entries, context) => {
    const isBroker = (entry: string): boolean => {
      const at = Number(BROKER.exec(entry)?.[1] ?? 0);
      return at > 0 && at <= PORT_MAX;
    };
    return entries.every(isBroker)
      ? entries
      : refuse(context, 'expected brokers as host:port, separated by commas');
  });

/** One of a few words. */
export const choice = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `expected one of ${words.join(', ')}` });

/** An `http:` or `https:` address, without a slash at the end. */
export const httpUrl = () =>
  z.string().transform((value, context) => {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url?.protocol === 'http:' || url?.protocol === 'https:') return value.replace(/\/+$/, '');
    return refuse(context, 'expected an address that starts with http:// or https://');
  });

/** A time zone of the tz database, such as `Asia/Shanghai`. */
export const timeZone = () =>
  z.string().transform((value, context) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
    } catch {
      return refuse(context, 'expected a time zone of the tz database such as Asia/Shanghai or UTC');
    }
  });

/** An instant as ISO 8601 with its offset, `2026-11-11T00:00:00+08:00`; read as milliseconds. */
export const instant = () =>
  z.string().transform((value, context) => {
    const hasOffset = /T.*(Z|[+-]\d\d:?\d\d)$/.test(value);
    const time = hasOffset ? Date.parse(value) : NaN;
    return Number.isNaN(time)
      ? refuse(context, 'expected an instant such as 2026-11-11T00:00:00+08:00')
      : time;
  });

function quantity(units: Readonly<Record<string, number>>, expected: string) {
  return z.string().transform((value, context) => {
    const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(value.trim()) ?? [];
    const factor = unit === undefined || !Object.hasOwn(units, unit) ? undefined : units[unit];
    const amount = Number(digits) * (factor ?? NaN);
    return Number.isSafeInteger(Math.round(amount)) ? Math.round(amount) : refuse(context, expected);
  });
}

function refuse(context: z.RefinementCtx, expected: string): never {
  context.addIssue({ code: 'custom', message: expected });
  return z.NEVER;
}

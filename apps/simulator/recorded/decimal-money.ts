/**
 * Money from text, exactly: decimal digits in, an integer of minor units out, with no floating point between.
 * What is finer than a minor unit is rounded half away from zero.
 */

export interface Money {
  /** Minor units, a safe integer; never −0. */
  readonly minor: number;
  /** The sign of the exact value, before rounding. */
  readonly negative: boolean;
}

interface Decimal {
  readonly negative: boolean;
  /** The digits as an integer, ≥ 0. */
  readonly digits: bigint;
  /** Value = digits / 10^scale; may be negative (`1e3`). */
  readonly scale: number;
}

/** Enough for any money or quantity; a longer number is no amount. */
const LENGTH_MAX = 40;
const EXPONENT_MAX = 30;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
/** `12.50`, `-3`, `7`: what nearly every file holds, small enough for plain integers. */
const PLAIN = /^(-?)(\d{1,9})(?:\.(\d{1,4}))?$/;
/** Thousands groups, where the comma cannot be a decimal one: `1,234.50` and `1,234,567`, never `1,234`. */
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3})+\.\d*$|^[+-]?\d{1,3}(?:,\d{3}){2,}$/;

const POWERS = [1, 10, 100, 1_000, 10_000] as const;

/**
 * `12.5`, `-0.004`, `1e-3`, `.5` and `1,234.50` are amounts; signs of currency, blanks inside and decimal commas
 * are not.
 * @returns null when the text is no number, or one beyond 2^53 minor units
 */
export function parseMoney(text: string, minorDigits: number): Money | null {
  const plain = PLAIN.exec(text);
  if (plain !== null) return plainMoney(plain, minorDigits);
  const value = parseDecimal(text);
  return value === null ? null : toMoney(value, minorDigits);
}

/**
 * quantity × price, multiplied before it is rounded.
 * @returns null when either is no number, or the product is beyond 2^53 minor units
 */
export function multiplyMoney(quantity: string, price: string, minorDigits: number): Money | null {
  const left = parseDecimal(quantity);
  const right = parseDecimal(price);
  if (left === null || right === null) return null;
  const digits = left.digits * right.digits;
  return toMoney(
    { negative: left.negative !== right.negative && digits !== 0n, digits, scale: left.scale + right.scale },
    minorDigits,
  );
}

/** True for `-6` and `-0.5`; false for `-0` and for what is no number. */
export function isNegativeNumber(text: string): boolean {
  const value = parseDecimal(text);
  return value !== null && value.negative && value.digits !== 0n;
}

/** A whole number (`6`, `6.0`) within the safe range, else null. */
export function parseWhole(text: string): number | null {
  const money = parseMoney(text, 0);
  const value = parseDecimal(text);
  if (money === null || value === null) return null;
  const exact = value.scale <= 0 || value.digits % 10n ** BigInt(value.scale) === 0n;
  return exact ? money.minor : null;
}

function plainMoney(match: RegExpExecArray, minorDigits: number): Money | null {
  const whole = Number(match[2]);
  const fraction = match[3] ?? '';
  const power = POWERS[fraction.length] ?? 1;
  const digits = whole * power + (fraction === '' ? 0 : Number(fraction));
  const negative = match[1] === '-' && digits !== 0;
  if (minorDigits > 4)
    return toMoney({ negative, digits: BigInt(digits), scale: fraction.length }, minorDigits);
  const drop = fraction.length - minorDigits;
  const magnitude =
    drop <= 0
      ? digits * (POWERS[-drop] ?? 1)
      : Math.floor((2 * digits + (POWERS[drop] ?? 1)) / (2 * (POWERS[drop] ?? 1)));
  return { minor: negative && magnitude !== 0 ? -magnitude : magnitude, negative };
}

function parseDecimal(text: string): Decimal | null {
  const trimmed = text.trim();
  if (trimmed.length > LENGTH_MAX) return null;
  const match = DECIMAL.exec(GROUPED.test(trimmed) ? trimmed.replaceAll(',', '') : trimmed);
  if (match === null) return null;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole === '' && fraction === '') return null;
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  if (Math.abs(exponent) > EXPONENT_MAX) return null;
  const digits = BigInt(whole + fraction);
  return { negative: match[1] === '-' && digits !== 0n, digits, scale: fraction.length - exponent };
}

function toMoney(value: Decimal, minorDigits: number): Money | null {
  const drop = value.scale - minorDigits;
  let magnitude: bigint;
  if (drop <= 0) {
    magnitude = value.digits * 10n ** BigInt(-drop);
  } else {
    const unit = 10n ** BigInt(drop);
    magnitude = (2n * value.digits + unit) / (2n * unit);
  }
  if (magnitude > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const minor = Number(magnitude);
  return { minor: value.negative && minor !== 0 ? -minor : minor, negative: value.negative };
}

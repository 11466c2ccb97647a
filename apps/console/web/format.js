/** Numbers, money and time as people read them. */

const COUNT = new Intl.NumberFormat('en-US');
const PERCENT = new Intl.NumberFormat('en-US', {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
export const NOTHING = '—';

/** @param {number} value */
export function count(value) {
  return COUNT.format(value);
}

/** @param {number} value */
export function signed(value) {
  return value > 0 ? `+${count(value)}` : count(value).replace('-', '−');
}

/** @param {number | null} value   a ratio; null over 0 */
export function percent(value) {
  return value === null ? NOTHING : PERCENT.format(value);
}

/** How amounts in minor units are written. @param {string} currency @param {number} digits */
export function moneyFormat(currency, digits) {
  const options = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' };
  const exact = new Intl.NumberFormat('en-US', {
    ...options,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const whole = new Intl.NumberFormat('en-US', { ...options, maximumFractionDigits: 0 });
  const scale = 10 ** digits;
  const signedText = (text) => text.replace('-', '−');
  return {
    /** @param {number} minor */
    exact: (minor) => signedText(exact.format(minor / scale)),
    /** Without decimals, where there is little room. @param {number} minor */
    whole: (minor) => signedText(whole.format(minor / scale)),
  };
}

/** Clock and dates of one zone. @param {string} zone */
export function zoneFormat(zone) {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' });
  const date = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  const offset = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'shortOffset' });
  return {
    /** `08:21:14` @param {number} at */
    clock: (at) => clock.format(at),
    /** `2026-11-11` @param {number} at */
    date: (at) => date.format(at),
    /** The clock, with the date where it is not today's. @param {number} at @param {number} now */
    moment: (at, now) =>
      date.format(at) === date.format(now) ? clock.format(at) : `${date.format(at)} ${clock.format(at)}`,
    /** `Asia/Shanghai GMT+8` @param {number} at */
    name: (at) =>
      `${zone} ${offset.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''}`.trim(),
  };
}

/** How long ago, roughly. @param {number} ms */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A pseudonym short enough for a line. @param {string} person */
export function shortPerson(person) {
  const characters = [...person];
  return characters.length <= 9 ? person : `${characters.slice(0, 8).join('')}…`;
}

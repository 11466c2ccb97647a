/** Minor digits of an ISO 4217 currency: CNY 2, JPY 0, KWD 3. */

/** @returns null when `code` is not three letters, or no currency that the platform's ISO 4217 table knows */
export function minorDigitsOf(code: string): number | null {
  if (!/^[A-Z]{3}$/.test(code)) return null;
  if (!Intl.supportedValuesOf('currency').includes(code)) return null;
  const options = new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions();
  return options.maximumFractionDigits ?? 2;
}

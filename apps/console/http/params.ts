/** The parameters of the API: each has one definition, by which it is checked and described. */
import { z } from 'zod';
import { DEFAULT_WINDOWS, dayFromText, KNOWN_CHANNELS } from '#domain';
import { choice, instant as isoInstant, timeZone } from '#runtime';
import { instantFromText } from '../tiers/instant-text.js';
import { badParameter } from './api-problem.js';

const TEXT_MAX = 1_000;
/** What ClickHouse's DateTime64 can hold. */
const INSTANT_MIN = Date.UTC(1900, 0, 1);
const INSTANT_MAX = Date.UTC(2262, 0, 1);

const text = () =>
  z.string().min(1, 'expected some text').max(TEXT_MAX, `expected at most ${TEXT_MAX} characters`);

const instant = () =>
  z
    .string()
    .transform(withPlus)
    .pipe(isoInstant())
    .refine((at) => at >= INSTANT_MIN && at < INSTANT_MAX, 'expected an instant from 1900 to 2261');

/** An unescaped `+` of an offset arrives as a space. */
function withPlus(text: string): string {
  return text.replace(/(T.*) (\d\d:?\d\d)$/, '$1+$2');
}

/**
 * The instant of an `at`, ms.
 * @throws ApiProblem
 */
export function readAt(text: string, zone: string): number {
  const at = instantFromText(withPlus(text), zone);
  if (at !== null && at >= INSTANT_MIN && at < INSTANT_MAX) return at;
  throw badParameter(
    'at',
    'at: expected an instant from 1900 to 2261 such as 2026-11-11T00:00:00+08:00, or local: 2026-11-11T20:00',
  );
}

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a whole number from ${min} to ${max}`);

const windowIds = DEFAULT_WINDOWS.map(({ id }) => id);
const [firstWindow = '1h', ...otherWindows] = windowIds;

export const PARAMS = {
  brand: text().optional().describe('Needed where there is more than one'),
  channel: text()
    .default('all')
    .describe(`all (distinct persons), or one channel such as ${KNOWN_CHANNELS.slice(0, 3).join(', ')}`),
  window: choice([firstWindow, ...otherWindows])
    .default('1h')
    .describe('Width of the window'),
  at: text()
    .optional()
    .describe(
      'As of this instant: events before it count. ISO 8601 with its offset, or local in the zone of the days; ' +
        'default: now. One that time has not reached is answered as of the newest end there is: see as_of',
    ),
  scheme: text().optional().describe('Scheme of tiers and Conversion; default rolling:30d'),
  from: instant().optional().describe('First end of a window; ISO 8601 with its offset'),
  to: instant().optional().describe('Last end of a window; ISO 8601 with its offset; default: the newest'),
  points: wholeNumber(1, 1_000)
    .default(240)
    .describe('At most so many ends; where there are more, every n-th is taken'),
  person: text().optional().describe('Only of this person (a pseudonym)'),
  tier: wholeNumber(0, 5).optional().describe('Only of this tier'),
  order: choice(['oldest', 'newest']).default('oldest').describe('What comes first'),
  after: text().optional().describe('`next` of the page before'),
  limit: wholeNumber(1, 1_000).default(100).describe('Rows of a page at most'),
  by: choice(['period', 'day']).default('period').describe('The close of each period, or of each day'),
  zone: timeZone().optional().describe('Zone of the days, a tz database name; default: that of the log'),
} as const;

const SCHEME_FORMS =
  'rolling:30d, calendar:month, span:FROM..TO (days, TO not included), or campaign:FROM..TO,BASEFROM';

const foldedAt = text()
  .optional()
  .describe(
    'As of this instant: events before it count. ISO 8601 with its offset, or local in the zone; ' +
      'default: the last event + 1 ms',
  );

/** Of `/tiers`, which asks as `gravity tiers` does. */
export const TIERS_PARAMS = {
  scheme: text().default('rolling:30d').describe(SCHEME_FORMS),
  at: foldedAt,
  format: choice(['json']).default('json').describe('Of the answer'),
} as const;

/** Of `/whatif`, which asks as `gravity whatif` does. */
export const WHAT_IF_PARAMS = {
  scheme: text().default('rolling:30d').describe(`The scheme to try: ${SCHEME_FORMS}`),
  against: text()
    .optional()
    .describe(
      'What it is compared with: the id of a scheme of the log, or one such as above; default: the first',
    ),
  zero_orders: choice(['count', 'ignore'])
    .optional()
    .describe('Does a payment of 0 count as a purchase under the scheme to try? Default: as in the log'),
  at: foldedAt,
  moved: choice(['true', 'false'])
    .default('false')
    .transform((word) => word === 'true')
    .describe('With everybody who would stand elsewhere'),
} as const;

const localDay = () => text().refine((day) => dayFromText(day) !== null, 'expected a day YYYY-MM-DD');

/** Of `/tier-flows`. */
export const FLOWS_PARAMS = {
  from_day: localDay().optional().describe('First local day YYYY-MM-DD; default: the last day'),
  to_day: localDay().optional().describe('Last local day, included; default: the day that time has reached'),
  by: choice(['span', 'day']).default('span').describe('One matrix over all days, or one for each'),
} as const;

/** Of `/late-events`, which are found by their own time and in any window. */
export const LATE_PARAMS = {
  window: choice([firstWindow, ...otherWindows])
    .optional()
    .describe('Only what missed ends of this window; default: of every window'),
  from: instant().optional().describe('Events of this instant or later; ISO 8601 with its offset'),
  to: instant().optional().describe('Events before this instant; ISO 8601 with its offset'),
} as const;

export type ParamShape = Readonly<Record<string, z.ZodType>>;
export type ParamsOf<Shape extends ParamShape> = { readonly [Key in keyof Shape]: z.output<Shape[Key]> };

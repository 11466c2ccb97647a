/** What `gravity reopen` is asked to count anew: ends of a window, or days of a scheme. */
import {
  addDays,
  planDays,
  planRestatement,
  type PlanOptions,
  type Reopened,
  type ReopenedDays,
  type RestatementPlan,
} from '#clickhouse';
import { ALL_CHANNELS, defaultRules, type Rules, type Scheme } from '#domain';
import type { Platform } from '#platform';
import { instantFromText } from '../../console/tiers/instant-text.js';
import { dayZoneOf, rulesOfLog } from '../../simulator/recorded/replay-log.js';
import { brandEntries } from '../brands.js';
import { noChannel, usageError } from '../exit-codes.js';
import type { WholeFigures } from '../fold/with-whole-figures.js';

export interface ReopeningFlags {
  readonly brand?: string;
  readonly channel?: string;
  readonly window?: string;
  readonly scheme?: string;
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface Reopening {
  readonly whose: { readonly brand: string; readonly channel: string | null };
  readonly unit: 'ends' | 'days';
  /** What of, as the summary tells it. */
  readonly summary: Readonly<Record<string, string>>;
  plan(options: PlanOptions): Promise<RestatementPlan>;
}

const DAY_MS = 86_400_000;

/**
 * What was asked for is looked at before the log is folded to its end, whom it is about after that.
 * @throws CliError (usage)   there is no such window, scheme or period, or an instant is none
 * @throws CliError           there is no such brand or channel
 */
export async function reopenedBy(figures: WholeFigures, flags: ReopeningFlags): Promise<Reopening> {
  const { platform } = figures;
  const found = await rulesOfLog(platform.log, platform.codecs().log);
  const rules = found?.rules ?? defaultRules();
  if (flags.scheme === undefined) {
    const span = endsOf(flags, rules);
    await figures.catchUp();
    const whose = await whoseOf(platform, flags);
    return {
      ...{ whose, unit: 'ends' },
      summary: {
        ...{ window: span.window.id, from: new Date(span.from).toISOString() },
        to: new Date(span.to).toISOString(),
      },
      plan: (options) => planRestatement(platform.clickhouse, { ...whose, ...span }, options),
    };
  }
  const span = daysOf(flags, rules);
  await figures.catchUp();
  const whose = await whoseOf(platform, flags);
  const asked: ReopenedDays = {
    ...{ ...whose, ...span, since: found?.schemesSince.get(span.scheme.id) ?? -Infinity },
    ...{ refundHorizonMs: rules.refundHorizonDays * DAY_MS, stateLatenessMs: rules.stateLatenessMs },
    ledger: rules.windows.at(-1) ?? null,
  };
  return {
    ...{ whose, unit: 'days' },
    summary: { scheme_id: span.scheme.id, from_day: span.from, to_day: span.to },
    plan: (options) => planDays(platform.clickhouse, asked, options),
  };
}

function endsOf(flags: ReopeningFlags, rules: Rules): Pick<Reopened, 'window' | 'from' | 'to'> {
  const window = rules.windows.find(({ id }) => id === flags.window);
  if (window === undefined) {
    const ids = rules.windows.map(({ id }) => id).join(', ');
    throw usageError(`--window ${flags.window ?? ''}: the log has ${ids}`);
  }
  const zone = dayZoneOf(rules) ?? 'UTC';
  const from = instantOf('--from', flags.from ?? '', zone);
  const to = instantOf('--to', flags.to ?? '', zone);
  if (from > to) throw usageError(`--from ${flags.from ?? ''} is after --to ${flags.to ?? ''}`);
  return { window, from, to };
}

function daysOf(flags: ReopeningFlags, rules: Rules): Pick<ReopenedDays, 'scheme' | 'from' | 'to'> {
  const schemes = rules.schemes.filter(({ brand }) => brand === null || brand === flags.brand);
  const scheme = schemes.find(({ id }) => id === flags.scheme);
  if (scheme === undefined) {
    const ids = schemes.map(({ id }) => id).join(', ');
    throw usageError(`--scheme ${flags.scheme ?? ''}: the log has ${ids}`);
  }
  if (flags.period !== undefined) return { scheme, ...daysOfPeriod(scheme, flags.period) };
  const from = dayOf('--from', flags.from ?? '');
  const to = dayOf('--to', flags.to ?? '');
  if (from > to) throw usageError(`--from ${from} is after --to ${to}`);
  return { scheme, from, to };
}

function daysOfPeriod({ id, period }: Scheme, asked: string): { readonly from: string; readonly to: string } {
  if (period.kind === 'calendarMonth' && isDay(`${asked}-01`)) {
    const from = `${asked}-01`;
    return { from, to: addDays(`${addDays(from, 31).slice(0, 7)}-01`, -1) };
  }
  if ((period.kind === 'span' || period.kind === 'campaign') && asked === id) {
    return { from: period.from, to: addDays(period.to, -1) };
  }
  const expected = {
    ...{ rolling: 'it moves along with time, so name its days with --from and --to' },
    ...{
      calendarMonth: 'expected a month such as 2026-10',
      span: `expected ${id}`,
      campaign: `expected ${id}`,
    },
  };
  throw usageError(`--period ${asked} of ${id}: ${expected[period.kind]}`);
}

function dayOf(option: string, text: string): string {
  if (isDay(text)) return text;
  throw usageError(`${option} ${text}: expected a local day such as 2026-10-01`);
}

function isDay(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}

async function whoseOf({ clickhouse }: Platform, flags: ReopeningFlags): Promise<Reopening['whose']> {
  const [{ brand, channels }] = await brandEntries(clickhouse, flags.brand);
  const { channel = null } = flags;
  if (channel !== null && channel !== ALL_CHANNELS && !channels.includes(channel)) {
    throw noChannel(brand, channel, channels);
  }
  return { brand, channel };
}

function instantOf(option: string, text: string, zone: string): number {
  const at = instantFromText(text, zone);
  if (at !== null) return at;
  throw usageError(
    `${option} ${text}: expected an instant such as 2024-11-12, 2024-11-11T20:00 or 2024-11-11T12:00:00Z`,
  );
}

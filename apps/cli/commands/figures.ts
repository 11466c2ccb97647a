/** `gravity figures`: the FAST+ figures of a brand, as the API gives them. */
import { Command, Option } from 'commander';
import type { ClickHouse } from '#clickhouse';
import { ALL_CHANNELS, dayFromText, DEFAULT_WINDOWS } from '#domain';
import { TOPICS } from '#pipeline';
import type { Platform } from '#platform';
import { answerBreakdowns } from '../../console/figures/answer-breakdowns.js';
import { answerFigures } from '../../console/figures/answer-figures.js';
import { answerTierFlows } from '../../console/figures/answer-tier-flows.js';
import { printableList } from '../../simulator/recorded/printable-text.js';
import { dayZoneOf, lastRules } from '../../simulator/recorded/replay-log.js';
import { atOption, parseAt } from '../at-option.js';
import { brandEntries } from '../brands.js';
import { cliConfig, isEmbedded } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertLogExists, runningHolder } from '../data-directory.js';
import { CliError, noChannel, usageError } from '../exit-codes.js';
import { openPlatform } from '../open-platform.js';
import { askRunning } from '../running-api.js';

/** What is asked for, and the route of the API that answers it. */
const SUBJECTS = ['figures', 'breakdowns', 'tier-flows'] as const;
type Subject = (typeof SUBJECTS)[number];

interface FiguresFlags {
  readonly of: Subject;
  readonly fromDay?: string;
  readonly toDay?: string;
  readonly by: 'span' | 'day';
  readonly dataDir?: string;
  readonly brand?: string;
  readonly channel: string;
  readonly window: string;
  readonly scheme: string;
  readonly at?: string;
}

export function figuresCommand(io: CliIo): Command {
  return new Command('figures')
    .description('Capital, Connection, Conversion, tiers and GMV of a brand as JSON, with the stamp of each')
    .option(
      '--data-dir <dir>',
      'folder of the embedded log and tables (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .addOption(
      new Option(
        '--of <subject>',
        'breakdowns: links by kind and source, GMV by tier and more; tier-flows: who moved, and why',
      )
        .choices([...SUBJECTS])
        .default('figures'),
    )
    .option('--brand <name>', 'needed where there is more than one')
    .option('--channel <name>', 'one channel, or all', ALL_CHANNELS)
    .addOption(
      new Option('--window <window>', 'of Connection and GMV')
        .choices(DEFAULT_WINDOWS.map(({ id }) => id))
        .default('30d'),
    )
    .option('--scheme <id>', 'whose tiers and Conversion are given', 'rolling:30d')
    .addOption(atOption())
    .option('--from-day <day>', 'of tier-flows: first local day YYYY-MM-DD (default: the last one)')
    .option('--to-day <day>', 'of tier-flows: last local day, included (default: that time has reached)')
    .addOption(
      new Option('--by <what>', 'of tier-flows: one matrix, or one a day')
        .choices(['span', 'day'])
        .default('span'),
    )
    .action((flags: FiguresFlags) => runFigures(flags, io));
}

/** Rather than pass over what somebody has asked. @throws CliError (usage) */
function refuseForeign(flags: FiguresFlags): void {
  const isFlows = flags.of === 'tier-flows';
  const foreign = isFlows ? { '--at': flags.at } : { '--from-day': flags.fromDay, '--to-day': flags.toDay };
  for (const [option, value] of Object.entries(foreign)) {
    if (value !== undefined) throw usageError(`${option} is not for --of ${flags.of}`);
  }
}

async function runFigures(flags: FiguresFlags, io: CliIo): Promise<void> {
  refuseForeign(flags);
  const config = cliConfig(io, flags);
  const holder = isEmbedded(config) ? runningHolder(config.dataDir) : null;
  if (holder !== null) {
    print(await askRunning(config.dataDir, holder, flags.of, queryOf(flags)), io);
    return;
  }
  if (isEmbedded(config)) assertLogExists(config.dataDir);
  const platform = await openPlatform(config, io);
  try {
    await platform.ready(io.signal);
    print(await figuresOf(platform, flags), io);
  } finally {
    await platform.close();
  }
}

function queryOf(flags: FiguresFlags): Readonly<Record<string, string>> {
  const { brand, scheme, channel, window, at, fromDay, toDay, by } = flags;
  const asked =
    flags.of === 'tier-flows'
      ? { brand, scheme, from_day: fromDay, to_day: toDay, by }
      : { brand, scheme, channel, window, at };
  return Object.fromEntries(
    Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function figuresOf(platform: Platform, flags: FiguresFlags): Promise<unknown> {
  const { log, clickhouse } = platform;
  const rules = await lastRules(log, platform.codecs().log);
  const scheme = rules?.schemes.find(({ id }) => id === flags.scheme);
  if (rules !== null && scheme === undefined) {
    throw usageError(`--scheme ${flags.scheme}: the log has ${rules.schemes.map(({ id }) => id).join(', ')}`);
  }
  const zone = scheme?.zone ?? (rules === null ? null : dayZoneOf(rules)) ?? 'UTC';
  const common = {
    brand: await brandOf(clickhouse, flags),
    schemeId: flags.scheme,
    partitionsTotal: (await log.ends(TOPICS.relationshipLog)).length,
    zone,
  };
  const answer = await answerOf(clickhouse, flags, common);
  if (answer === null) throw new CliError('there are no figures yet');
  return answer;
}

function answerOf(clickhouse: ClickHouse, flags: FiguresFlags, common: CommonQuestion): Promise<unknown> {
  const { channel, window } = flags;
  const at = flags.at === undefined ? null : parseAt(flags.at, common.zone);
  switch (flags.of) {
    case 'figures':
      return answerFigures(clickhouse, { ...common, channel, window, at });
    case 'breakdowns':
      return answerBreakdowns(clickhouse, { ...common, channel, window, at });
    case 'tier-flows':
      return answerTierFlows(clickhouse, {
        ...common,
        fromDay: dayOf(flags.fromDay, '--from-day'),
        toDay: dayOf(flags.toDay, '--to-day'),
        byDay: flags.by === 'day',
      });
  }
}

interface CommonQuestion {
  readonly brand: string;
  readonly schemeId: string;
  readonly partitionsTotal: number;
  readonly zone: string;
}

function dayOf(text: string | undefined, option: string): string | null {
  if (text === undefined || dayFromText(text) !== null) return text ?? null;
  throw usageError(`${option} ${text}: expected a day YYYY-MM-DD`);
}

/**
 * The brand that is named, or the only one.
 * @throws CliError   there are no figures, not of this brand or channel, or (usage) of more than one
 */
async function brandOf(clickhouse: ClickHouse, { brand, channel }: FiguresFlags): Promise<string> {
  const entries = await brandEntries(clickhouse, brand);
  const [entry] = entries;
  if (entries.length > 1) {
    const names = entries.map((one) => one.brand).sort();
    throw usageError(`there are several brands; name one by --brand: ${printableList(names)}`);
  }
  if (channel !== ALL_CHANNELS && !entry.channels.includes(channel)) {
    throw noChannel(entry.brand, channel, entry.channels);
  }
  return entry.brand;
}

function print(answer: unknown, io: CliIo): void {
  io.out(`${JSON.stringify(answer, null, 2)}\n`);
}

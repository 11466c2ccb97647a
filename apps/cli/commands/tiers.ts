/** `gravity tiers`: everybody's tier, from the folded state. */
import { Command, Option } from 'commander';
import { personSummaries, type Rules } from '#domain';
import { refold } from '#pipeline';
import { dayZoneOf, lastRules } from '../../simulator/recorded/replay-log.js';
import { atOption, parseAt } from '../at-option.js';
import { cliConfig, isEmbedded } from '../cli-config.js';
import { type CliIo } from '../cli-io.js';
import { runningHolder, withDataDirectory } from '../data-directory.js';
import { CliError, usageError } from '../exit-codes.js';
import { openLog, type OpenLog } from '../log-access.js';
import { parseZone } from '../option-parsers.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { askRunning, tierRowsFrom } from '../running-api.js';
import { parsePeriod, schemeOf } from '../scheme-option.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat } from '../table-output.js';
import { compareTierRows, TIER_COLUMNS, tierRow, type TierRow } from '../tier-rows.js';

interface TiersFlags {
  readonly dataDir?: string;
  readonly scheme: string;
  readonly zone?: string;
  readonly at?: string;
  readonly brand?: string;
  readonly format: OutputFormat;
}

export function tiersCommand(io: CliIo): Command {
  return new Command('tiers')
    .description("every person's tier, purchase days and own value at an instant, folded from the log")
    .option('--data-dir <dir>', 'folder of the embedded log (default: GRAVITY_DATA_DIR or .gravity)')
    .option(
      '--scheme <scheme>',
      'rolling:30d, calendar:month, or span:FROM..TO (days, TO not included)',
      'rolling:30d',
    )
    .addOption(
      new Option('--zone <zone>', 'zone of its days (default: that of the log)').argParser(parseZone),
    )
    .addOption(atOption())
    .option('--brand <name>', 'only this brand (needed where the log holds more than one)')
    .addOption(new Option('--format <format>', 'of the result').choices(OUTPUT_FORMATS).default('csv'))
    .addHelpText(
      'after',
      '\nOrders, own value, first and last purchase are lifetime, up to --at; money is net, in minor units.\n' +
        'purchase_days are those that count in the period of the scheme. Guests are no persons.',
    )
    .action((flags: TiersFlags) => runTiers(flags, io));
}

async function runTiers(flags: TiersFlags, io: CliIo): Promise<void> {
  const period = parsePeriod(flags.scheme);
  if (period === null) {
    throw usageError(
      `--scheme ${flags.scheme}: expected rolling:30d, calendar:month or span:YYYY-MM-DD..YYYY-MM-DD`,
    );
  }
  const config = cliConfig(io, flags);
  const holder = isEmbedded(config) ? runningHolder(config.dataDir) : null;
  const rows =
    holder !== null
      ? tierRowsFrom(await askRunning(config.dataDir, holder, 'tiers', { ...queryOf(flags), format: 'json' }))
      : isEmbedded(config)
        ? await withDataDirectory(config.dataDir, () => folded(flags, io))
        : await folded(flags, io);
  for (const piece of formatRows(TIER_COLUMNS, rows, flags.format)) io.out(piece);
}

function queryOf({ scheme, zone, at, brand }: TiersFlags): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ scheme, zone, at, brand }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

async function folded(flags: TiersFlags, io: CliIo): Promise<TierRow[]> {
  const opened = await openLog(cliConfig(io, flags));
  try {
    return await foldTiers(opened, flags, io);
  } finally {
    await opened.close();
  }
}

async function foldTiers({ log, codec }: OpenLog, flags: TiersFlags, io: CliIo): Promise<TierRow[]> {
  const stored = await lastRules(log, codec);
  if (stored === null) throw new CliError('the log is empty');
  const period = parsePeriod(flags.scheme);
  if (period === null) throw usageError(`--scheme ${flags.scheme}`);
  const zone = flags.zone ?? dayZoneOf(stored) ?? 'UTC';
  const zeroOrderCounts = stored.schemes[0]?.zeroOrderCounts ?? true;
  const rules: Rules = { ...stored, schemes: [schemeOf(flags.scheme, period, zone, zeroOrderCounts)] };
  const before = flags.at === undefined ? null : parseAt(flags.at, zone);
  const line = new ProgressLine(io);
  const { states, lastEventAt } = await refold({
    log,
    codec,
    rules,
    before,
    onProgress: ({ records, total }) =>
      line.update(() => `folding: ${percent(records, total)}, ${formatCount(records)} records`),
  });
  line.clear();
  if (lastEventAt === null) return [];
  // As of T counts what came before T, so the fold is asked for T − 1.
  const at = (before ?? lastEventAt + 1) - 1;
  const brands = new Set<string>();
  const rows: TierRow[] = [];
  for (const state of states.values()) {
    if (flags.brand !== undefined && state.brand !== flags.brand) continue;
    for (const summary of personSummaries(state, rules, at)) {
      brands.add(summary.brand);
      rows.push(tierRow(summary));
    }
  }
  if (brands.size > 1)
    throw usageError(`the log holds several brands; name one by --brand: ${[...brands].sort().join(', ')}`);
  return rows.sort(compareTierRows);
}

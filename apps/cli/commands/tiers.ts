/** `gravity tiers`: everybody's tier, from the folded state. */
import { Command, Option } from 'commander';
import { EmptyLogError, foldTiers, SeveralBrandsError } from '../../console/tiers/fold-tiers.js';
import { parsePeriod, SCHEME_EXPECTED } from '../../console/tiers/scheme-text.js';
import { TIER_COLUMNS, type TierRow } from '../../console/tiers/tier-rows.js';
import { atOption, parseAt } from '../at-option.js';
import { cliConfig, isEmbedded } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { runningHolder, withDataDirectory } from '../data-directory.js';
import { CliError, noBrand, usageError } from '../exit-codes.js';
import { openLog, type OpenLog } from '../log-access.js';
import { parseZone, SCHEME_HELP } from '../option-parsers.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { askRunning, tierRowsFrom } from '../running-api.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat } from '../table-output.js';

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
    .option('--scheme <scheme>', SCHEME_HELP, 'rolling:30d')
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
  if (parsePeriod(flags.scheme) === null) throw usageError(`--scheme ${flags.scheme}: ${SCHEME_EXPECTED}`);
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

async function folded(flags: TiersFlags, io: CliIo): Promise<readonly TierRow[]> {
  const opened = await openLog(cliConfig(io, flags));
  const line = new ProgressLine(io);
  const { scheme, zone = null, brand = null, at } = flags;
  const before = (dayZone: string): number | null => (at === undefined ? null : parseAt(at, dayZone));
  try {
    const { rows } = await foldTiers(opened, { scheme, zone, brand, before }, ({ records, total }) =>
      line.update(() => `folding: ${percent(records, total)}, ${formatCount(records)} records`),
    );
    if (brand !== null && rows.length === 0) await assertBrand(opened, scheme, brand);
    return rows;
  } catch (error) {
    if (error instanceof SeveralBrandsError) throw usageError(`${error.message}; name one by --brand`);
    if (error instanceof EmptyLogError) throw new CliError(error.message);
    throw error;
  } finally {
    line.clear();
    await opened.close();
  }
}

/**
 * Nobody of this brand has a tier yet at the instant that was asked for, or there is no such brand.
 * @throws CliError   persons of others are in the log, of this one never
 */
async function assertBrand(opened: OpenLog, scheme: string, brand: string): Promise<void> {
  const brands = await brandsOf(opened, scheme);
  if (brands.length > 0 && !brands.includes(brand)) throw new CliError(noBrand(brand, brands));
}

/** Those whose persons are in the log. */
async function brandsOf(opened: OpenLog, scheme: string): Promise<readonly string[]> {
  try {
    const { brand } = await foldTiers(opened, { scheme, zone: null, brand: null, before: () => null });
    return brand === null ? [] : [brand];
  } catch (error) {
    if (error instanceof SeveralBrandsError) return error.brands;
    throw error;
  }
}

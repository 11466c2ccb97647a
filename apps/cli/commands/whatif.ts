/** `gravity whatif`: tiers and Conversion as they would be under another scheme. */
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { EmptyLogError } from '../../console/tiers/fold-tiers.js';
import { parsePeriod, SCHEME_EXPECTED } from '../../console/tiers/scheme-text.js';
import {
  foldWhatIf,
  UnknownSchemeError,
  type BrandWhatIf,
  type MovedPerson,
  type WhatIf,
} from '../../console/whatif/fold-what-if.js';
import type { SchemeFigures } from '../../console/whatif/scheme-figures.js';
import { atOption, parseAt } from '../at-option.js';
import { cliConfig, isEmbedded } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { runningHolder, withDataDirectory } from '../data-directory.js';
import { CliError, usageError } from '../exit-codes.js';
import { openLog } from '../log-access.js';
import { parseZone, SCHEME_HELP } from '../option-parsers.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { askRunning, whatIfFrom } from '../running-api.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';

interface WhatIfFlags {
  readonly dataDir?: string;
  readonly scheme: string;
  readonly against?: string;
  readonly zone?: string;
  readonly zeroOrders?: 'count' | 'ignore';
  readonly at?: string;
  readonly brand?: string;
  readonly moved?: string;
  readonly format: OutputFormat;
}

const FIGURE_COLUMNS = ['brand', 'figure', 'against', 'candidate', 'difference'] as const;
const FLOW_COLUMNS = ['brand', 'from_tier', 'to_tier', 'persons'] as const;
const MOVED_COLUMNS = ['brand', 'person', 'from', 'to'] as const;

export function whatIfCommand(io: CliIo): Command {
  return new Command('whatif')
    .description(
      'what tiers and Conversion would be under another scheme: the log is folded again, nothing is written or published',
    )
    .option('--data-dir <dir>', 'folder of the embedded log (default: GRAVITY_DATA_DIR or .gravity)')
    .requiredOption('--scheme <scheme>', `the scheme to try: ${SCHEME_HELP}`)
    .option(
      '--against <scheme>',
      'what it is compared with: the id of a scheme of the log, or one such as above (default: the first of the log)',
    )
    .addOption(
      new Option('--zone <zone>', 'zone of its days (default: that of the log)').argParser(parseZone),
    )
    .addOption(
      new Option('--zero-orders <rule>', 'payments of 0 under it (default: as in the log)').choices([
        'count',
        'ignore',
      ]),
    )
    .addOption(atOption())
    .option('--brand <name>', 'only this brand (default: all)')
    .option('--moved <file>', 'write everybody who would stand elsewhere to this file, as CSV')
    .addOption(new Option('--format <format>', 'of the result').choices(OUTPUT_FORMATS).default('table'))
    .addHelpText(
      'after',
      '\nAs of the instant given, both schemes are applied to the same log from its first record on. Conversion is\n' +
        'deepened over capital_base, the Capital at the close of the period before; empty over 0.\n' +
        'csv has the figures; json has the figures, the tiers from which and to which persons move, and the instant.',
    )
    .action((flags: WhatIfFlags) => runWhatIf(flags, io));
}

async function runWhatIf(flags: WhatIfFlags, io: CliIo): Promise<void> {
  if (parsePeriod(flags.scheme) === null) throw usageError(`--scheme ${flags.scheme}: ${SCHEME_EXPECTED}`);
  const config = cliConfig(io, flags);
  const holder = isEmbedded(config) ? runningHolder(config.dataDir) : null;
  const found =
    holder !== null
      ? whatIfFrom(await askRunning(config.dataDir, holder, 'whatif', queryOf(flags)))
      : isEmbedded(config)
        ? await withDataDirectory(config.dataDir, () => folded(flags, io))
        : await folded(flags, io);
  if (found.brands.length === 0 && flags.brand !== undefined) {
    throw new CliError(`nobody of brand "${flags.brand}" is known at that instant`);
  }
  if (flags.moved !== undefined) writeMoved(flags.moved, found.moved);
  for (const piece of render(found, flags.format)) io.out(piece);
}

function queryOf(flags: WhatIfFlags): Record<string, string> {
  const { scheme, against, zone, zeroOrders, at, brand, moved } = flags;
  const query = {
    ...{ scheme, against, zone, at, brand },
    zero_orders: zeroOrders,
    moved: moved === undefined ? undefined : 'true',
  };
  return Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function folded(flags: WhatIfFlags, io: CliIo): Promise<WhatIf> {
  const opened = await openLog(cliConfig(io, flags));
  const line = new ProgressLine(io);
  const { scheme, against = null, zone = null, brand = null, zeroOrders, at } = flags;
  const question = {
    ...{ scheme, against, zone, brand },
    zeroOrderCounts: zeroOrders === undefined ? null : zeroOrders === 'count',
    before: (dayZone: string): number | null => (at === undefined ? null : parseAt(at, dayZone)),
  };
  try {
    return await foldWhatIf(opened, question, ({ records, total }) => {
      io.signal.throwIfAborted();
      line.update(() => `folding: ${percent(records, total)}, ${formatCount(records)} records`);
    });
  } catch (error) {
    if (error instanceof UnknownSchemeError) throw usageError(`--against ${error.scheme}: ${error.message}`);
    if (error instanceof EmptyLogError) throw new CliError(error.message);
    throw error;
  } finally {
    line.clear();
    await opened.close();
  }
}

function writeMoved(file: string, moved: readonly MovedPerson[]): void {
  writeFileSync(file, [...formatRows(MOVED_COLUMNS, moved, 'csv')].join(''));
}

function* render(found: WhatIf, format: OutputFormat): Generator<string> {
  const figures = found.brands.flatMap(figureRows);
  if (format === 'json') {
    const { at, zone, generation, brands } = found;
    const asOf = at === null ? null : new Date(at).toISOString();
    yield `${JSON.stringify({ as_of: asOf, zone, generation, brands }, null, 2)}\n`;
    return;
  }
  yield* formatRows(FIGURE_COLUMNS, figures, format);
  if (format !== 'table') return;
  const flows = found.brands.flatMap(({ brand, flows: ofBrand }) =>
    ofBrand
      .filter(({ from, to }) => from !== to)
      .map(({ from, to, persons }): Row => ({ brand, from_tier: from, to_tier: to, persons })),
  );
  yield '\n';
  yield* formatRows(FLOW_COLUMNS, flows, format);
}

function figureRows({ brand, against, candidate }: BrandWhatIf): Row[] {
  const row = (figure: string, of: (figures: SchemeFigures) => number | null): Row => {
    const [was, is] = [of(against), of(candidate)];
    const difference = was === null || is === null ? null : rounded(is - was);
    return { brand, figure, against: was, candidate: is, difference };
  };
  const tiers = against.tiers.map((_, tier) => row(`tier ${tier}`, (figures) => figures.tiers[tier] ?? 0));
  return [
    { brand, figure: 'scheme', against: against.scheme, candidate: candidate.scheme, difference: null },
    ...tiers,
    row('capital', (figures) => figures.capital),
    row('capital_base', (figures) => figures.capital_base),
    row('deepened', (figures) => figures.deepened),
    row('conversion', (figures) => rounded(figures.conversion)),
    row('deepened_cohort', (figures) => figures.deepened_cohort),
    row('conversion_cohort', (figures) => rounded(figures.conversion_cohort)),
  ];
}

function rounded(share: number | null): number | null {
  return share === null ? null : Number(share.toFixed(6));
}

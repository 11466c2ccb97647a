/** Options of `gravity replay`, most of which `gravity import` has too, and what they mean together. */
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { DEFAULT_ZONE } from '#domain';
import type {
  ColumnRef,
  ReadingOptions,
  SequencingOptions,
  SourceFile,
} from '../simulator/recorded/replay-options.js';
import type { RulesWish } from '../simulator/recorded/replay-log.js';
import type { ReplaySpeed } from '../simulator/recorded/replay-pace.js';
import { stampParser, TimeFormatError } from '../simulator/recorded/time-format.js';
import { ZoneClock } from '../simulator/recorded/zone-clock.js';
import { usageError } from './exit-codes.js';
import {
  parseCurrency,
  parseDelimiter,
  parseHours,
  parseList,
  parseName,
  parseSpeed,
  parseZone,
} from './option-parsers.js';

/** How recorded files are read, and what their rows become. */
export interface RecordedFlags {
  readonly dataDir?: string;
  readonly person?: string;
  readonly time?: string;
  readonly amount?: string;
  readonly quantity?: string;
  readonly price?: string;
  readonly order?: string;
  readonly kind?: string;
  readonly header: boolean;
  readonly delimiter: string;
  readonly timeFormat: string;
  readonly purchaseKinds: readonly string[];
  readonly refundKinds: readonly string[];
  readonly timeZone: string;
  readonly members: 'buyers' | 'none';
  readonly zeroOrders: 'count' | 'ignore';
  readonly brand: string;
  readonly currency: string;
  readonly source?: string;
  readonly pseudonymise?: string;
  readonly rejects?: string;
  readonly summary: 'text' | 'json';
}

export interface ReplayFlags extends RecordedFlags {
  readonly dayZone?: string;
  readonly fineHours: number;
  readonly speed: ReplaySpeed;
  readonly foldHere?: boolean;
}

export function withReplayOptions(command: Command): Command {
  return withRecordedOptions(command)
    .addOption(
      new Option(
        '--day-zone <zone>',
        'zone in which days are counted (default: the time zone, or that of the log)',
      ).argParser(parseZone),
    )
    .addOption(
      new Option(
        '--fine-hours <n>',
        'hours before the last row in which windows that slide by less than an hour have rows; older instants are counted when asked for',
      )
        .argParser(parseHours)
        .default(48),
    )
    .addOption(
      new Option('--speed <speed>', 'max, or recorded seconds per second (60: an hour passes in a minute)')
        .argParser(parseSpeed)
        .default('max'),
    )
    .option(
      '--fold-here',
      'on Kafka: fold and archive in this process, with its state in the data folder, rather than wait for the services',
    );
}

export function withRecordedOptions(command: Command): Command {
  return command
    .argument('<file...>', 'CSV, or NDJSON of canonical touchpoints; plain or gzip')
    .option(
      '--data-dir <dir>',
      'folder of the embedded log, state and tables (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .option('--person <column>', 'who bought; an empty cell is a guest (default: person)')
    .option('--time <column>', 'when (default: time)')
    .option('--amount <column>', 'what was paid or given back (default: amount)')
    .option('--quantity <column>', 'with --price instead of an amount; below 0 it is a refund')
    .option('--price <column>', 'price of one; quantity × price is exact')
    .option('--order <column>', 'rows with one value belong to one order (default: every row is an order)')
    .option(
      '--kind <column>',
      'purchase or refund; it beats the sign (default: an amount below 0 is a refund)',
    )
    .option('--no-header', 'the files have no header: columns are numbers from 1')
    .addOption(
      new Option('--delimiter <text>', 'between cells: a character, tab, or whitespace for runs of blanks')
        .argParser(parseDelimiter)
        .default(',', ','),
    )
    .option(
      '--time-format <format>',
      'auto (ISO, YYYY-MM-DD HH:mm[:ss], dates alone, epoch), epoch-s, epoch-ms, or a pattern such as "DD/MM/YYYY HH:mm"',
      'auto',
    )
    .addOption(listOption('--purchase-kinds <kinds>', 'values of --kind that are purchases', ['purchase']))
    .addOption(listOption('--refund-kinds <kinds>', 'values of --kind that are refunds', ['refund']))
    .addOption(
      new Option(
        '--time-zone <zone>',
        'zone of stamps without one; an hour that the clock skipped is moved past the gap, one that it showed twice is the first',
      )
        .argParser(parseZone)
        .default(DEFAULT_ZONE),
    )
    .addOption(
      new Option('--members <rule>', 'buyers: a first purchase is a join too; none: nobody is a member')
        .choices(['buyers', 'none'])
        .default('buyers'),
    )
    .addOption(
      new Option('--zero-orders <rule>', 'purchases of 0: purchases, or left out')
        .choices(['count', 'ignore'])
        .default('count'),
    )
    .addOption(
      new Option('--brand <name>', 'brand that the rows belong to').argParser(parseName).default('default'),
    )
    .addOption(new Option('--currency <code>', 'of the amounts').argParser(parseCurrency).default('CNY'))
    .addOption(
      new Option(
        '--source <name>',
        "name of the one file in the rows' ids (default: the file's base name)",
      ).argParser(parseName),
    )
    .option(
      '--pseudonymise <keyfile>',
      'replace person ids by HMAC-SHA-256 under this key; made if it does not exist',
    )
    .option('--rejects <file>', 'write every rejected row as CSV: source, row, reason, detail')
    .addOption(
      new Option('--summary <format>', 'of the summary on stdout').choices(['text', 'json']).default('text'),
    );
}

function listOption(flags: string, description: string, value: readonly string[]): Option {
  return new Option(flags, `${description}, separated by commas`)
    .argParser(parseList)
    .default(value, value.join(','));
}

/** @throws CliError (usage) */
export function readingOptions(flags: RecordedFlags): ReadingOptions {
  const column = (option: string, text: string | undefined): ColumnRef | null => {
    if (text === undefined) return null;
    if (flags.header) return text;
    if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
    throw usageError(`--${option} ${text}: without a header columns are numbers from 1`);
  };
  const required = (option: string, text: string | undefined): ColumnRef => {
    if (text === undefined && !flags.header) throw usageError(`--no-header needs --${option} with a number`);
    return column(option, text) ?? option;
  };
  const product = flags.quantity !== undefined && flags.price !== undefined;
  if (flags.price !== undefined && flags.quantity === undefined) throw usageError('--price needs --quantity');
  if (flags.price !== undefined && flags.amount !== undefined)
    throw usageError('--amount and --price exclude each other');
  try {
    stampParser(flags.timeFormat, new ZoneClock('UTC'));
  } catch (error) {
    if (error instanceof TimeFormatError) throw usageError(error.message);
    throw error;
  }
  const both = flags.purchaseKinds.find((kind) => flags.refundKinds.includes(kind));
  if (both !== undefined) throw usageError(`"${both}" is a purchase kind and a refund kind`);
  return {
    columns: {
      person: required('person', flags.person),
      time: required('time', flags.time),
      amount: product ? null : required('amount', flags.amount),
      quantity: column('quantity', flags.quantity),
      price: column('price', flags.price),
      order: column('order', flags.order),
      kind: column('kind', flags.kind),
    },
    header: flags.header,
    delimiter: flags.delimiter,
    timeFormat: flags.timeFormat,
    timeZone: flags.timeZone,
    purchaseKinds: flags.purchaseKinds,
    refundKinds: flags.refundKinds,
    zeroOrders: flags.zeroOrders,
    currency: flags.currency,
  };
}

export function sequencingOptions(flags: RecordedFlags): SequencingOptions {
  return { brand: flags.brand, members: flags.members, currency: flags.currency };
}

export function rulesWish(flags: ReplayFlags): RulesWish {
  return {
    dayZone: flags.dayZone ?? null,
    defaultDayZone: flags.timeZone,
    zeroOrderCounts: flags.zeroOrders === 'count',
    fineRowsMs: flags.fineHours * 3_600_000,
  };
}

/** @throws CliError (usage)   two files of one name: their rows would have the same ids */
export function sourceFiles(paths: readonly string[], flags: RecordedFlags): readonly SourceFile[] {
  if (flags.source !== undefined && paths.length > 1) throw usageError('--source names one file');
  const files = paths.map((path) => ({ path, name: flags.source ?? basename(path) }));
  const names = files.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return files;
  throw usageError(
    `two files are called ${twice}, and rows are known by the name of their file: rename one of them`,
  );
}

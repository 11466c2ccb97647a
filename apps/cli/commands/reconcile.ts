/** `gravity reconcile`: live figures held against what SQL makes of the raw facts. */
import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { defaultRules } from '#domain';
import type { Platform } from '#platform';
import { allOf, driftText, lookForDrift, type Findings } from '../../console/reconcile/look-for-drift.js';
import { rulesOfLog } from '../../simulator/recorded/replay-log.js';
import { brandEntries } from '../brands.js';
import type { CliIo } from '../cli-io.js';
import { CliError, usageError } from '../exit-codes.js';
import { withWholeFigures } from '../fold/with-whole-figures.js';
import { formatCount, ProgressLine } from '../progress-line.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';

interface ReconcileFlags {
  readonly dataDir?: string;
  readonly brand?: string;
  readonly window?: readonly string[];
  readonly ends: number;
  readonly allEnds?: readonly string[];
  readonly days: number;
  readonly format: OutputFormat;
}

/** `set_aside`: differ by what came too late or was imported (windows, periods), or are ahead of the watermark (persons). */
const COLUMNS = ['brand', 'what', 'compared', 'set_aside', 'differ'] as const;
const ENDS = 25;
const DAYS = 7;
const ENDS_MAX = 1_000_000;
const DRIFTS_SHOWN = 20;
/** Rows and raw facts come on two ways: a difference has to stand for as long as one may be behind the other. */
const SECOND_LOOK_MS = 5_000;
/** Somewhere between the ends that other runs of other numbers of ends look at. */
const OFFSET = 0.382;
const DAY_MS = 86_400_000;

export function reconcileCommand(io: CliIo): Command {
  return new Command('reconcile')
    .description(
      'hold live figures against a recount of the raw facts by SQL alone; exit code 1 where they differ',
    )
    .option(
      '--data-dir <dir>',
      'folder of the embedded log and tables (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .option('--brand <name>', 'this brand only (default: all)')
    .option('--window <window...>', 'these windows only (default: all of the log, persons and periods too)')
    .option('--ends <n>', 'closed ends to compare of each window, in every channel', parseEnds, ENDS)
    .option('--all-ends <window...>', 'all closed ends of these windows')
    .option(
      '--days <n>',
      'closed days to compare of each scheme, in every channel; all for all',
      parseDays,
      DAYS,
    )
    .addOption(new Option('--format <format>').choices([...OUTPUT_FORMATS]).default('table'))
    .action((flags: ReconcileFlags) => runReconcile(flags, io));
}

function parseEnds(text: string): number {
  const ends = Number(text);
  if (/^\d+$/.test(text) && ends >= 1 && ends <= ENDS_MAX) return ends;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${ENDS_MAX}`);
}

function parseDays(text: string): number {
  if (text === 'all') return Infinity;
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1 on, or all');
}

async function runReconcile(flags: ReconcileFlags, io: CliIo): Promise<void> {
  await withWholeFigures(flags, io, async ({ platform, isMoving, catchUp }) => {
    await catchUp();
    const first = await findingsOf(platform, flags, io);
    const looksAgain = isMoving && first.drifts.length > 0;
    if (looksAgain) await delay(SECOND_LOOK_MS);
    print(looksAgain ? await findingsOf(platform, flags, io) : first, flags, io);
  });
}

async function findingsOf(platform: Platform, flags: ReconcileFlags, io: CliIo): Promise<Findings> {
  const { clickhouse } = platform;
  const found = await rulesOfLog(platform.log, platform.codecs().log);
  const rules = found?.rules ?? defaultRules();
  const line = new ProgressLine(io);
  const asked = [...(flags.window ?? []), ...(flags.allEnds ?? [])];
  const unknown = asked.find((name) => rules.windows.every(({ id }) => id !== name));
  if (unknown !== undefined) {
    throw usageError(`window ${unknown}: the log has ${rules.windows.map(({ id }) => id).join(', ')}`);
  }
  const sample = {
    windows: rules.windows.filter(({ id }) => flags.window === undefined || asked.includes(id)),
    ...{ ends: flags.ends, wholeWindows: flags.allEnds ?? [], days: flags.days, offset: OFFSET },
    fineRowsFrom: rules.fineRowsFrom,
    schemes: flags.window === undefined ? rules.schemes : [],
    schemesSince: found?.schemesSince ?? new Map<string, number>(),
    ...{ refundHorizonMs: rules.refundHorizonDays * DAY_MS, stateLatenessMs: rules.stateLatenessMs },
  };
  const parts: Findings[] = [];
  for (const entry of await brandEntries(clickhouse, flags.brand)) {
    const found = await lookForDrift(clickhouse, entry, sample, (doing) => {
      io.signal.throwIfAborted();
      line.update(() => doing);
    });
    parts.push(found);
  }
  line.clear();
  return allOf(parts);
}

/** @throws CliError   figures differ */
function print({ comparisons, drifts }: Findings, { format }: ReconcileFlags, io: CliIo): void {
  const compared = comparisons.map(({ setAside, ...one }): Row => ({ ...one, set_aside: setAside }));
  if (format === 'json') io.out(`${JSON.stringify({ compared, drifts }, null, 2)}\n`);
  else {
    for (const piece of formatRows(COLUMNS, compared, format)) io.out(piece);
    for (const drift of drifts.slice(0, DRIFTS_SHOWN)) io.err(`${driftText(drift)}\n`);
    if (drifts.length > DRIFTS_SHOWN) io.err(`… and ${formatCount(drifts.length - DRIFTS_SHOWN)} more\n`);
  }
  if (drifts.length > 0)
    throw new CliError(`${formatCount(drifts.length)} figures differ from the raw facts`);
}

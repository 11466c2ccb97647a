/** `gravity reopen`: counts closed figures anew from the raw facts, with what came too late for them. */
import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { restate, RestatementRefused, type RestatementPlan } from '#clickhouse';
import { BUILD } from '#runtime';
import { changeAnswer } from '../../console/figures/answer-restatements.js';
import type { CliIo } from '../cli-io.js';
import { CliError, usageError } from '../exit-codes.js';
import { awaitArchive } from '../fold/await-archive.js';
import { withWholeFigures, type WholeFigures } from '../fold/with-whole-figures.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';
import { listRestatements } from './list-restatements.js';
import { reopenedBy, type Reopening, type ReopeningFlags } from './reopening.js';

export interface ReopenFlags extends ReopeningFlags {
  readonly list?: boolean;
  readonly limit: number;
  readonly dataDir?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly dryRun?: boolean;
  readonly acceptUnexplained?: boolean;
  readonly format: OutputFormat;
}

const COLUMNS = ['channel', 'figure', 'ends', 'before', 'after', 'largest', 'largest_at'] as const;
const TEXT_MAX = 1_000;
const LIST_MAX = 1_000;

const HELP_END = `
With --window, the ends from --from to --to are counted from all raw facts; with --scheme, the days from --from to
--to, or those of --period. Rows that differ are written as "restated". They have to be final: closed for longer than
the window's lateness, or that of states (7 days). Later rows of the stream do not undo it; a rebuild of the log under
a new epoch does. What differs although nothing came too late for it is refused: raw facts may be gone.
Sums of before and after are over the ends or days that change: one buyer more in 30 ends is 30 more.`;

export function reopenCommand(io: CliIo): Command {
  return new Command('reopen')
    .description(
      'restate closed figures of a window or of a period from the raw facts, late ones included; audited',
    )
    .option(
      '--data-dir <dir>',
      'folder of the embedded log and tables (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .option('--brand <name>', 'whose figures')
    .option(
      '--channel <name>',
      'one channel, or all for the figures over all (default: all and every channel)',
    )
    .option('--window <window>', 'ends of this window, such as 5m')
    .option('--scheme <id>', 'days of this scheme, such as rolling:30d or a campaign')
    .option(
      '--period <id>',
      'of --scheme: all days of a month (2026-10), of a campaign or of a span (its id)',
    )
    .option('--from <instant>', 'first end: ISO with a zone, or local in the day zone; or first local day')
    .option('--to <instant>', 'last end or day, included')
    .addOption(new Option('--reason <text>', 'why; kept in the audit').argParser(parseText))
    .addOption(
      new Option('--by <name>', 'who; kept in the audit (default: the user of this shell)').argParser(
        parseText,
      ),
    )
    .option('--dry-run', 'only say by how much each figure would change')
    .option('--accept-unexplained', 'restate also what differs although nothing came late for it')
    .option('--list', 'what was restated so far, the newest first (all brands, or --brand)')
    .option('--limit <n>', 'of --list: entries at most', parseLimit, 20)
    .addOption(new Option('--format <format>').choices([...OUTPUT_FORMATS]).default('table'))
    .addHelpText('after', HELP_END)
    .action((flags: ReopenFlags) =>
      flags.list === true ? listRestatements(flags, io) : runReopen(flags, io),
    );
}

function parseText(text: string): string {
  if (/^[^\p{Cc}\p{Cs}]+$/u.test(text) && text.trim() !== '' && text.length <= TEXT_MAX) return text;
  throw new InvalidArgumentError(`expected 1 to ${TEXT_MAX} characters without control characters`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= LIST_MAX) return limit;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${LIST_MAX}`);
}

interface Asked {
  readonly cause: { readonly by: string; readonly reason: string };
}

/** @throws CliError (usage) */
function askedOf(flags: ReopenFlags, io: CliIo): Asked {
  const needed = (name: 'brand' | 'window' | 'from' | 'to' | 'reason'): string => {
    const value = flags[name];
    if (value === undefined) throw usageError(`--${name} is needed (or --list); see gravity reopen --help`);
    return value;
  };
  needed('brand');
  if (flags.window !== undefined && flags.scheme !== undefined) {
    throw usageError('--window and --scheme: one of them at a time');
  }
  if (flags.scheme === undefined) needed('window');
  if (flags.period === undefined) {
    needed('from');
    needed('to');
  } else if (flags.scheme === undefined || flags.from !== undefined || flags.to !== undefined) {
    throw usageError('--period goes with --scheme, and instead of --from and --to');
  }
  const reason = needed('reason');
  const by = flags.by ?? io.env['USER'] ?? io.env['LOGNAME'];
  if (by === undefined) throw usageError('--by is needed: this shell names no user');
  return { cause: { by, reason } };
}

async function runReopen(flags: ReopenFlags, io: CliIo): Promise<void> {
  const asked = askedOf(flags, io);
  await withWholeFigures(flags, io, async (figures) => {
    try {
      await reopen(figures, await reopenedBy(figures, flags), asked, flags, io);
    } catch (error) {
      if (error instanceof RestatementRefused) throw new CliError(error.message);
      throw error;
    }
  });
}

async function reopen(
  { platform }: WholeFigures,
  reopening: Reopening,
  { cause }: Asked,
  flags: ReopenFlags,
  io: CliIo,
): Promise<void> {
  const line = new ProgressLine(io);
  const told =
    (what: string) =>
    (done: number, of: number): void => {
      io.signal.throwIfAborted();
      line.update(() => `${what}: ${formatCount(done)} of ${formatCount(of)} (${percent(done, of)})`);
    };
  const id = randomUUID();
  let plan: RestatementPlan;
  try {
    plan = await reopening.plan({
      awaitFacts: (positions) => awaitArchive(platform, positions, io.signal),
      acceptUnexplained: flags.acceptUnexplained === true,
      onProgress: told(`${reopening.unit} counted anew`),
    });
    if (flags.dryRun !== true) {
      const entry = { ...cause, id, at: Date.now(), build: BUILD, onProgress: told('rows written') };
      await restate(platform.clickhouse, reopening.whose, plan, entry);
    }
  } finally {
    line.clear();
  }
  print(plan, { id, reopening, isDry: flags.dryRun === true, format: flags.format }, io);
}

interface Outcome {
  readonly id: string;
  readonly reopening: Reopening;
  readonly isDry: boolean;
  readonly format: OutputFormat;
}

function print(plan: RestatementPlan, { id, reopening, isDry, format }: Outcome, io: CliIo): void {
  const { ends, endsChanged, rows } = plan;
  const changes = plan.changes.map(changeAnswer);
  if (format === 'json') {
    const summary = {
      ...{ id: isDry || rows.length === 0 ? null : id, dry_run: isDry, ...reopening.whose },
      ...reopening.summary,
      ...{ ends, ends_changed: endsChanged, rows: rows.length, changes },
    };
    io.out(`${JSON.stringify(summary, null, 2)}\n`);
    return;
  }
  const { unit } = reopening;
  const cells = changes.map((change): Row => ({ ...change }));
  if (cells.length > 0) for (const piece of formatRows(COLUMNS, cells, format)) io.out(piece);
  const counted = `${formatCount(endsChanged)} of ${formatCount(ends)} ${unit}`;
  if (isDry) io.err(`${counted} would change; nothing was written\n`);
  else if (rows.length === 0) io.err(`0 ${unit} changed: ${formatCount(ends)} say what the raw facts say\n`);
  else io.err(`${counted} restated: ${formatCount(rows.length)} rows, entry ${id} of the audit\n`);
}

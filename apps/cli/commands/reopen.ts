/** `gravity reopen`: counts a closed period of a window anew from the raw facts, with what came too late for it. */
import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  planRestatement,
  restate,
  RestatementRefused,
  type Reopened,
  type RestatementCause,
  type RestatementPlan,
} from '#clickhouse';
import { ALL_CHANNELS, defaultRules } from '#domain';
import { type Platform } from '#platform';
import { BUILD } from '#service';
import { changeAnswer } from '../../console/figures/answer-restatements.js';
import { instantFromText } from '../../console/tiers/instant-text.js';
import { dayZoneOf, lastRules } from '../../simulator/recorded/replay-log.js';
import { brandEntries } from '../brands.js';
import { cliConfig, isEmbedded } from '../cli-config.js';
import { type CliIo } from '../cli-io.js';
import { assertLogExists, assertUnlocked } from '../data-directory.js';
import { CliError, noChannel, usageError } from '../exit-codes.js';
import { awaitArchive } from '../fold/await-archive.js';
import { catchUp } from '../fold/catch-up.js';
import { openPlatform } from '../open-platform.js';
import { formatCount, percent, ProgressLine } from '../progress-line.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';
import { listRestatements } from './list-restatements.js';

export interface ReopenFlags {
  readonly list?: boolean;
  readonly limit: number;
  readonly dataDir?: string;
  readonly brand?: string;
  readonly channel?: string;
  readonly window?: string;
  readonly from?: string;
  readonly to?: string;
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
The ends from --from to --to are counted from all raw facts; rows that differ are written as "restated". They have to
be final: closed for longer than the window's lateness. Later rows of the stream do not undo it; a rebuild of the log
under a new epoch does. What differs although no event came too late for it is refused: raw facts may be gone.
Sums of before and after are over the ends that change: one buyer more in 30 ends is 30 more.`;

export function reopenCommand(io: CliIo): Command {
  return new Command('reopen')
    .description('restate a closed period of a window from the raw facts, late ones included; audited')
    .option(
      '--data-dir <dir>',
      'folder of the embedded log and tables (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .option('--brand <name>', 'whose figures')
    .option(
      '--channel <name>',
      'one channel, or all for the figures over all (default: all and every channel)',
    )
    .option('--window <window>', 'such as 5m')
    .option('--from <instant>', 'first end: ISO with a zone, or local in the day zone')
    .option('--to <instant>', 'last end, included')
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
  readonly brand: string;
  readonly channel: string | null;
  readonly window: string;
  readonly from: string;
  readonly to: string;
  readonly cause: Pick<RestatementCause, 'by' | 'reason'>;
}

/** @throws CliError (usage) */
function askedOf(flags: ReopenFlags, io: CliIo): Asked {
  const needed = (name: 'brand' | 'window' | 'from' | 'to' | 'reason'): string => {
    const value = flags[name];
    if (value === undefined) throw usageError(`--${name} is needed (or --list); see gravity reopen --help`);
    return value;
  };
  const period = {
    ...{ brand: needed('brand'), window: needed('window'), from: needed('from'), to: needed('to') },
    channel: flags.channel ?? null,
  };
  const reason = needed('reason');
  const by = flags.by ?? io.env['USER'] ?? io.env['LOGNAME'];
  if (by === undefined) throw usageError('--by is needed: this shell names no user');
  return { ...period, cause: { by, reason } };
}

async function runReopen(flags: ReopenFlags, io: CliIo): Promise<void> {
  const asked = askedOf(flags, io);
  const config = cliConfig(io, flags);
  if (isEmbedded(config)) {
    assertLogExists(config.dataDir);
    assertUnlocked(config.dataDir);
  }
  const platform = await openPlatform(config, io);
  try {
    await platform.ready(io.signal);
    const span = await spanOf(platform, asked);
    if (isEmbedded(config)) await catchUp(platform, config, io);
    await reopen(platform, { ...span, ...(await whoseOf(platform, asked)) }, asked, flags, io);
  } catch (error) {
    if (error instanceof RestatementRefused) throw new CliError(error.message);
    throw error;
  } finally {
    await platform.close();
  }
}

/** @throws CliError (usage)   the window is not there, or an instant is none */
async function spanOf(platform: Platform, asked: Asked): Promise<Pick<Reopened, 'window' | 'from' | 'to'>> {
  const rules = (await lastRules(platform.log, platform.codecs().log)) ?? defaultRules();
  const window = rules.windows.find(({ id }) => id === asked.window);
  if (window === undefined) {
    const ids = rules.windows.map(({ id }) => id).join(', ');
    throw usageError(`--window ${asked.window}: the log has ${ids}`);
  }
  const zone = dayZoneOf(rules) ?? 'UTC';
  const from = instantOf('--from', asked.from, zone);
  const to = instantOf('--to', asked.to, zone);
  if (from > to) throw usageError(`--from ${asked.from} is after --to ${asked.to}`);
  return { window, from, to };
}

/** @throws CliError   there is no such brand or channel */
async function whoseOf({ clickhouse }: Platform, asked: Asked): Promise<Pick<Reopened, 'brand' | 'channel'>> {
  const [{ brand, channels }] = await brandEntries(clickhouse, asked.brand);
  const { channel } = asked;
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

async function reopen(
  platform: Platform,
  period: Reopened,
  { cause }: Asked,
  flags: ReopenFlags,
  io: CliIo,
): Promise<void> {
  const { clickhouse } = platform;
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
    plan = await planRestatement(clickhouse, period, {
      awaitFacts: (positions) => awaitArchive(platform, positions, io.signal),
      acceptUnexplained: flags.acceptUnexplained === true,
      onProgress: told('ends counted anew'),
    });
    if (flags.dryRun !== true) {
      const entry = { ...cause, id, at: Date.now(), build: BUILD, onProgress: told('rows written') };
      await restate(clickhouse, period, plan, entry);
    }
  } finally {
    line.clear();
  }
  print(plan, { id, period, isDry: flags.dryRun === true, format: flags.format }, io);
}

interface Outcome {
  readonly id: string;
  readonly period: Reopened;
  readonly isDry: boolean;
  readonly format: OutputFormat;
}

function print(plan: RestatementPlan, { id, period, isDry, format }: Outcome, io: CliIo): void {
  const { ends, endsChanged, rows } = plan;
  const changes = plan.changes.map(changeAnswer);
  if (format === 'json') {
    const { brand, channel, window, from, to } = period;
    const summary = {
      ...{ id: isDry || rows.length === 0 ? null : id, dry_run: isDry, brand, channel, window: window.id },
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      ...{ ends, ends_changed: endsChanged, rows: rows.length, changes },
    };
    io.out(`${JSON.stringify(summary, null, 2)}\n`);
    return;
  }
  const cells = changes.map((change): Row => ({ ...change }));
  if (cells.length > 0) for (const piece of formatRows(COLUMNS, cells, format)) io.out(piece);
  const counted = `${formatCount(endsChanged)} of ${formatCount(ends)} ends`;
  if (isDry) io.err(`${counted} would change; nothing was written\n`);
  else if (rows.length === 0) io.err(`0 ends changed: ${formatCount(ends)} say what the raw facts say\n`);
  else io.err(`${counted} restated: ${formatCount(rows.length)} rows, entry ${id} of the audit\n`);
}

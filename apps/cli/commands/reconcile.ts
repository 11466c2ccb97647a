/** `gravity reconcile`: live figures held against what SQL makes of the raw facts. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { defaultRules } from '#domain';
import { type Platform } from '#platform';
import { allOf, driftText, lookForDrift, type Findings } from '../../console/reconcile/look-for-drift.js';
import { lastRules } from '../../simulator/recorded/replay-log.js';
import { brandEntries } from '../brands.js';
import { cliConfig, isEmbedded } from '../cli-config.js';
import { type CliIo } from '../cli-io.js';
import { assertLogExists, assertUnlocked } from '../data-directory.js';
import { CliError } from '../exit-codes.js';
import { catchUp } from '../fold/catch-up.js';
import { pause } from '../fold/fold-runner.js';
import { openPlatform } from '../open-platform.js';
import { formatCount, ProgressLine } from '../progress-line.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';

interface ReconcileFlags {
  readonly dataDir?: string;
  readonly brand?: string;
  readonly window?: readonly string[];
  readonly ends: number;
  readonly format: OutputFormat;
}

/** `set_aside`: differ by what came too late or was imported (windows), or are ahead of the watermark (persons). */
const COLUMNS = ['brand', 'what', 'compared', 'set_aside', 'differ'] as const;
const ENDS = 25;
const ENDS_MAX = 1_000_000;
const DRIFTS_SHOWN = 20;
/** Rows and raw facts come on two ways: a difference has to stand for as long as one may be behind the other. */
const SECOND_LOOK_MS = 5_000;
/** Somewhere between the ends that other runs of other numbers of ends look at. */
const OFFSET = 0.382;

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
    .option('--window <window...>', 'these windows only (default: all of the log)')
    .option('--ends <n>', 'closed ends to compare of each window, in every channel', parseEnds, ENDS)
    .addOption(new Option('--format <format>').choices([...OUTPUT_FORMATS]).default('table'))
    .action((flags: ReconcileFlags) => runReconcile(flags, io));
}

function parseEnds(text: string): number {
  const ends = Number(text);
  if (/^\d+$/.test(text) && ends >= 1 && ends <= ENDS_MAX) return ends;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${ENDS_MAX}`);
}

async function runReconcile(flags: ReconcileFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  if (isEmbedded(config)) {
    assertLogExists(config.dataDir);
    assertUnlocked(config.dataDir);
  }
  const platform = await openPlatform(config, io);
  try {
    await platform.ready(io.signal);
    if (isEmbedded(config)) await catchUp(platform, config, io);
    const first = await findingsOf(platform, flags, io);
    const isMoving = !isEmbedded(config) && first.drifts.length > 0;
    if (isMoving) await pause(SECOND_LOOK_MS);
    print(isMoving ? await findingsOf(platform, flags, io) : first, flags, io);
  } finally {
    await platform.close();
  }
}

async function findingsOf(platform: Platform, flags: ReconcileFlags, io: CliIo): Promise<Findings> {
  const { clickhouse } = platform;
  const rules = (await lastRules(platform.log, platform.codecs().log)) ?? defaultRules();
  const line = new ProgressLine(io);
  const sample = {
    windows: rules.windows.filter(({ id }) => flags.window?.includes(id) ?? true),
    ends: flags.ends,
    offset: OFFSET,
    fineRowsFrom: rules.fineRowsFrom,
    schemes: flags.window === undefined ? rules.schemes : [],
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

/** `gravity replay FILE…` */
import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { Pseudonymiser } from '#contracts';
import { MissingColumnError } from '../../simulator/recorded/column-mapping.js';
import { minorDigitsOf } from '../../simulator/recorded/currency.js';
import { keyHashOf, NothingToReplayError, replay } from '../../simulator/recorded/replay.js';
import { OlderThanLogError, OtherRulesError } from '../../simulator/recorded/replay-log.js';
import {
  type ReplayPlan,
  type ReplayProgress,
  type ReplayReport,
} from '../../simulator/recorded/replay-plan.js';
import { escapeControls } from '../../simulator/recorded/printable-text.js';
import { UnreadableFileError } from '../../simulator/recorded/text-lines.js';
import { cliConfig, isEmbedded, type CliConfig } from '../cli-config.js';
import { type CliIo } from '../cli-io.js';
import { assertUnlocked } from '../data-directory.js';
import { CliError, EXIT } from '../exit-codes.js';
import { PlatformHost } from '../platform-host.js';
import { formatCount, percent, ProgressLine, RateMeter } from '../progress-line.js';
import { pseudonymKey } from '../pseudonym-key.js';
import { RejectFile } from '../reject-file.js';
import { type ReplayHost } from '../replay-host.js';
import {
  readingOptions,
  rulesWish,
  sequencingOptions,
  sourceFiles,
  withReplayOptions,
  type ReplayFlags,
} from '../replay-options.js';
import { renderSummary, summaryOf } from '../replay-summary.js';

export function replayCommand(io: CliIo): Command {
  const command = new Command('replay').description(
    'send recorded purchases through the log, the fold and ClickHouse, in the order of time',
  );
  return withReplayOptions(command).action((paths: string[], flags: ReplayFlags) =>
    runReplay(paths, flags, io),
  );
}

async function runReplay(paths: readonly string[], flags: ReplayFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  if (isEmbedded(config) || flags.foldHere === true) assertUnlocked(config.dataDir);
  const plan = planOf(paths, flags, config, io);
  const startedAt = Date.now();
  const line = new ProgressLine(io);
  const rejects = flags.rejects === undefined ? null : new RejectFile(flags.rejects);
  const opened: { host: PlatformHost | null } = { host: null };
  try {
    const report = await replay(
      plan,
      async () => {
        line.note(`opening ${isEmbedded(config) ? config.dataDir : 'Kafka, registry and ClickHouse'} …`);
        opened.host = await PlatformHost.open(config, io, flags.foldHere === true);
        return opened.host.target;
      },
      {
        progress: progressOn(line),
        reject: (source, row, reason, detail) => rejects?.write(source, row, reason, detail),
        ready: async () => opened.host?.start(flags.speed !== 'max'),
      },
      io.signal,
    );
    await finish(report, opened.host, flags, startedAt, line, io);
  } catch (error) {
    throw explained(error);
  } finally {
    line.clear();
    await opened.host?.close();
    removeIfEmpty(join(config.dataDir, 'tmp'));
    rejects?.close();
  }
}

function planOf(paths: readonly string[], flags: ReplayFlags, config: CliConfig, io: CliIo): ReplayPlan {
  const files = sourceFiles(paths, flags);
  const reading = readingOptions(flags);
  // After the other options, so that one that is wrong leaves no key behind.
  const key = flags.pseudonymise === undefined ? null : pseudonymKey(flags.pseudonymise, io);
  const pseudonymiser = key === null ? null : new Pseudonymiser(key);
  return {
    files,
    reading,
    sequencing: sequencingOptions(flags),
    wish: rulesWish(flags),
    speed: flags.speed,
    pseudonyms:
      key === null || pseudonymiser === null
        ? null
        : { pseudonymise: (event) => pseudonymiser.apply(event), keyHash: keyHashOf(key) },
    sortDirectory: join(config.dataDir, 'tmp', `replay-${process.pid}`),
  };
}

async function finish(
  report: ReplayReport,
  host: ReplayHost | null,
  flags: ReplayFlags,
  startedAt: number,
  line: ProgressLine,
  io: CliIo,
): Promise<void> {
  if (host !== null && report.status !== 'stopped') {
    await host.waitDrained(
      ({ recordsLeft, rowsLeft }) =>
        line.update(
          () =>
            `folding and archiving: ${formatCount(recordsLeft)} records, ${formatCount(rowsLeft)} rows left`,
        ),
      io.signal,
    );
  }
  const isDrained = !io.signal.aborted && report.status !== 'stopped';
  const totals = host === null || !isDrained ? null : await host.totals(flags.brand);
  line.clear();
  const status = isDrained ? report.status : 'stopped';
  const summary = summaryOf({ ...report, status }, totals, Date.now() - startedAt);
  io.out(
    flags.summary === 'json'
      ? `${JSON.stringify(summary, null, 2)}\n`
      : renderSummary(summary, flags.currency, minorDigitsOf(flags.currency) ?? 2),
  );
  if (!isDrained) throw new CliError('stopped; the same command goes on from here', EXIT.interrupted);
}

function progressOn(line: ProgressLine): (progress: ReplayProgress) => void {
  const reading = new RateMeter();
  let writing: RateMeter | null = null;
  return (progress) => {
    if (progress.phase === 'read') {
      const { file, rowsRead, bytesRead, bytesTotal } = progress;
      line.update(
        () =>
          `reading ${escapeControls(file)}: ${percent(bytesRead, bytesTotal)}, ${formatCount(rowsRead)} rows, ${reading.perSecond(rowsRead)} rows/s`,
      );
      return;
    }
    writing ??= new RateMeter();
    const { rowsDone, rows, at } = progress;
    const rate = writing.perSecond(rowsDone);
    line.update(
      () =>
        `writing: ${percent(rowsDone, rows)}, ${formatCount(rowsDone)} rows, ${rate} rows/s, at ${new Date(at).toISOString()}`,
    );
  };
}

/** Failures that are the files' or the options', said without a stack trace. */
function explained(error: unknown): unknown {
  if (error instanceof NothingToReplayError) {
    const reasons = [...error.rows.rejected].map(
      ([reason, { count, examples }]) =>
        `\n  ${reason}: ${count}, first row ${examples[0]?.row ?? '?'} (${examples[0]?.detail ?? ''})`,
    );
    const hint = error.rows.rejected.has('BAD_TIME') ? '\nName the form of the time by --time-format.' : '';
    return new CliError(`${error.message}${reasons.join('')}${hint}`);
  }
  if (error instanceof MissingColumnError) return new CliError(error.message, EXIT.usage);
  if (
    error instanceof UnreadableFileError ||
    error instanceof OlderThanLogError ||
    error instanceof OtherRulesError
  ) {
    return new CliError(error.message);
  }
  return error;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Another replay works in it, or there was nothing to spill.
  }
}

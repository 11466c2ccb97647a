/** What a replay and an import of recorded files have in common on the command line. */
import { rmdirSync } from 'node:fs';
import { MissingColumnError } from '../simulator/recorded/column-mapping.js';
import { AheadOfLogError, NoTimeYetError } from '../simulator/recorded/import-rows.js';
import { escapeControls } from '../simulator/recorded/printable-text.js';
import { NothingToReplayError } from '../simulator/recorded/replay.js';
import { OlderThanLogError, OtherRulesError } from '../simulator/recorded/replay-log.js';
import type { SortProgress } from '../simulator/recorded/sorted-rows.js';
import { UnreadableFileError } from '../simulator/recorded/text-lines.js';
import { minorDigitsOf } from '../simulator/recorded/currency.js';
import type { CliIo } from './cli-io.js';
import { CliError, EXIT } from './exit-codes.js';
import { formatCount, percent, type ProgressLine, type RateMeter } from './progress-line.js';
import type { BrandTotals, ReplayHost } from './replay-host.js';
import type { RecordedFlags } from './replay-options.js';
import { renderSummary, summaryOf, type RecordedReport } from './replay-summary.js';

export function readingText(
  { file, rowsRead, bytesRead, bytesTotal }: SortProgress,
  rate: RateMeter,
): string {
  const rows = `${formatCount(rowsRead)} rows, ${rate.perSecond(rowsRead)} rows/s`;
  return `reading ${escapeControls(file)}: ${percent(bytesRead, bytesTotal)}, ${rows}`;
}

interface DrainedHost extends Pick<ReplayHost, 'waitDrained'> {
  /** Null where others count on meanwhile. */
  totals(brand: string): Promise<BrandTotals | null>;
}

/**
 * Waits for what was written to be folded and archived, and says what has become of it.
 * @throws CliError (interrupted)
 */
export async function finish(
  report: RecordedReport,
  host: DrainedHost | null,
  flags: RecordedFlags,
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

/** Failures that are the files' or the options', said without a stack trace. */
export function explained(error: unknown): unknown {
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
    error instanceof OtherRulesError ||
    error instanceof NoTimeYetError ||
    error instanceof AheadOfLogError
  ) {
    return new CliError(error.message);
  }
  return error;
}

export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Somebody else sorts in it, or there was nothing to spill.
  }
}

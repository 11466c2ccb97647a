/** `gravity import FILE…` */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { admissionLimits, pseudonymKeyFile } from '../../intake/judgement-settings.js';
import { LivePathSilentError } from '../../simulator/recorded/import-pace.js';
import { importRows, type ImportPlan, type ImportProgress } from '../../simulator/recorded/import-rows.js';
import { cliConfig, isEmbedded, type CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertLogExists, assertUnlocked } from '../data-directory.js';
import { CliError } from '../exit-codes.js';
import { EmbeddedImportHost, type ImportHost } from '../import-host.js';
import { withImportOptions, type ImportFlags } from '../import-options.js';
import { assertFitsIntake, KafkaImportHost } from '../kafka-import-host.js';
import { formatCount, percent, ProgressLine, RateMeter } from '../progress-line.js';
import { pseudonymsBy } from '../pseudonym-key.js';
import { explained, finish, readingText, removeIfEmpty } from '../recorded-run.js';
import { RejectFile } from '../reject-file.js';
import { readingOptions, sequencingOptions, sourceFiles } from '../replay-options.js';

const HELP_END = `
The rows go beside what the log has already, and move no time: they are never late, and whoever they change is told
of a restatement. On Kafka they go into the source topics, under the load that --lag-max allows; in a data folder,
which nobody else may have open, they are judged, folded and archived here. Files that go on beyond the log's own
time are refused there, and so is a folder without a log: \`gravity replay\` is for both.
The same files again change nothing, and after a stop the same command goes on.`;

export function importCommand(io: CliIo): Command {
  const command = new Command('import').description(
    'bring members and years of orders in beside live traffic, as history and not as news',
  );
  return withImportOptions(command)
    .addHelpText('after', HELP_END)
    .action((paths: string[], flags: ImportFlags) => runImport(paths, flags, io));
}

async function runImport(paths: readonly string[], flags: ImportFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  if (isEmbedded(config)) {
    assertUnlocked(config.dataDir);
    assertLogExists(config.dataDir);
  } else assertFitsIntake(flags, config);
  const line = new ProgressLine(io);
  const plan = planOf(paths, flags, config, line, io);
  const startedAt = Date.now();
  const rejects = RejectFile.open(flags.rejects, plan.files);
  const opened: { host: ImportHost | null } = { host: null };
  let isRead = false;
  try {
    const report = await importRows(
      plan,
      async () => {
        isRead = true;
        line.note(`opening ${isEmbedded(config) ? config.dataDir : 'Kafka and registry'} …`);
        opened.host = await (isEmbedded(config)
          ? EmbeddedImportHost.open(config, io)
          : KafkaImportHost.open(config));
        return opened.host.target;
      },
      {
        progress: progressOn(line),
        reject: (source, row, reason, detail) => rejects?.write(source, row, reason, detail),
        ready: async (rows) => opened.host?.start(rows),
      },
      io.signal,
    );
    await finish(report, opened.host, flags, startedAt, line, io);
  } catch (error) {
    if (error instanceof LivePathSilentError) {
      const hint = 'are the intake and relationship services running? The same command goes on from here';
      throw new CliError(`${error.message}: ${hint}`);
    }
    throw explained(error);
  } finally {
    line.clear();
    await opened.host?.close();
    removeIfEmpty(join(config.dataDir, 'tmp'));
    rejects?.close(isRead);
  }
}

function planOf(
  paths: readonly string[],
  flags: ImportFlags,
  config: CliConfig,
  line: ProgressLine,
  io: CliIo,
): ImportPlan {
  const files = sourceFiles(paths, flags);
  const reading = readingOptions(flags);
  // After the other options, so that one that is wrong leaves no key behind.
  const keyFile = isEmbedded(config) ? keyFileOf(flags, config, line) : null;
  const pseudonyms = pseudonymsBy(keyFile, io);
  return {
    files,
    reading,
    sequencing: sequencingOptions(flags),
    limits: { ...admissionLimits(config), currency: flags.currency },
    pseudonyms,
    rateMax: flags.rate,
    lagMax: flags.lagMax,
    sortDirectory: join(config.dataDir, 'tmp', `import-${process.pid}`),
  };
}

/** Where intake has worked in the folder, its persons are pseudonyms, and theirs have to be the same. */
function keyFileOf(flags: ImportFlags, config: CliConfig, line: ProgressLine): string | null {
  if (flags.pseudonymise !== undefined) return flags.pseudonymise;
  const own = pseudonymKeyFile(config);
  if (config.pseudonymKeyFile === undefined && !existsSync(own)) return null;
  line.note(`persons get the pseudonyms that intake gives them here, by ${own}`);
  return own;
}

function progressOn(line: ProgressLine): (progress: ImportProgress) => void {
  const reading = new RateMeter();
  let writing: RateMeter | null = null;
  return (progress) => {
    if (progress.phase === 'read') {
      line.update(() => readingText(progress, reading));
      return;
    }
    writing ??= new RateMeter();
    const { rowsDone, rows, waitingFor, lag } = progress;
    const rate = writing.perSecond(rowsDone);
    const waiting =
      waitingFor === null ? '' : `, waiting for ${waitingFor}: ${formatCount(lag)} records to go through`;
    line.update(
      () => `writing: ${percent(rowsDone, rows)}, ${formatCount(rowsDone)} rows, ${rate} rows/s${waiting}`,
    );
  };
}

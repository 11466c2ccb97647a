/** `gravity replay FILE…` */
import { join } from 'node:path';
import { Command } from 'commander';
import { replay } from '../../simulator/recorded/replay.js';
import type { ReplayPlan, ReplayProgress } from '../../simulator/recorded/replay-plan.js';
import { cliConfig, isEmbedded, type CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertUnlocked } from '../data-directory.js';
import { PlatformHost } from '../platform-host.js';
import { formatCount, percent, ProgressLine, RateMeter } from '../progress-line.js';
import { pseudonymsBy } from '../pseudonym-key.js';
import { explained, finish, readingText, removeIfEmpty } from '../recorded-run.js';
import { RejectFile } from '../reject-file.js';
import {
  readingOptions,
  rulesWish,
  sequencingOptions,
  sourceFiles,
  withReplayOptions,
  type ReplayFlags,
} from '../replay-options.js';

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
  const rejects = RejectFile.open(flags.rejects, plan.files);
  const opened: { host: PlatformHost | null } = { host: null };
  let isRead = false;
  try {
    const report = await replay(
      plan,
      async () => {
        isRead = true;
        line.note(`opening ${isEmbedded(config) ? config.dataDir : 'Kafka, registry and ClickHouse'} …`);
        opened.host = await PlatformHost.open(config, io, flags.foldHere === true);
        return opened.host.target;
      },
      {
        progress: progressOn(line),
        reject: (source, row, reason, detail) => rejects?.write(source, row, reason, detail),
        ready: async (rows) => opened.host?.start(rows, flags.speed !== 'max'),
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
    rejects?.close(isRead);
  }
}

function planOf(paths: readonly string[], flags: ReplayFlags, config: CliConfig, io: CliIo): ReplayPlan {
  const files = sourceFiles(paths, flags);
  const reading = readingOptions(flags);
  // After the other options, so that one that is wrong leaves no key behind.
  const pseudonyms = pseudonymsBy(flags.pseudonymise ?? null, io);
  return {
    files,
    reading,
    sequencing: sequencingOptions(flags),
    wish: rulesWish(flags),
    speed: flags.speed,
    pseudonyms,
    sortDirectory: join(config.dataDir, 'tmp', `replay-${process.pid}`),
  };
}

function progressOn(line: ProgressLine): (progress: ReplayProgress) => void {
  const reading = new RateMeter();
  let writing: RateMeter | null = null;
  return (progress) => {
    if (progress.phase === 'read') {
      line.update(() => readingText(progress, reading));
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

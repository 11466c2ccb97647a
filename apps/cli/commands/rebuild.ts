/** `gravity rebuild`: the whole log folded again beside the live fold, compared with it, and gone over to. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { generations, shownGeneration, type StoredGeneration } from '#clickhouse';
import type { SnapshotStore } from '#pipeline';
import type { Platform } from '#platform';
import { cliConfig, isEmbedded, type CliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { assertLogExists, assertUnlocked } from '../data-directory.js';
import { catchUp } from '../fold/catch-up.js';
import { openPlatform } from '../open-platform.js';
import { formatCount, ProgressLine } from '../progress-line.js';
import { discardGeneration } from '../rebuild/discard-generation.js';
import { LogRebuild } from '../rebuild/rebuild-log.js';
import { printRebuild } from '../rebuild/rebuild-report.js';
import { foldedNow, targetGeneration, type FoldedNow } from '../rebuild/rebuild-target.js';
import { formatRows, OUTPUT_FORMATS, type OutputFormat, type Row } from '../table-output.js';

interface RebuildFlags {
  readonly dataDir?: string;
  readonly switch?: boolean;
  readonly discard?: number;
  readonly list?: boolean;
  readonly format: OutputFormat;
}

const LIST_COLUMNS = ['generation', 'state', 'epoch', 'fold_version', 'began_at', 'changed_at', 'build'];

const HELP_END = `
The rebuild folds from the first record of the log, into a store of its own (in the data directory) and into rows of a
generation of its own, which readers are not shown. The live services go on. What it finds to be another tier or
figure than the live one is printed. Stopped, it goes on where it was.

--switch then goes over, partition by partition, each in one transaction: the live fold is fenced, comes back, and
goes on as the new generation, from a snapshot in GRAVITY_SNAPSHOT_DIR (without one it folds the log from its start).
No tier change is published twice; where a tier is another one than subscribers were told, they are told once, with
the cause RESTATE. Readers go over when all partitions have. All running services must be of this release.`;

export function rebuildCommand(io: CliIo): Command {
  return new Command('rebuild')
    .description('fold the whole log again beside the live fold, compare, and go over to it')
    .option(
      '--data-dir <dir>',
      'folder of the embedded log, and of the rebuilt store (default: GRAVITY_DATA_DIR or .gravity)',
    )
    .option('--switch', 'go over to it once it is built and compared')
    .addOption(
      new Option(
        '--discard <generation>',
        'give a generation up that is not folded (any more): rows, stores, snapshots',
      )
        .argParser(parseGeneration)
        .conflicts(['switch', 'list']),
    )
    .addOption(new Option('--list', 'the generations that were begun, the newest first').conflicts('switch'))
    .addOption(new Option('--format <format>').choices([...OUTPUT_FORMATS]).default('table'))
    .addHelpText('after', HELP_END)
    .action((flags: RebuildFlags) => runRebuild(flags, io));
}

function parseGeneration(text: string): number {
  const generation = Number(text);
  if (/^\d{1,9}$/.test(text) && generation >= 1) return generation;
  throw new InvalidArgumentError('expected the number of a generation; --list has them');
}

async function runRebuild(flags: RebuildFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  if (isEmbedded(config)) {
    assertLogExists(config.dataDir);
    assertUnlocked(config.dataDir);
  }
  const platform = await openPlatform(config, io, true);
  try {
    await platform.ready(io.signal);
    if (flags.list === true) return await list(platform, flags.format, io);
    const now = await foldedNow(platform);
    if (flags.discard !== undefined) {
      await discardGeneration(flags.discard, { platform, now, snapshots: snapshotsOf(platform, config) });
      io.err(`generation ${flags.discard} is given up; ClickHouse deletes its rows in the background\n`);
      return;
    }
    const isSwitched = await rebuild(platform, config, now, flags, io);
    // Not before: a store of another version of the fold could not be gone on with.
    if (isSwitched && isEmbedded(config)) await catchUp(platform, config, io);
  } finally {
    await platform.close();
  }
}

/** @returns whether it has gone over */
async function rebuild(
  platform: Platform,
  config: CliConfig,
  now: FoldedNow,
  flags: RebuildFlags,
  io: CliIo,
): Promise<boolean> {
  const line = new ProgressLine(io);
  const { entry: target, isNew } = await targetGeneration(platform, now);
  if (!isNew)
    line.note(
      `going on with generation ${target.generation}, begun ${new Date(target.beganAt).toISOString()}`,
    );
  const snapshots = snapshotsOf(platform, config);
  const parts = { platform, config, line, signal: io.signal, now, target, snapshots };
  const rebuilding = await LogRebuild.open(parts);
  let isDone = false;
  try {
    await rebuilding.build();
    const found = await rebuilding.compare();
    line.clear();
    if (flags.switch !== true) {
      printRebuild(found, null, flags.format, io);
      io.err('nothing was gone over to: the same command with --switch does so\n');
      return false;
    }
    if (snapshots === null) {
      line.note(
        'GRAVITY_SNAPSHOT_DIR is not set: each partition will be folded from the start of the log by its next owner',
      );
    }
    const restated = await rebuilding.switchOver();
    isDone = true;
    line.clear();
    printRebuild(found, restated, flags.format, io);
    io.err(
      `generation ${target.generation} is live; ${formatCount(restated)} tiers were restated to subscribers\n`,
    );
    return true;
  } finally {
    line.clear();
    rebuilding.close(isDone);
    if (isDone) rmSync(handOverDirectory(config), { recursive: true, force: true });
  }
}

/** On the embedded log the rebuilt stores are handed over on this disk, if nowhere else. */
function snapshotsOf(platform: Platform, { snapshotDir, dataDir }: CliConfig): SnapshotStore | null {
  if (snapshotDir !== undefined) return platform.openSnapshots(snapshotDir);
  return platform.isEmbedded ? platform.openSnapshots(handOverDirectory({ dataDir })) : null;
}

function handOverDirectory({ dataDir }: Pick<CliConfig, 'dataDir'>): string {
  return join(dataDir, 'state', 'rebuild-snapshots');
}

async function list({ clickhouse }: Platform, format: OutputFormat, io: CliIo): Promise<void> {
  const shown = await shownGeneration(clickhouse);
  const stateOf = ({ generation, state }: StoredGeneration) =>
    state === 'shown' && generation > shown ? 'folding' : state;
  const rows = (await generations(clickhouse)).map((one): Row => ({
    ...{ generation: one.generation, state: stateOf(one), epoch: one.epoch, fold_version: one.foldVersion },
    began_at: new Date(one.beganAt).toISOString(),
    changed_at: new Date(one.changedAt).toISOString(),
    build: one.build,
  }));
  for (const piece of formatRows(LIST_COLUMNS, rows, format)) io.out(piece);
}

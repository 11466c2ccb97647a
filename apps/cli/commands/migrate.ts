/** `gravity migrate`: brings ClickHouse's tables up to date. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { createClickHouse, migrate, MigrationError, type ClickHouse } from '#clickhouse';
import { migrationsDirectory } from '#platform';
import { cliConfig } from '../cli-config.js';
import type { CliIo } from '../cli-io.js';
import { clickHouseConfig, clickHouseFolder } from '../clickhouse-access.js';
import { assertUnlocked } from '../data-directory.js';
import { CliError } from '../exit-codes.js';
import { formatRows } from '../table-output.js';

interface MigrateFlags {
  readonly dataDir?: string;
  readonly dryRun?: boolean;
  readonly cluster?: string;
  readonly replicated?: boolean;
}

export function migrateCommand(io: CliIo): Command {
  return new Command('migrate')
    .description(
      'apply the migrations that ClickHouse (CLICKHOUSE_URL, else the embedded one) has not had yet',
    )
    .option('--data-dir <dir>', 'folder of the embedded ClickHouse (default: GRAVITY_DATA_DIR or .gravity)')
    .option('--dry-run', 'only say what would be done')
    .option('--cluster <name>', 'make the tables ON CLUSTER')
    .option('--replicated', 'with Replicated engines')
    .action((flags: MigrateFlags) => runMigrate(flags, io));
}

async function runMigrate(flags: MigrateFlags, io: CliIo): Promise<void> {
  const config = cliConfig(io, flags);
  if (config.clickhouseUrl === undefined) assertUnlocked(config.dataDir);
  const path = clickHouseFolder(config);
  // Opening an engine makes its folder: a dry run opens one elsewhere where there is none yet.
  const scratch =
    config.clickhouseUrl === undefined && flags.dryRun === true && !existsSync(path)
      ? mkdtempSync(join(tmpdir(), 'gravity-'))
      : null;
  try {
    await applyMigrations(await createClickHouse(clickHouseConfig(config, scratch ?? path)), flags, io);
  } finally {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  }
}

async function applyMigrations(clickhouse: ClickHouse, flags: MigrateFlags, io: CliIo): Promise<void> {
  try {
    await clickhouse.ping();
    const steps = await migrate(clickhouse, {
      directory: migrationsDirectory(),
      dryRun: flags.dryRun === true,
      ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
      replicated: flags.replicated === true,
    });
    const rows = steps.map(({ name, statements, action, checksum }) => ({
      migration: name,
      statements,
      action,
      checksum: checksum.slice(0, 12),
    }));
    for (const piece of formatRows(['migration', 'statements', 'action', 'checksum'], rows, 'table'))
      io.out(piece);
  } catch (error) {
    if (error instanceof MigrationError) throw new CliError(error.message);
    throw error;
  } finally {
    await clickhouse.close();
  }
}

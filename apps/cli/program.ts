/** The commands of `gravity`, and how they end. */
import { BUILD, ConfigError } from '#runtime';
import { Command, CommanderError } from 'commander';
import { deadLettersCommand } from './commands/dead-letters.js';
import { figuresCommand } from './commands/figures.js';
import { importCommand } from './commands/import.js';
import { migrateCommand } from './commands/migrate.js';
import { rebuildCommand } from './commands/rebuild.js';
import { reconcileCommand } from './commands/reconcile.js';
import { reopenCommand } from './commands/reopen.js';
import { repartitionCommand } from './commands/repartition.js';
import { replayCommand } from './commands/replay.js';
import { schemasCommand } from './commands/schemas.js';
import { snapshotsCommand } from './commands/snapshots.js';
import { tiersCommand } from './commands/tiers.js';
import { topicsCommand } from './commands/topics.js';
import { whatIfCommand } from './commands/whatif.js';
import type { CliIo } from './cli-io.js';
import { escapeControlsInLines } from '../simulator/recorded/printable-text.js';
import { CliError, EXIT } from './exit-codes.js';
import { plainFailure } from './plain-failure.js';

const HELP_END = `
Without KAFKA_BROKERS, SCHEMA_REGISTRY_URL and CLICKHOUSE_URL everything is embedded in the data directory.
Results go to stdout, progress to stderr.

Exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 the data directory is in use · 130 interrupted`;

/** @returns the exit code */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const program = programOf(io);
  // It may quote names that are in a file.
  const fail = (message: string): void => io.err(`gravity: ${escapeControlsInLines(message)}\n`);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError) {
      fail(error.message);
      return error.exitCode;
    }
    if (error instanceof ConfigError) {
      fail(error.message);
      return EXIT.usage;
    }
    if (io.signal.aborted) {
      io.err('gravity: interrupted\n');
      return EXIT.interrupted;
    }
    const plain = plainFailure(error);
    if (plain !== null) {
      fail(plain);
      return EXIT.failure;
    }
    io.err(`gravity: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.failure;
  }
}

function programOf(io: CliIo): Command {
  const program = new Command('gravity')
    .description('Channel Gravity: FAST+ figures from an event-sourced stream')
    .version(BUILD)
    .showHelpAfterError('(gravity --help, or gravity COMMAND --help, says more)')
    .addHelpText('after', HELP_END);
  const commands = [
    replayCommand(io),
    importCommand(io),
    tiersCommand(io),
    whatIfCommand(io),
    figuresCommand(io),
    reconcileCommand(io),
    reopenCommand(io),
    rebuildCommand(io),
    deadLettersCommand(io),
    snapshotsCommand(io),
    topicsCommand(io),
    repartitionCommand(io),
    schemasCommand(io),
    migrateCommand(io),
  ];
  for (const command of commands) program.addCommand(command);
  everyCommand(program, (command) => {
    command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  });
  return program;
}

/** Settings are inherited by `command()`, but not by `addCommand()`. */
function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}

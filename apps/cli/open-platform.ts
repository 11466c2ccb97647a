/** The platform for a command: its log lines go to stderr, and only when something is wrong. */
import { Platform } from '#platform';
import { AppLogger, ConfigError } from '#service';
import { DataDirectoryLockedError } from '#state-store';
import { isEmbedded, type CliConfig } from './cli-config.js';
import { type CliIo } from './cli-io.js';
import { lockedError } from './data-directory.js';
import { usageError } from './exit-codes.js';

/**
 * @param keepsState   this command writes to the data directory also where the log is Kafka
 * @throws CliError (locked, usage)
 */
export async function openPlatform(config: CliConfig, io: CliIo, keepsState = false): Promise<Platform> {
  const logger = AppLogger.create({
    service: 'gravity',
    level: config.logLevel === 'info' ? 'warn' : config.logLevel,
    stream: 'stderr',
    pretty: io.isTerminal,
  });
  try {
    return await Platform.open(config, keepsState || isEmbedded(config), logger);
  } catch (error) {
    if (error instanceof DataDirectoryLockedError) throw lockedError(config.dataDir, error);
    if (error instanceof ConfigError) throw usageError(error.message);
    throw error;
  }
}

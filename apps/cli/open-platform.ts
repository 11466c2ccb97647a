/** The platform for a command: its log lines go to stderr, and only when something is wrong. */
import { Platform } from '#platform';
import { AppLogger } from '#runtime';
import { DataDirectoryLockedError } from '#state-store';
import { isEmbedded, type CliConfig } from './cli-config.js';
import type { CliIo } from './cli-io.js';
import { lockedError } from './data-directory.js';

/**
 * @param keepsState   this command writes to the data directory also where the log is Kafka
 * @throws CliError (locked)
 * @throws ConfigError   settings that do not go together
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
    throw error;
  }
}

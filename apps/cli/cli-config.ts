/** Configuration of the commands: the environment of the standalone app, with the command line above it. */
import { ConfigError, loadConfig } from '#service';
import { standaloneConfig, type StandaloneConfig } from '../standalone/config.js';
import { type CliIo } from './cli-io.js';
import { usageError } from './exit-codes.js';

export type CliConfig = StandaloneConfig;

/** @throws CliError (usage) naming the variables that are wrong */
export function cliConfig(io: CliIo, overrides: { readonly dataDir?: string | undefined }): CliConfig {
  try {
    const config = loadConfig(standaloneConfig, io.env);
    return overrides.dataDir === undefined ? config : { ...config, dataDir: overrides.dataDir };
  } catch (error) {
    if (error instanceof ConfigError) throw usageError(error.message);
    throw error;
  }
}

/** True where the log is the embedded one in the data directory, so that one process at a time may have it. */
export function isEmbedded(config: CliConfig): boolean {
  return config.kafkaBrokers === undefined;
}

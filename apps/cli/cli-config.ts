/** Configuration of the commands: the environment of the standalone app, with the command line above it. */
import { loadConfig } from '#runtime';
import { standaloneConfig, type StandaloneConfig } from '../standalone/config.js';
import type { CliIo } from './cli-io.js';

export type CliConfig = StandaloneConfig;

/** @throws ConfigError naming the variables that are wrong */
export function cliConfig(io: CliIo, overrides: { readonly dataDir?: string | undefined }): CliConfig {
  const config = loadConfig(standaloneConfig, io.env);
  return overrides.dataDir === undefined ? config : { ...config, dataDir: overrides.dataDir };
}

/** True where the log is the embedded one in the data directory, so that one process at a time may have it. */
export function isEmbedded(config: CliConfig): boolean {
  return config.kafkaBrokers === undefined;
}

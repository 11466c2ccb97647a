/** ClickHouse alone, for commands that need nothing else. */
import { join } from 'node:path';
import type { createClickHouse } from '#clickhouse';
import type { CliConfig } from './cli-config.js';

/** Of the embedded engine. */
export function clickHouseFolder({ dataDir }: Pick<CliConfig, 'dataDir'>): string {
  return join(dataDir, 'clickhouse');
}

/** @param path   of the embedded engine */
export function clickHouseConfig(
  config: CliConfig,
  path = clickHouseFolder(config),
): Parameters<typeof createClickHouse>[0] {
  const { clickhouseUrl, clickhouseUser, clickhousePassword } = config;
  return clickhouseUrl === undefined
    ? { path }
    : { url: clickhouseUrl, username: clickhouseUser, password: clickhousePassword };
}

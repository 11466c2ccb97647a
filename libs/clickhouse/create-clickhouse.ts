import { ClientBackend } from './client-backend.js';
import type { ClickHouse } from './clickhouse.js';
import type { EmbeddedConfig } from './embedded-lanes.js';
import type { ServerConfig } from './server-lanes.js';

export type ClickHouseConfig = ServerConfig | EmbeddedConfig;

/**
 * The only place that knows which backend it is. A server is not contacted here (`waitUntilReady` does that);
 * the engine's library is loaded only if it is embedded, and the client's with the backend.
 * @throws ClickHouseFailure with code 76 if another process holds the data directory
 */
export async function createClickHouse(config: ClickHouseConfig): Promise<ClickHouse> {
  if ('url' in config) {
    const { serverLanes } = await import('./server-lanes.js');
    return new ClientBackend('server', serverLanes(config));
  }
  const { embeddedLanes } = await import('./embedded-lanes.js');
  return new ClientBackend('embedded', embeddedLanes(config));
}

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Lane, Lanes } from './client-backend.js';

export interface ServerConfig {
  /** `http://127.0.0.1:8123` */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** How long an HTTP request may take, ms. Default: 60 s. */
  readonly requestTimeoutMs?: number;
  /** Default: 10. */
  readonly connectionsMax?: number;
}

/** A server takes calls side by side: every lane is the same client. */
export function serverLanes(config: ServerConfig): Lanes {
  const client = createClient({
    url: config.url,
    username: config.username ?? 'default',
    password: config.password ?? '',
    request_timeout: config.requestTimeoutMs ?? 60_000,
    max_open_connections: config.connectionsMax ?? 10,
    application: 'channel-gravity',
    // Failures reach the caller, who logs them once and in one format.
    log: { level: ClickHouseLogLevel.OFF },
  });
  const lane: Lane = { run: (call) => call(client) };
  return { admin: lane, write: lane, read: () => lane, close: () => client.close() };
}

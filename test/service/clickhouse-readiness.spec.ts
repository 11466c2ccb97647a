import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Platform } from '#platform';
import { AppLogger } from '#runtime';
import { eventually, TempDir } from '#testing';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { TcpProxy } from '../servers/tcp-proxy.js';

const COLUMNS = ['window', 'generation', 'partition', 'end', 'version'];
const ROW = ['5m', 1, 0, Date.UTC(2026, 10, 11), 1n] as const;

describe('what readiness says of ClickHouse', () => {
  const directory = new TempDir('clickhouse-readiness');
  const logger = AppLogger.create({ level: 'silent', service: 'spec', stream: new PassThrough() });
  let server: ClickHouseEndpoint;
  let wire: TcpProxy;
  let platform: Platform;

  beforeAll(async () => {
    server = await clickHouseEndpoint(directory.join('clickhouse'));
    wire = await TcpProxy.before(server.url);
    const config = {
      ...{ dataDir: directory.join('data'), kafkaTls: false, schemaRegistryPassword: '' },
      ...{ clickhouseUrl: wire.url, clickhouseUser: server.username, clickhousePassword: server.password },
    };
    platform = await Platform.open(config, true, logger);
    await platform.ready(AbortSignal.timeout(30_000));
  });
  afterAll(async () => {
    await platform.close();
    await wire.close();
    await server.close();
    directory.remove();
  });

  const insert = (rows: readonly (typeof ROW)[]): Promise<void> =>
    platform.clickhouse.insert({ table: 'gravity.window_heartbeats', columns: COLUMNS, rows });
  const isReady = (): boolean => platform.clickhouseStatus.status().isReady;

  it('is what the server has shown: an insert of no rows goes well without it', async () => {
    await insert([ROW]);
    expect(isReady()).toBe(true);
    wire.down();
    await insert([]);
    expect(isReady()).toBe(true);
    await expect(insert([ROW])).rejects.toMatchObject({ retryable: true });
    expect(isReady()).toBe(false);
    await insert([]);
    expect(isReady()).toBe(false);
    wire.up();
    await eventually(() => expect(isReady()).toBe(true));
    await insert([ROW]);
  });
});

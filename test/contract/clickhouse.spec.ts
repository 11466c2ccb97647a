import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createClickHouse } from '#clickhouse';
import { clickhouseContract, columnContract, openEmbeddedClickHouse, type OpenedClickHouse } from '#testing';
import { clickHouseEndpoint, startClickHouseFacade } from '../servers/clickhouse-facade.js';

const OVER_HTTP = process.env.CLICKHOUSE_URL === undefined ? 'HTTP (façade over chDB)' : 'HTTP (server)';
const open = () => openEmbeddedClickHouse({ migrated: false });

async function openOverHttp(): Promise<OpenedClickHouse> {
  const directory = await mkdtemp(join(tmpdir(), 'gravity-facade-'));
  const endpoint = await clickHouseEndpoint(directory);
  const clickhouse = await createClickHouse(endpoint);
  return {
    clickhouse,
    async close() {
      await clickhouse.close();
      await endpoint.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

for (const contract of [clickhouseContract, columnContract]) {
  contract('chDB', open);
  contract(OVER_HTTP, openOverHttp);
}

it('refuses a data directory that another process holds, with its code', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gravity-held-'));
  const holder = await startClickHouseFacade(directory);
  try {
    await expect(createClickHouse({ path: directory })).rejects.toMatchObject({ code: '76' });
  } finally {
    await holder.close();
  }
  const clickhouse = await createClickHouse({ path: directory });
  await clickhouse.ping();
  await clickhouse.close();
  await rm(directory, { recursive: true, force: true });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClickHouse } from '#clickhouse';
import { clickhouseContract, openEmbeddedClickHouse } from '#testing';
import { clickHouseEndpoint } from '../servers/clickhouse-facade.js';

clickhouseContract('chDB', () => openEmbeddedClickHouse({ migrated: false }));

clickhouseContract(
  process.env.CLICKHOUSE_URL === undefined ? 'HTTP (façade over chDB)' : 'HTTP (server)',
  async () => {
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
  },
);

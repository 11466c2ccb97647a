import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TempDir } from '#testing';
import { ConsoleApp } from '../../apps/console/spec-support/console-app.js';
import { EventReader } from '../../apps/console/spec-support/event-reader.js';
import { figureRows } from '../../apps/console/spec-support/stored-figures.js';
import { startClickHouseFacade, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { TcpProxy } from '../servers/tcp-proxy.js';

const directory = new TempDir('clickhouse-away');
let facade: ClickHouseEndpoint;
let wire: TcpProxy;
let app: ConsoleApp;

beforeAll(async () => {
  facade = await startClickHouseFacade(directory.join('clickhouse'));
  wire = await TcpProxy.before(facade.url);
  const { username, password } = facade;
  app = await ConsoleApp.start(directory.join('data'), Promise.resolve(), {
    ...{ CLICKHOUSE_URL: wire.url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password },
  });
  await app.prepared;
  await app.write(...figureRows(10));
});
afterAll(async () => {
  await app.stop();
  await wire.close();
  await facade.close();
  directory.remove();
});

interface Told {
  readonly clickhouse: { readonly ready: boolean; readonly since: string };
}
const isReady = (data: unknown): boolean => (data as Told).clickhouse.ready;

describe('a console whose ClickHouse goes away', () => {
  it('answers 503 and tells the pages since when, and goes on by itself when it is back', async () => {
    const page = await EventReader.open(`${app.url}/api/v1/events?window=5m`);
    await page.next('figures');
    expect((await app.get('/api/v1/figures')).status).toBe(200);

    const cutAt = Date.now();
    wire.down();
    const { data } = await page.next('status', (told) => !isReady(told));
    const since = (data as Told).clickhouse.since;
    expect(Date.parse(since)).toBeGreaterThanOrEqual(cutAt);
    for (const route of ['figures', 'series', 'persons', 'tier-changes', 'brands', 'events']) {
      const answer = await app.get(`/api/v1/${route}`);
      expect([route, answer]).toMatchObject([
        route,
        { status: 503, body: { statusCode: 503, dependency: 'clickhouse', since } },
      ]);
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    expect(await app.get('/api/v1/status')).toMatchObject({ status: 200, body: { ready: false } });

    wire.up();
    await page.next('status', isReady);
    await app.write(...figureRows(20, 77));
    expect((await page.next('figures')).data).toMatchObject({ figures: [{ visitors: 77 }, {}] });
    expect((await app.get('/api/v1/figures')).status).toBe(200);
    page.close();
  }, 120_000);
});

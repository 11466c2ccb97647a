import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { restate, type RestatementPlan } from '#clickhouse';
import type { WindowFigureRow } from '#pipeline';
import { TempDir } from '#testing';
import { ConsoleApp } from '../spec-support/console-app.js';
import { EventReader } from '../spec-support/event-reader.js';
import { BRAND, FIGURES_AT, figureRows } from '../spec-support/stored-figures.js';

const EPOCH = 1n << 48n;
const RESTATED = 1n << 47n;
const AT = new Date(FIGURES_AT).toISOString();

const directory = new TempDir('restatements');
let console: ConsoleApp;

beforeAll(async () => {
  console = await ConsoleApp.start(directory.path);
  await console.prepared;
  await console.write(...figureRows(10));
});
afterAll(async () => {
  await console.stop();
  directory.remove();
});

/** One visitor more over all channels. */
async function restateLast(): Promise<void> {
  const rows = figureRows(10, 11).filter(
    (row): row is WindowFigureRow =>
      row.table === 'window_figures' && row.window === '5m' && row.channel === 'all',
  );
  const plan: RestatementPlan = {
    ...{ generation: 1, ends: 3, endsChanged: 1, positions: new Map([[0, 10]]) },
    changes: [
      {
        ...{ channel: 'all', figure: 'visitors', ends: 1, before: 10, after: 11 },
        ...{ largest: 1, largestAt: FIGURES_AT },
      },
    ],
    rows: rows.map((row) => ({ ...row, status: 'restated', version: EPOCH | RESTATED | 10n })),
    restated: {
      ...{ window: '5m', schemeId: '', fromDay: '', toDay: '' },
      ...{ fromEnd: FIGURES_AT - 20_000, toEnd: FIGURES_AT },
    },
  };
  const period = { brand: BRAND, channel: null };
  const cause = { id: 'r1', at: FIGURES_AT + 5, by: 'ops 雲', reason: 'late "feed"', build: '1' };
  await restate(console.platform.clickhouse, period, plan, cause);
}

describe('restated figures', () => {
  it('say so, with where the log stood, on every way to them; the others stay closed', async () => {
    const figures = (query: string) => console.get(`/api/v1/figures?window=5m&${query}`);
    const live = await EventReader.open(
      `${console.url}/api/v1/events?window=5m&brand=${encodeURIComponent(BRAND)}`,
    );
    try {
      await live.next('figures', (data) => JSON.stringify(data).includes('"closed"'));
      expect(await console.get('/api/v1/restatements')).toMatchObject({ body: { restatements: [] } });
      await restateLast();
      const told = await live.next('figures', (data) => JSON.stringify(data).includes('"restated"'));
      expect(told.data).toMatchObject({
        figures: [{ channel: 'all', visitors: 11, stamp: { status: 'restated' } }, { channel: 'live' }],
      });
    } finally {
      live.close();
    }
    const stamp = { status: 'restated', as_of: AT, log_positions: { 0: 10, 1: 10 } };
    expect(await figures('')).toMatchObject({ body: { visitors: 11, stamp } });
    expect(await figures(`at=${AT}`)).toMatchObject({ body: { visitors: 11, stamp } });
    expect(await figures('channel=live')).toMatchObject({
      body: { visitors: 10, stamp: { status: 'closed' } },
    });
    expect(await console.get('/api/v1/series?window=5m')).toMatchObject({
      body: { points: [{ as_of: AT, visitors: 11, status: 'restated' }] },
    });
  });

  it('are told with who restated them and why', async () => {
    const expected = {
      ...{ id: 'r1', state: 'done', by: 'ops 雲', reason: 'late "feed"', brand: BRAND, channel: null },
      ...{ window: '5m', to: AT, ends: 3, ends_changed: 1, rows: 1, log_positions: { 0: 10 } },
      changes: [
        { channel: 'all', figure: 'visitors', ends: 1, before: 10, after: 11, largest: 1, largest_at: AT },
      ],
    };
    expect(await console.get('/api/v1/restatements')).toMatchObject({ body: { restatements: [expected] } });
    expect(await console.get('/api/v1/restatements?brand=nobody')).toEqual(
      expect.objectContaining({ body: { restatements: [] } }),
    );
  });
});

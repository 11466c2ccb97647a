import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TempDir } from '#testing';
import { ConsoleApp } from '../spec-support/console-app.js';
import { BRAND, FIGURES_AT, figureRows, lateRow } from '../spec-support/stored-figures.js';

const HOUR = 3_600_000;
const directory = new TempDir('late-events');
let console: ConsoleApp;

beforeAll(async () => {
  console = await ConsoleApp.start(directory.path);
  await console.prepared;
  await console.write(
    ...figureRows(10),
    lateRow('e1', HOUR),
    lateRow('e1', HOUR, { window: '1h', missed_to: FIGURES_AT - HOUR + 120_000 }),
    lateRow('e2', 2 * HOUR, { person: '人' }),
    lateRow('e3', 3 * HOUR, { channel: 'shop' }),
    lateRow('elsewhere', HOUR, { brand: 'other' }),
  );
  // Twice, as a fold that goes on after a crash may write it.
  await console.write(lateRow('e1', HOUR));
});
afterAll(async () => {
  await console.stop();
  directory.remove();
});

interface Page {
  readonly total: number;
  readonly late_events: readonly { readonly event_id: string; readonly window: string }[];
  readonly next: string | null;
}

async function page(query: string): Promise<Page> {
  const { status, body } = await console.get(`/api/v1/late-events?${query}`);
  expect(status).toBe(200);
  return body as Page;
}

const told = ({ late_events: late }: Page): string[] =>
  late.map(({ event_id: id, window }) => `${id}/${window}`);
const iso = (at: number): string => encodeURIComponent(new Date(at).toISOString());

describe('GET /api/v1/late-events', () => {
  it('says what came how late and what misses it', async () => {
    expect(await page('window=5m&channel=live')).toMatchObject({
      ...{ brand: BRAND, channel: 'live', total: 2, next: null },
      late_events: [
        { event_id: 'e2', person: '人', late_ms: 2 * HOUR },
        {
          ...{ event_id: 'e1', person: 'a/b 雲', channel: 'live', window: '5m', late_ms: HOUR },
          ...{
            at: new Date(FIGURES_AT - HOUR).toISOString(),
            arrived_at: new Date(FIGURES_AT).toISOString(),
          },
          missed_from: new Date(FIGURES_AT - HOUR + 10_000).toISOString(),
          missed_to: new Date(FIGURES_AT - HOUR + 310_000).toISOString(),
          missed_ends: 30,
        },
      ],
      stamp: { generation: 1, log_positions: { 0: 10, 1: 10 } },
    });
  });

  it('goes on page by page, each entry once', async () => {
    const seen: string[] = [];
    let after = '';
    for (;;) {
      const one = await page(`limit=1${after}`);
      expect(one.total).toBe(4);
      seen.push(...told(one));
      if (one.next === null) break;
      after = `&after=${one.next}`;
    }
    expect(seen).toEqual(['e3/5m', 'e2/5m', 'e1/1h', 'e1/5m']);
  });

  it('asks by the time of the events', async () => {
    const query = `from=${iso(FIGURES_AT - 2 * HOUR)}&to=${iso(FIGURES_AT - HOUR)}`;
    expect(told(await page(query))).toEqual(['e2/5m']);
    expect(await page(`to=${iso(FIGURES_AT - 5 * HOUR)}`)).toMatchObject({ total: 0, late_events: [] });
  });

  it('forgets the ledger of a log that was laid out anew', async () => {
    const anew = figureRows(3).map((row) => ({ ...row, generation: 2 }));
    await console.write(...anew);
    expect(await page('')).toMatchObject({ total: 0, late_events: [] });
  });
});

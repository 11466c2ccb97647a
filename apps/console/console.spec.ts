import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { linkFact, paidFact, TempDir } from '#testing';
import { ConsoleApp } from './spec-support/console-app.js';
import { EventReader } from './spec-support/event-reader.js';
import { BRAND, change, FIGURES_AT, figureRows, lateRow } from './spec-support/stored-figures.js';

const B = encodeURIComponent(BRAND);
const AT = FIGURES_AT;

const directory = new TempDir('console');
let console: ConsoleApp;
let letGo: () => void = () => undefined;

beforeAll(async () => {
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  console = await ConsoleApp.start(directory.path, held);
});
afterAll(() => directory.remove());

const events = (query = '') => `${console.url}/api/v1/events?brand=${B}&window=5m${query}`;

describe('the console', () => {
  it('says what it waits for until it is ready', async () => {
    const figures = await console.get('/api/v1/figures');
    expect(figures).toMatchObject({
      status: 503,
      body: { message: expect.stringMatching(/^not ready yet: /) },
    });
    expect(await console.get('/api/v1/status')).toMatchObject({ status: 200, body: { ready: false } });
    letGo();
    await console.prepared;
    expect(await console.get('/api/v1/brands')).toMatchObject({ status: 200, body: { brands: [] } });
    expect(await console.get('/api/v1/figures')).toMatchObject({ status: 404, body: { parameter: 'brand' } });
    await console.write(...figureRows(10), lateRow('late', 3_600_000));
  });

  it('serves the page with headers that let nothing foreign in', async () => {
    const page = await fetch(console.url);
    expect(await page.text()).toMatch(/Channel Gravity/);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('x-powered-by')).toBeNull();
    expect((await fetch(new URL('/main.js', console.url))).headers.get('content-type')).toMatch(/javascript/);
    expect((await fetch(new URL('/../package.json', console.url))).status).toBe(404);
    expect((await fetch(new URL('/api/docs', console.url))).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'refuses %s before it looks at what it brings',
    async (method) => {
      for (const path of ['/', '/api/v1/figures', '/api/v1/tiers', '/health/ready', '/nowhere']) {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(new URL(path, console.url), { method, headers, body: '{"broken' });
        expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
        expect(await answer.json()).toMatchObject({ statusCode: 405, error: 'Method Not Allowed' });
      }
      expect((await fetch(new URL('/api/v1/status', console.url), { method: 'HEAD' })).status).toBe(200);
    },
  );

  it('answers in the shapes that it describes', async () => {
    const { body } = await console.get('/api/v1/openapi.json');
    const paths = (body as { paths: Record<string, { get: { responses: Record<string, unknown> } }> }).paths;
    const asked = [
      ...['figures', 'series', 'periods', 'persons', 'tier-changes', 'channels', 'brands', 'status'],
      ...['persons/{person}', 'tiers', 'whatif', 'late-events', 'reconciliation', 'tier-flows', 'breakdowns'],
      'restatements',
    ];
    expect(Object.keys(paths).sort()).toEqual([...asked, 'events'].map((path) => `/api/v1/${path}`).sort());
    // A live end lies ahead of the watermark, which nobody should have to find out.
    expect(JSON.stringify(paths['/api/v1/figures'])).toMatch(/ahead of the watermark/);
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const route of asked) {
      const query = route === 'brands' || route === 'status' ? '' : `?brand=${B}`;
      const answer = await console.get(`/api/v1/${route.replace('{person}', 'a%2Fb%20%E9%9B%B2')}${query}`);
      expect([route, answer.status]).toEqual([route, 200]);
      const described = paths[`/api/v1/${route}`]?.get.responses['200'] as {
        content: { 'application/json': { schema: object } };
      };
      const validate = ajv.compile(described.content['application/json'].schema);
      expect([route, validate(answer.body), validate.errors]).toEqual([route, true, null]);
    }
  });

  it('answers with figures and their stamp', async () => {
    expect(await console.get(`/api/v1/figures?window=5m`)).toMatchObject({
      status: 200,
      body: {
        ...{ brand: BRAND, visitors: 10, connection: { value: 0.2 }, period: { conversion: { value: 0.5 } } },
        stamp: { as_of: new Date(AT).toISOString(), log_positions: { 0: 10, 1: 10 }, generation: 1 },
      },
    });
    // Time has not got to 2030: the figures are of now, and say so.
    const now = await console.get(`/api/v1/figures?window=5m`);
    expect((await console.get(`/api/v1/figures?window=5m&at=2030-01-01`)).body).toEqual(now.body);
    expect(await console.get(`/api/v1/figures?window=5m&at=1900-01-01T00:00:00Z`)).toMatchObject({
      body: { visitors: 0, stamp: { status: 'incomplete' } },
    });
    const series = await console.get(`/api/v1/series?window=1h`);
    expect(series.body).toMatchObject({ points: [{ as_of: new Date(AT).toISOString(), visitors: 10 }] });
    const persons = await console.get(`/api/v1/persons?limit=1`);
    expect(persons.body).toMatchObject({ persons: [{ person: 'a/b 雲', tier: 3 }], next: 'a/b 雲' });
    const rest = await console.get(`/api/v1/persons?limit=1&after=${encodeURIComponent('a/b 雲')}`);
    expect(rest.body).toMatchObject({ persons: [{ person: 'c' }] });
  });

  it.each([
    ['figures?brand=nobody', 404, 'brand'],
    [`figures?channel=moon`, 404, 'channel'],
    [`figures?scheme=none`, 404, 'scheme'],
    [`figures?window=2h`, 400, 'window'],
    [`figures?at=soon`, 400, 'at'],
    [`figures?channels=live`, 400, 'channels'],
    [`figures?brand=a&brand=b`, 400, 'brand'],
    [`status?verbose=1`, 400, 'verbose'],
    [`tier-flows?from_day=2026-11-12&to_day=2026-11-11`, 400, 'from_day'],
    [`tier-flows?to_day=2026-02-30`, 400, 'to_day'],
    [`series?from=2026-11-11T00:00:00Z&to=2026-11-10T00:00:00Z`, 400, 'from'],
    [`series?window=5m&from=1990-01-01T00:00:00Z`, 400, 'from'],
    [`persons?after=`, 400, 'after'],
    [`persons/nobody`, 404, 'person'],
    [`tier-changes?after=xyz`, 400, 'after'],
    [`late-events?after=xyz`, 400, 'after'],
    [`late-events?window=2h`, 400, 'window'],
    [`late-events?channel=moon`, 404, 'channel'],
    [`late-events?from=2026-11-11T00:00:00Z&to=2026-11-10T00:00:00Z`, 400, 'from'],
    [`late-events?to=soon`, 400, 'to'],
    [`late-events?limit=0`, 400, 'limit'],
    [`restatements?limit=0`, 400, 'limit'],
    [`tiers?scheme=weekly`, 400, 'scheme'],
    [`tiers?at=soon`, 400, 'at'],
    [`tiers?brand=nobody`, 404, 'brand'],
    [`whatif?brand=nobody`, 404, 'brand'],
    [`tiers?zone=Moon/Base`, 400, 'zone'],
    [`whatif?scheme=weekly`, 400, 'scheme'],
    [`whatif?against=weekly`, 400, 'against'],
    [`whatif?zero_orders=some`, 400, 'zero_orders'],
    [`whatif?moved=yes`, 400, 'moved'],
    [`events?window=2h`, 400, 'window'],
    [`events?brand=nobody`, 404, 'brand'],
  ])('refuses %s with %i, naming %s', async (path, status, parameter) => {
    const answer = await console.get(`/api/v1/${path}`);
    expect(answer).toMatchObject({
      status,
      body: { statusCode: status, parameter, message: expect.any(String) },
    });
  });

  it('folds the tiers of any scheme at any instant from the log', async () => {
    const day = 86_400_000;
    const ask = async (query: string) => (await console.get(`/api/v1/tiers?${query}`)).body;
    await console.append(
      linkFact('p1', 'MEMBER', true, { at: AT - 20 * day, arrivedAt: AT, brand: BRAND }),
      paidFact('p1', 'o1', 500, { at: AT - 10 * day, arrivedAt: AT, brand: BRAND }),
      paidFact('p1', 'o2', 700, { at: AT - 1_000, arrivedAt: AT, brand: BRAND }),
      linkFact('p2', 'SHOP_FAN', true, { at: AT - 500, arrivedAt: AT, brand: BRAND }),
    );
    expect(await ask('')).toMatchObject({
      ...{ brand: BRAND, scheme: 'rolling:30d', zone: 'Asia/Shanghai' },
      persons: [
        { person: 'p1', tier: 4, purchase_days: 2, orders: 2, own_value_minor: 1_200 },
        { person: 'p2', tier: 1, first_purchase: null },
      ],
    });
    expect(
      await ask(`scheme=span:2026-11-11..2026-11-12&at=${new Date(AT - 500).toISOString()}`),
    ).toMatchObject({
      persons: [{ person: 'p1', tier: 3, purchase_days: 1 }],
    });
    // Local in the zone of the days, as the command line may pass it on.
    expect(await ask('at=2026-11-02')).toMatchObject({ persons: [{ person: 'p1', tier: 3, orders: 1 }] });
    await console.append(linkFact('p1', 'MEMBER', true, { at: AT, arrivedAt: AT, brand: 'other' }));
    expect(await ask('')).toMatchObject({
      statusCode: 400,
      parameter: 'brand',
      message: expect.stringMatching(/other/),
    });
    expect(await ask('brand=other')).toMatchObject({ persons: [{ person: 'p1', tier: 2 }] });
    // One day back there was one purchase, eleven days back another one.
    const { body } = await console.get(`/api/v1/whatif?scheme=rolling:5d&brand=${BRAND}&moved=true`);
    expect(body).toMatchObject({
      generation: 2,
      brands: [
        {
          brand: BRAND,
          against: { scheme: 'rolling:30d', tiers: [0, 1, 0, 0, 1, 0], capital: 2 },
          candidate: { scheme: 'rolling:5d', tiers: [0, 1, 0, 1, 0, 0], capital: 2 },
          moved_up: 0,
          moved_down: 1,
        },
      ],
      moved: [{ brand: BRAND, person: 'p1', from: 4, to: 3 }],
    });
    const both = await console.get('/api/v1/whatif?scheme=calendar:month');
    expect(both.body).toMatchObject({ brands: [{ brand: 'other' }, { brand: BRAND }], moved: [] });
  });
});

describe('the events', () => {
  it('tell figures when they change, and nothing else', async () => {
    const reader = await EventReader.open(events());
    const first = await reader.next('figures');
    expect(first.data).toMatchObject({
      window: '5m',
      scheme_id: 'rolling:30d',
      figures: [{ channel: 'all' }, { channel: 'live' }],
    });
    const {
      figures: [all],
    } = first.data as { figures: unknown[] };
    expect(all).toEqual((await console.get('/api/v1/figures?window=5m')).body);
    await console.write(...figureRows(20, 33));
    const second = await reader.next('figures');
    expect(second.data).toMatchObject({
      figures: [{ visitors: 33, stamp: { log_positions: { 0: 20 } } }, {}],
    });
    await reader.next('status');
    reader.close();
  });

  it('tell tier changes of the scheme as they are published, and go on after the last one seen', async () => {
    const reader = await EventReader.open(events());
    await reader.next('figures');
    await console.publish(change('p1', 30), change('p1', 30, 'calendar:month'), change('p2', 31));
    const seen: unknown[] = [];
    let lastId: string | null = null;
    while (seen.length < 2) {
      const { data, id } = await reader.next('tier-changes');
      seen.push(...(data as { changes: { person: string; scheme_id: string }[] }).changes);
      lastId = id;
    }
    reader.close();
    expect(seen).toHaveLength(2);
    expect(seen).toEqual(
      expect.arrayContaining(
        ['p1', 'p2'].map((person) => expect.objectContaining({ person, scheme_id: 'rolling:30d' })),
      ),
    );
    await console.publish(change('p3', 32));
    const back = await EventReader.open(events(), lastId ?? '');
    expect((await back.next('tier-changes')).data).toMatchObject({ skipped: 0, changes: [{ person: 'p3' }] });
    back.close();
    const stranger = await EventReader.open(events(), 'whatever');
    expect((await stranger.next('tier-changes')).data).toMatchObject({ changes: { length: 3 } });
    stranger.close();
  });

  it('tell the newest of a burst, and how many were left out', async () => {
    const reader = await EventReader.open(events('&scheme=calendar:month'));
    await reader.next('tier-changes');
    const burst = Array.from({ length: 150 }, (_, i) => change(`p${i}`, 100 + i, 'calendar:month'));
    await console.publish(...burst);
    let told = 0;
    let shown = 0;
    while (told < burst.length) {
      const { data } = await reader.next('tier-changes');
      const { skipped, changes } = data as { skipped: number; changes: unknown[] };
      expect(changes.length).toBeLessThanOrEqual(40);
      told += skipped + changes.length;
      shown += changes.length;
    }
    expect(told).toBe(150);
    expect(shown).toBeLessThan(150);
    reader.close();
  });

  it('have room for so many pages, and end with the service at once', async () => {
    const readers = await Promise.all(
      [1, 2, 3].map(() => EventReader.open(events('&scheme=calendar:month'))),
    );
    await expect(EventReader.open(events())).rejects.toThrow(/^503: .*3 pages are open already/);
    const report = await console.stop();
    expect(report.failures).toEqual([]);
    await Promise.all(readers.map((reader) => reader.next('bye')));
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { TempDir } from '#testing';
import { figuresAnswerSchema, type FiguresAnswer } from '../../apps/console/figures/answers.js';
import { ConsoleApp } from '../../apps/console/spec-support/console-app.js';
import { figureRows, lateRow } from '../../apps/console/spec-support/stored-figures.js';
import { describeInBrowser } from './browser.js';
import { figuresShown, readAtOneVersion, readShown, type Comparison } from './shown-figures.js';
import { StandaloneProcess, stretched } from './standalone-process.js';

const MINUTES_MS = 240_000;

await describeInBrowser('the live page in a browser', (open) => {
  const directory = new TempDir('page');
  const complaints: string[] = [];
  const requested: string[] = [];
  let app: StandaloneProcess;
  let url: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    app = StandaloneProcess.start(directory.path, 0);
    browser = await open();
    page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requested.push(request.url()));
    url = await app.listens();
  }, MINUTES_MS);

  afterAll(async () => {
    await browser?.close();
    app?.kill();
    directory.remove();
  });

  it(
    'can be opened while the service starts, and shows figures by itself once there are any',
    async () => {
      await page.goto(url);
      await figuresShown(page);
      expect(await page.textContent('#clock')).toMatch(/^\d\d:\d\d:\d\d$/);
      expect(await page.textContent('#zone')).toBe('Asia/Shanghai GMT+8');
      await page.waitForSelector('#feed-rows li');
    },
    MINUTES_MS,
  );

  it(
    'shows the figures that the API has at the same version',
    async () => {
      await page.waitForSelector('#connection-card [data-figure="visitors"]:not([data-value="0"])', {
        timeout: 120_000,
      });
      const all = expectSame(await readAtOneVersion(page, url));
      expect(all.visitors).toBeGreaterThan(0);
      expect(all.capital).toBeGreaterThan(0);
    },
    MINUTES_MS,
  );

  it(
    'moves',
    async () => {
      const before = await readShown(page);
      const moved = `main[data-log-positions]:not([data-log-positions='${before.logPositions}'])`;
      const visitors = before.figures['visitors']?.value ?? '';
      await page.waitForSelector(
        `${moved} #connection-card [data-figure="visitors"]:not([data-value="${visitors}"])`,
        {
          timeout: 120_000,
        },
      );
    },
    MINUTES_MS,
  );

  it(
    'shows another window, scheme and brand when they are chosen',
    async () => {
      const brands = await page.locator('#brand option').allTextContents();
      expect(brands.length).toBeGreaterThan(1);
      await page.click('#window [data-id="30d"]');
      await page.click('#scheme [data-id="calendar:month"]');
      await page.selectOption('#brand', brands[1] ?? '');
      await page.waitForSelector(
        `main[data-window="30d"][data-scheme="calendar:month"][data-brand="${brands[1]}"]`,
      );
      await figuresShown(page);
      const all = expectSame(await readAtOneVersion(page, url));
      expect(all).toMatchObject({ window: '30d', brand: brands[1], period: { scheme_id: 'calendar:month' } });
      expect(all.gmv_net_minor).toBeGreaterThan(0);
      expect(page.url()).toContain('window=30d');
    },
    MINUTES_MS,
  );

  it('asks nobody but its own server, and breaks none of its rules', () => {
    expect(requested.filter((one) => !one.startsWith(url))).toEqual([]);
    // While the service started it was told so, and nothing else was amiss.
    expect(complaints.filter((text) => !/503 \(Service Unavailable\)/.test(text))).toEqual([]);
  });

  it(
    'fits the screen, a laptop’s and a phone’s',
    async () => {
      for (const width of [390, 1920, 1366]) {
        await page.setViewportSize({ width, height: 900 });
        const needed = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(needed).toBeLessThanOrEqual(width);
      }
    },
    MINUTES_MS,
  );

  it(
    'does not keep the service from ending, and goes on by itself where it was after a restart',
    async () => {
      // The ends of this window follow each other by 10 s.
      await page.click('#window [data-id="5m"]');
      await page.waitForSelector('main[data-window="5m"]');
      await figuresShown(page);
      const before = await readAtOneVersion(page, url);
      const { code, tookMs } = await app.interrupt();
      expect([code, app.text()]).toEqual([0, expect.stringContaining('"failures":[]')]);
      expect(tookMs).toBeLessThan(stretched(5_000));
      await page.waitForSelector('#connection[data-state="down"]', { timeout: 60_000 });

      app = StandaloneProcess.start(directory.path, Number(new URL(url).port));
      await app.listens();
      await page.waitForSelector('#connection[data-state="live"]', { timeout: 120_000 });
      const later = `document.querySelector('main').dataset.asOf > ${JSON.stringify(before.shown.asOf)}`;
      // The page’s policy lets nobody evaluate text in it, so it is asked from outside.
      while (!(await page.evaluate<boolean>(later))) await page.waitForTimeout(200);
      const after = await readAtOneVersion(page, url);
      expect(after.shown.brand).toBe(before.shown.brand);
      for (const [partition, position] of Object.entries(positionsOf(before.shown.logPositions))) {
        expect(positionsOf(after.shown.logPositions)[partition]).toBeGreaterThanOrEqual(position);
      }
      // Tier stocks count everybody ever known: they only grow.
      const persons = (shown: typeof after.shown): number =>
        shown.tiers.reduce((sum, { value }) => sum + Number(value), 0);
      expect(persons(after.shown)).toBeGreaterThanOrEqual(persons(before.shown));
      expect(persons(before.shown)).toBeGreaterThan(0);
      expect((await app.interrupt()).code).toBe(0);
    },
    MINUTES_MS,
  );
});

await describeInBrowser('the live page of a service that has nothing to show yet', (open) => {
  const directory = new TempDir('page-waiting');
  let app: ConsoleApp;
  let browser: Browser;

  beforeAll(async () => {
    app = await ConsoleApp.start(directory.path);
    await app.prepared;
    browser = await open();
  }, MINUTES_MS);

  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    directory.remove();
  });

  it(
    'says that the first figures are coming, without an error, and shows them when they have come',
    async () => {
      const page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      await page.goto(app.url);
      await page.waitForSelector('#banner[data-kind="wait"]:has-text("the first figures are coming")');
      expect(await page.textContent('#connection-text')).not.toMatch(/lost/);
      await app.write(...figureRows(10), lateRow('e1', 3_600_000), lateRow('e2', 7_200_000));
      await figuresShown(page);
      await page.waitForSelector('#banner', { state: 'hidden' });
      await page.waitForSelector('#late:text-is("2")');
      await page.click('#window [data-id="1h"]');
      await page.waitForSelector('#late:text-is("0")');
      expect(complaints).toEqual([]);
    },
    MINUTES_MS,
  );
});

/** @returns the answer for all channels */
function expectSame({ shown, answers }: Comparison): FiguresAnswer {
  const byChannel = new Map(answers.map((answer) => [answer.channel, figuresAnswerSchema.parse(answer)]));
  const all = byChannel.get('all');
  if (all?.period == null) throw new Error('the API has no period');
  const { figures, tiers } = shown;
  const values = Object.fromEntries(
    Object.entries(figures).map(([name, { value }]) => [name, value === '' ? null : Number(value)]),
  );
  expect(values).toEqual({
    ...{ capital: all.period.capital, net_relations: all.period.net_relations },
    ...{ new_relations: all.period.new_relations, lost_relations: all.period.lost_relations },
    ...{ connection: all.connection.value, related_visit_share: all.related_visit_share.value },
    ...{ active_related: all.active_related, visitors: all.visitors, orders: all.orders },
    ...{ gmv_net_minor: all.gmv_net_minor, gmv_gross_minor: all.gmv_gross_minor },
    ...{ refunds_minor: all.refunds_minor, buyers: all.buyers, capital_reachable: all.capital_reachable },
  });
  expect(tiers.map(({ value }) => Number(value))).toEqual(all.period.tiers?.slice(0, tiers.length));
  for (const [channel, answer] of byChannel) {
    const row = shown.channels[channel] ?? {};
    const names = ['visitors', 'active', 'visitors_related', 'gmv_net_minor'] as const;
    expect([channel, ...names.map((name) => Number(row[name]?.value))]).toEqual([
      channel,
      ...names.map((name) => answer[name]),
    ]);
    expect([channel, row['connection']?.value]).toEqual([channel, String(answer.connection.value ?? '')]);
  }
  // What people read is the same number.
  const gravity = all.connection.value;
  expect(digitsOf(figures['capital']?.text)).toBe(all.period.capital);
  expect(digitsOf(figures['gmv_net_minor']?.text)).toBe(all.gmv_net_minor);
  expect(figures['connection']?.text).toBe(gravity === null ? '—' : `${(gravity * 100).toFixed(1)}%`);
  return all;
}

function digitsOf(text: string | undefined): number {
  return Number((text ?? '').replace(/[^\d]/g, ''));
}

function positionsOf(json: string): Record<string, number> {
  return JSON.parse(json) as Record<string, number>;
}

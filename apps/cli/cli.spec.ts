/** The command as users have it, on a data directory of its own. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryLock } from '#state-store';
import { GravityHost, runGravity, type GravityOutcome } from '#testing';

const SLOW_MS = 180_000;

/** Rows by customer and not by time, columns by blanks, dates alone, no order ids, an order of 0, the last century. */
const CDNOW = ` 00001 19970101  1   11.77
 00002 19970112  1    0.00
 00002 19970112  5   77.00
 00003 19970102  2   20.76
 00003 19970330  2   20.76
 00003 19970402  2   19.54
 00004 19971212  2   26.48
 00004 19970101  2   29.33
 00005 19970230  1    1.00
`;
const CDNOW_OPTIONS = [
  ...['--no-header', '--delimiter', 'whitespace', '--person', '1', '--time', '2', '--amount', '4'],
  ...['--time-zone', 'America/New_York', '--currency', 'USD', '--brand', 'cdnow'],
];
const YEAR = ['--scheme', 'span:1997-01-01..1998-01-01'];

function summary(out: string): object {
  const value: unknown = JSON.parse(out);
  if (typeof value === 'object' && value !== null) return value;
  throw new Error(`no summary: ${out}`);
}

interface LivePeriod {
  readonly tiers: readonly number[];
  readonly capital: number;
  readonly conversion: {
    readonly numerator: number;
    readonly denominator: number;
    readonly value: number | null;
  };
}

describe('gravity', () => {
  const host = new GravityHost();
  let root: string;
  let data: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'gravity-'));
    data = join(root, 'data');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  afterAll(() => host.stop());

  function gravity(argv: readonly string[]): Promise<GravityOutcome> {
    return host.run(argv, { HOME: root });
  }

  /** In a process of its own, as users have it. */
  function ownProcess(argv: readonly string[]): Promise<GravityOutcome> {
    return runGravity(argv, { HOME: root });
  }

  function file(name: string, text: string): string {
    const path = join(root, name);
    writeFileSync(path, text);
    return path;
  }

  it(
    'replays a file of another shape, and answers person by person',
    async () => {
      const cdnow = file('CDNOW.txt', CDNOW);
      const replayed = await gravity([
        'replay',
        '--fine-hours',
        '1',
        cdnow,
        '--data-dir',
        data,
        ...CDNOW_OPTIONS,
        '--summary',
        'json',
      ]);
      expect(replayed).toMatchObject({ code: 0 });
      expect(JSON.parse(replayed.out)).toMatchObject({
        status: 'replayed',
        rows_read: 9,
        accepted: 8,
        rejected: { BAD_TIME: { count: 1, rows: ['CDNOW.txt#9'] } },
        persons: 4,
        brand: {
          stocks: [
            { scheme_id: 'rolling:30d', tiers: [0, 0, 3, 1, 0, 0] },
            { scheme_id: 'calendar:month', tiers: [0, 0, 3, 1, 0, 0] },
          ],
          orders: 8,
          gmv_gross_minor: 20_564,
          refunds_minor: 0,
          gmv_net_minor: 20_564,
        },
      });

      const year = await gravity(['tiers', '--data-dir', data, ...YEAR]);
      expect(year.out).toBe(
        'person,tier,purchase_days,orders,own_value_minor,first_purchase,last_purchase\n' +
          '00001,3,1,1,1177,1997-01-01T05:00:00.000Z,1997-01-01T05:00:00.000Z\n' +
          '00002,3,1,2,7700,1997-01-12T05:00:00.000Z,1997-01-12T05:00:00.000Z\n' +
          '00003,4,3,3,6106,1997-01-02T05:00:00.000Z,1997-04-02T05:00:00.000Z\n' +
          '00004,4,2,2,5581,1997-01-01T05:00:00.000Z,1997-12-12T05:00:00.000Z\n',
      );
      const april = await ownProcess(['tiers', '--data-dir', data, '--at', '1997-04-03', '--format', 'json']);
      expect(JSON.parse(april.out)).toMatchObject([
        { person: '00001', tier: 2, purchase_days: 0 },
        { person: '00002', tier: 2 },
        { person: '00003', tier: 4, purchase_days: 2, orders: 3 },
        { person: '00004', tier: 2, orders: 1 },
      ]);
      const figures = await ownProcess([
        'figures',
        '--data-dir',
        data,
        '--at',
        '1997-12-13',
        '--window',
        '24h',
      ]);
      expect(JSON.parse(figures.out)).toMatchObject({
        brand: 'cdnow',
        capital: 4,
        orders: 1,
        gmv_gross_minor: 2_648,
      });

      const day = '1997-04-03';
      const moved = file('moved.csv', '');
      const options = ['--data-dir', data, '--at', day, '--moved', moved, '--format', 'json'];
      const asked = ['whatif', '--scheme', 'rolling:90d', '--against', 'calendar:month'];
      const whatIf: unknown = JSON.parse((await ownProcess([...asked, ...options])).out);
      const live = await gravity(['figures', '--data-dir', data, '--at', day, '--scheme', 'calendar:month']);
      const { period } = JSON.parse(live.out) as { readonly period: LivePeriod };
      expect(whatIf).toMatchObject({
        brands: [
          {
            ...{ brand: 'cdnow', moved_up: 2, moved_down: 0 },
            against: {
              ...{ tiers: period.tiers, capital: period.capital },
              ...{ conversion: period.conversion.value, deepened: period.conversion.numerator },
              ...{ capital_base: period.conversion.denominator },
            },
            candidate: { tiers: [0, 0, 2, 1, 1, 0] },
          },
        ],
      });
      expect(readFileSync(moved, 'utf8').split('\n').length).toBe(4);

      const broken = ['figures', '--data-dir', data, '--of', 'breakdowns', '--at', '1997-01-13'];
      const parts = await gravity([...broken, '--window', '24h']);
      expect(JSON.parse(parts.out)).toMatchObject({
        links: {
          by_kind: [{ kind: 'MEMBER', new: 1, lost: 0, net: 1 }],
          by_source: [{ source: null, new: 1 }],
        },
        gmv: {
          by_tier: [{ tier: 0, orders: 2, gmv_gross_minor: 7_700 }],
          by_relation: [{ relation: 'new', orders: 2, gmv_gross_minor: 7_700 }],
          private_share: { numerator: 7_700, denominator: 7_700, value: 1 },
        },
        stamp: { status: 'closed', as_of: '1997-01-13T05:00:00.000Z' },
      });

      const flows = ['figures', '--data-dir', data, '--of', 'tier-flows', '--from-day', '1997-01-01'];
      const flowed = await gravity([...flows, '--to-day', '1997-01-12', '--by', 'day']);
      expect(JSON.parse(flowed.out)).toMatchObject({
        ...{ from_day: '1997-01-01', to_day: '1997-01-12', stamp: { status: 'closed' } },
        flows: [
          { day: '1997-01-01', from: 0, to: 2, cause: 'EVENT', changes: 2, persons: 2 },
          { day: '1997-01-01', from: 2, to: 3, cause: 'EVENT', changes: 2, persons: 2 },
          { day: '1997-01-02', from: 0, to: 2, changes: 1 },
          { day: '1997-01-02', from: 2, to: 3, changes: 1 },
          { day: '1997-01-12', from: 0, to: 2, changes: 1 },
          { day: '1997-01-12', from: 2, to: 3, changes: 1 },
        ],
        net: [{ from: 0, to: 3, persons: 4 }],
      });
      expect(await gravity([...flows, '--at', '1997-01-12'])).toMatchObject({ code: 2 });

      const reconciled = await ownProcess([
        'reconcile',
        '--data-dir',
        data,
        '--ends',
        '2',
        '--format',
        'json',
      ]);
      expect(reconciled).toMatchObject({ code: 0 });
      expect(JSON.parse(reconciled.out)).toMatchObject({ drifts: [] });
      expect(reconciled.out).toContain('"what": "persons rolling:30d"');
      expect(reconciled.out).toContain('"what": "tier changes rolling:30d"');

      const again = await gravity([
        'replay',
        '--fine-hours',
        '1',
        cdnow,
        '--data-dir',
        data,
        ...CDNOW_OPTIONS,
        '--summary',
        'json',
      ]);
      expect(JSON.parse(again.out)).toMatchObject({
        status: 'unchanged',
        brand: { gmv_gross_minor: 20_564 },
      });
      expect((await gravity(['tiers', '--data-dir', data, ...YEAR])).out).toBe(year.out);
      expect(readdirSync(data)).not.toContain('tmp');
    },
    SLOW_MS,
  );

  it(
    'gives the same after kills and Ctrl-C in every phase: while it writes, folds and sends its rows',
    async () => {
      const rows = Array.from({ length: 30_000 }, (_, index) => {
        const at = Date.UTC(2024, 0, 1) + ((index * 7_919) % 30_000) * 90_000;
        return `p${(index * 31) % 700},${new Date(at).toISOString()},${index % 9 === 0 ? -5 : index % 100}\n`;
      });
      const path = file('rows.csv', `person,time,amount\n${rows.join('')}`);
      let runs = 0;
      const run = (directory: string, killAfterMs?: number): Promise<GravityOutcome> =>
        runGravity(
          [
            ...['replay', path, '--fine-hours', '1', '--data-dir', directory],
            ...['--time-zone', 'UTC', '--summary', 'json'],
          ],
          { HOME: root },
          killAfterMs,
          ++runs % 2 === 0 ? 'SIGINT' : 'SIGKILL',
        );
      let kills = 0;
      let resumed = await run(data, 1_200);
      // By a factor: on a machine where a run takes long, its phases are as much longer.
      for (let after = 1_700; resumed.code === null || resumed.code === 130; after *= 1.4) {
        kills += 1;
        resumed = await run(data, after);
      }
      expect(kills).toBeGreaterThan(0);
      const undisturbed = await run(join(root, 'undisturbed'));
      expect([resumed.code, undisturbed.code]).toEqual([0, 0]);
      const [left, right] = [resumed, undisturbed].map(({ out }) => summary(out));
      expect({ ...left, status: '', wall_seconds: 0 }).toEqual({ ...right, status: '', wall_seconds: 0 });
      const tiers = await gravity(['tiers', '--data-dir', data]);
      expect(tiers.out.split('\n').length).toBe(702);
      expect(tiers.out).toBe((await gravity(['tiers', '--data-dir', join(root, 'undisturbed')])).out);
      const figures = (directory: string) => gravity(['figures', '--window', '30d', '--data-dir', directory]);
      expect((await figures(data)).out).toBe((await figures(join(root, 'undisturbed'))).out);
    },
    2 * SLOW_MS,
  );

  it(
    'refuses before anything is written',
    async () => {
      const path = file('rows.csv', 'who,when,amount\np,2024-01-01,1\n');
      const missing = await gravity(['replay', path, '--data-dir', data]);
      expect(missing).toMatchObject({ code: 2, out: '' });
      expect(missing.err).toContain('has no column "person" (--person); its columns are: who, when, amount');
      const nothing = await gravity([
        'replay',
        '--fine-hours',
        '1',
        path,
        '--data-dir',
        data,
        '--person',
        'who',
        '--time',
        'amount',
      ]);
      expect(nothing).toMatchObject({ code: 1, out: '' });
      expect(nothing.err).toContain('BAD_TIME: 1, first row 2');
      const absent = await gravity(['replay', join(root, 'absent.csv'), '--data-dir', data]);
      expect(absent).toMatchObject({ code: 1 });
      expect(absent.err).toContain('absent.csv');
      expect(existsSync(data)).toBe(false);
    },
    SLOW_MS,
  );

  it(
    'leaves a directory alone that another process works in, and asks that process instead',
    async () => {
      const answers = {
        '/api/v1/tiers': [
          {
            person: 'p',
            tier: 4,
            purchase_days: 2,
            orders: 3,
            own_value_minor: 9,
            first_purchase: null,
            last_purchase: null,
          },
        ],
        '/api/v1/figures': { brand: 'b', capital: 1 },
        '/api/v1/whatif': { as_of: null, zone: 'UTC', generation: 2, brands: [], moved: [] },
      };
      const asked: string[] = [];
      const server = createServer((request, response) => {
        const url = new URL(request.url ?? '/', 'http://localhost');
        asked.push(url.pathname + url.search);
        const answer = Object.entries(answers).find(([path]) => path === url.pathname)?.[1];
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const lock = DataDirectoryLock.acquire(data, { api: `http://127.0.0.1:${port}` });
      try {
        const refused = await gravity([
          'replay',
          '--fine-hours',
          '1',
          file('rows.csv', 'person,time,amount\n'),
          '--data-dir',
          data,
        ]);
        expect(refused).toMatchObject({ code: 3, out: '' });
        expect(refused.err).toContain(`${data} is in use by process ${process.pid}`);
        const tiers = await gravity([
          'tiers',
          '--data-dir',
          data,
          '--at',
          '2024-01-01',
          '--scheme',
          'calendar:month',
        ]);
        expect(tiers).toMatchObject({ code: 0 });
        expect(tiers.out).toContain('\np,4,2,3,9,,\n');
        const figures = await gravity(['figures', '--data-dir', data, '--brand', 'b']);
        expect(JSON.parse(figures.out)).toEqual({ brand: 'b', capital: 1 });
        const whatIf = await gravity([
          'whatif',
          '--data-dir',
          data,
          '--scheme',
          'rolling:9d',
          '--format',
          'csv',
        ]);
        expect(whatIf.out).toBe('brand,figure,against,candidate,difference\n');
        expect(asked).toEqual([
          '/api/v1/tiers?scheme=calendar%3Amonth&at=2024-01-01&format=json',
          '/api/v1/figures?brand=b&scheme=rolling%3A30d&channel=all&window=30d',
          '/api/v1/whatif?scheme=rolling%3A9d',
        ]);
      } finally {
        lock.release();
        await new Promise((resolve) => server.close(resolve));
      }
    },
    SLOW_MS,
  );

  it(
    'says how it is used',
    async () => {
      const [help, unknown, empty, bad] = await Promise.all([
        gravity(['replay', '--help']),
        gravity(['frob']),
        gravity(['tiers', '--data-dir', data]),
        gravity(['tiers', '--data-dir', data, '--scheme', 'weekly']),
      ]);
      expect(help.code).toBe(0);
      expect(help.out).toContain('--zero-orders');
      expect(unknown).toMatchObject({ code: 2, out: '' });
      expect(empty).toMatchObject({ code: 1 });
      expect(empty.err).toContain('holds no log');
      expect(bad).toMatchObject({ code: 2 });
      expect(existsSync(data)).toBe(false);
    },
    SLOW_MS,
  );
});

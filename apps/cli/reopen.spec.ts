/** `gravity reopen` as users have it: a log of recorded data, and events that come months late. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { personKey, type Touchpoint } from '#domain';
import { partitionOf, TOPICS } from '#pipeline';
import { DataDirectoryLock } from '#state-store';
import { GravityHost, type GravityOutcome, pay, runGravity, visit } from '#testing';
import { cliConfig } from './cli-config.js';
import { openLog } from './log-access.js';

const SLOW_MS = 300_000;
const ROWS = `person,time,amount
a,2024-01-01T10:00:00Z,10
b,2024-02-10T10:00:00Z,20
a,2024-03-20T10:00:00Z,30
`;
const PERIOD = ['--brand', 'rows', '--window', '30d', '--from', '2024-02-01', '--to', '2024-03-10T00:00:00Z'];
const WHY = ['--reason', 'a shop sent its February late', '--by', 'ops'];

const host = new GravityHost();
let root: string;
let data: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'gravity-reopen-'));
  data = join(root, 'data');
  const file = join(root, 'rows.csv');
  writeFileSync(file, ROWS);
  const replayed = await gravity(
    'replay',
    file,
    '--time-zone',
    'UTC',
    '--brand',
    'rows',
    '--summary',
    'json',
    '--fine-hours',
    '1',
  );
  expect(replayed).toMatchObject({ code: 0 });
}, SLOW_MS);
afterAll(async () => {
  await host.stop();
  rmSync(root, { recursive: true, force: true });
});

function gravity(command: string, ...options: readonly string[]): Promise<GravityOutcome> {
  return host.run([command, '--data-dir', data, ...options], { HOME: root });
}

/** As intake would: what has come goes to the end of the log. */
async function arriveLate(...events: readonly Touchpoint[]): Promise<void> {
  const config = cliConfig(
    {
      out: () => undefined,
      err: () => undefined,
      isTerminal: false,
      env: {},
      signal: new AbortController().signal,
    },
    { dataDir: data },
  );
  const opened = await openLog(config);
  const { log, codec } = opened;
  try {
    const partitions = (await log.ends(TOPICS.relationshipLog)).length;
    await log.append(
      events.map((event) => {
        const key = personKey(event.brand, event.person);
        const partition = partitionOf(key, partitions);
        return { topic: TOPICS.relationshipLog, partition, key, value: codec.encode(event) };
      }),
    );
  } finally {
    await opened.close();
  }
}

async function figuresAt(at: string): Promise<unknown> {
  const { out } = await gravity('figures', '--window', '30d', '--at', at);
  return JSON.parse(out);
}

describe('gravity reopen', () => {
  it(
    'says what it would change, changes it once, and tells who did it and why',
    async () => {
      const head = { brand: 'rows', channel: 'shop', origin: 'LIVE' as const };
      await arriveLate(
        pay('late-1', '2024-02-15T12:00:00Z', { ...head, id: 'late-1', person: 'c', amount: 500 }),
        visit('2024-02-15T12:30:00Z', { ...head, id: 'late-2', person: 'b' }),
      );
      const dry = await gravity('reopen', ...PERIOD, ...WHY, '--dry-run', '--format', 'json');
      expect(dry).toMatchObject({ code: 0 });
      const planned: unknown = JSON.parse(dry.out);
      expect(planned).toMatchObject({
        ...{ id: null, dry_run: true, brand: 'rows', channel: null, window: '30d', ends: 913 },
        changes: expect.arrayContaining([
          expect.objectContaining({ channel: 'all', figure: 'buyers', before: 564, largest: 1 }),
          expect.objectContaining({ channel: 'shop', figure: 'gmv_gross_minor', largest: 500 }),
        ]),
      });
      expect(await figuresAt('2024-02-20T00:00:00Z')).toMatchObject({
        buyers: 1,
        stamp: { status: 'closed' },
      });
      // In a process of its own, as users have it.
      const command = ['reopen', '--data-dir', data, ...PERIOD, ...WHY];
      const done = await runGravity(command, { HOME: root });
      expect(done).toMatchObject({ code: 0 });
      expect(done.out).toMatch(/^channel +figure +ends +before +after +largest +largest_at\nall +visitors +/);
      expect(done.err).toMatch(/564 of 913 ends restated: \d+,?\d* rows, entry [-\w]{36} of the audit\n/);
      expect(await figuresAt('2024-02-20T00:00:00Z')).toMatchObject({
        ...{ buyers: 2, orders: 2, gmv_gross_minor: 2_500, stamp: { status: 'restated' } },
      });
      expect(await figuresAt('2024-02-05T00:00:00Z')).toMatchObject({ stamp: { status: 'closed' } });
      expect(await gravity('reconcile', '--window', '30d', '--ends', '4')).toMatchObject({ code: 0 });

      const again = await gravity('reopen', ...PERIOD, ...WHY);
      expect(again).toMatchObject({ code: 0, out: '' });
      expect(again.err).toContain('0 ends changed: 913 say what the raw facts say\n');
      const list = await gravity('reopen', '--list', '--format', 'json');
      expect(JSON.parse(list.out)).toEqual([
        expect.objectContaining({
          ...{ state: 'done', by: 'ops', reason: 'a shop sent its February late', brand: 'rows' },
          ...{ channel: null, window: '30d', ends: 913, ends_changed: 564 },
          changes: (planned as { readonly changes: unknown }).changes,
        }),
      ]);
    },
    SLOW_MS,
  );

  it(
    'restates days of a scheme, whose tiers had not heard of what came months late',
    async () => {
      await arriveLate(
        pay('late-3', '2024-01-29T12:00:00Z', {
          ...{ brand: 'rows', channel: 'shop', origin: 'LIVE', id: 'late-3', person: 'd', amount: 700 },
        }),
      );
      const days = ['--brand', 'rows', '--scheme', 'calendar:month', ...WHY];
      const period = [...days, '--period', '2024-01'];
      const dry = await gravity('reopen', ...period, '--dry-run', '--format', 'json');
      expect(dry).toMatchObject({ code: 0 });
      expect(JSON.parse(dry.out)).toMatchObject({
        ...{ id: null, dry_run: true, scheme_id: 'calendar:month', from_day: '2024-01-01' },
        ...{ to_day: '2024-01-31', ends: 31, ends_changed: 3 },
        changes: [expect.objectContaining({ channel: 'all', figure: 'tier_0', ends: 3, largest: 1 })],
      });
      const done = await gravity('reopen', ...period);
      expect(done).toMatchObject({ code: 0 });
      expect(done.err).toMatch(/3 of 31 days restated: 3 rows, entry [-\w]{36} of the audit\n/);
      const again = await gravity('reopen', ...days, '--from', '2024-01-28', '--to', '2024-01-29');
      expect(again.err).toContain('0 days changed: 2 say what the raw facts say\n');
      const list = await gravity('reopen', '--list', '--limit', '1', '--format', 'json');
      expect(JSON.parse(list.out)).toEqual([
        expect.objectContaining({
          ...{ state: 'done', window: null, scheme_id: 'calendar:month', ends: 31 },
          ...{ from_day: '2024-01-01', to_day: '2024-01-31', from: '2024-01-02T00:00:00.000Z' },
        }),
      ]);
      expect(await gravity('reconcile', '--ends', '2', '--days', '3')).toMatchObject({ code: 0 });
    },
    SLOW_MS,
  );

  it(
    'refuses what it cannot answer for, and says why',
    async () => {
      const told = async (code: number, message: RegExp | string, ...options: readonly string[]) => {
        const outcome = await gravity('reopen', ...options);
        expect(outcome).toMatchObject({ code, out: '' });
        expect(outcome.err).toMatch(message);
      };
      const period = (from: string, to: string) => [
        ...PERIOD.slice(0, 4),
        '--from',
        from,
        '--to',
        to,
        ...WHY,
      ];
      await told(2, /--brand is needed \(or --list\)/);
      await told(2, /--reason is needed/, ...PERIOD, '--by', 'ops');
      await told(2, /one of them at a time/, ...PERIOD, ...WHY, '--scheme', 'rolling:30d');
      await told(2, /--period goes with --scheme/, ...PERIOD, ...WHY, '--period', '2024-01');
      const days = (scheme: string, ...rest: readonly string[]) => [
        '--brand',
        'rows',
        '--scheme',
        scheme,
        ...rest,
        ...WHY,
      ];
      await told(
        2,
        /--scheme moon: the log has rolling:30d, calendar:month/,
        ...days('moon', '--period', 'x'),
      );
      await told(2, /it moves along with time/, ...days('rolling:30d', '--period', 'rolling:30d'));
      await told(2, /expected a month such as/, ...days('calendar:month', '--period', '2024-13'));
      await told(
        2,
        /expected a local day/,
        ...days('rolling:30d', '--from', '2024-02-30', '--to', '2024-03-01'),
      );
      await told(
        1,
        /not final yet: .* 168 h/,
        ...days('rolling:30d', '--from', '2024-03-01', '--to', '2024-03-18'),
      );
      await told(2, /--by is needed: this shell names no user/, ...PERIOD, '--reason', 'why');
      await told(2, /--reason.*expected 1 to 1000 characters/, ...PERIOD, '--reason', ' ');
      await told(2, /--from soon: expected an instant/, ...period('soon', '2024-03-01'));
      await told(2, /--window 2h: the log has 1m, 5m, 1h, 24h, 30d/, ...PERIOD, '--window', '2h', ...WHY);
      await told(1, /rows has no channel "moon"; there is all, shop/, ...PERIOD, '--channel', 'moon', ...WHY);
      await told(
        1,
        /is not final yet: .* the last final end is 2024-03-/,
        ...period('2024-03-01', '2024-03-20T09:00:00Z'),
      );
      const lock = DataDirectoryLock.acquire(data, { api: 'http://127.0.0.1:1' });
      try {
        await told(3, /is in use by process/, ...PERIOD, ...WHY);
      } finally {
        lock.release();
      }
      const help = await gravity('reopen', '--help');
      expect(help.out).toMatch(/--accept-unexplained[^]*They have to be final/);
    },
    SLOW_MS,
  );
});

/** `gravity import` into a data directory: as one replay of everything, whatever happens to it on the way. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pseudonymiser } from '#contracts';
import { DataDirectoryLock } from '#state-store';
import { sourceOrder } from '../../libs/testing/source-kit.js';
import { GravityHost, runGravity, type GravityOutcome } from '#testing';

const SLOW_MS = 400_000;
const HOUR = 3_600_000;
const OLD_ROWS = 2_000;

const OPTIONS = ['--time-zone', 'UTC', '--order', 'order', '--summary', 'json'];
const QUESTIONS = [
  ['--scheme', 'rolling:30d'],
  ['--scheme', 'calendar:month', '--at', '2024-05-20'],
];

/** `rows` orders, refunds and lines of orders, of persons and guests, spread over [from, to). */
function orders(rows: number, from: number, to: number, seed: number): string {
  const lines = Array.from({ length: rows }, (_, index) => {
    const at = from + Math.floor((((index * 7_919 + seed) % rows) / rows) * (to - from));
    const person = index % 23 === 0 ? '' : `p${(index * 31 + seed) % 170}`;
    // Three rows an order, of one person, days apart; and now and then something is given back.
    const order =
      person === '' ? `g${seed}-${index}` : `${person}-${seed}-${Math.floor(at / (40 * 24 * HOUR))}`;
    return `${person},${new Date(at).toISOString()},${index % 9 === 4 ? -20 : (index % 70) + 1},${order}\n`;
  });
  return `person,time,amount,order\n${lines.join('')}`;
}

describe('gravity import', () => {
  const host = new GravityHost();
  let root: string;
  let recent: string;
  let old: string;
  let members: string;
  let replayed: string;
  let expected: { readonly tiers: readonly string[]; readonly brand: unknown };

  const gravity = (argv: readonly string[]): Promise<GravityOutcome> => host.run(argv, { HOME: root });
  const tiersIn = async (data: string): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (const question of QUESTIONS)
      answers.push((await gravity(['tiers', '--data-dir', data, ...question])).out);
    return answers;
  };
  const summary = ({ out, err }: GravityOutcome): object => {
    const value: unknown = JSON.parse(out === '' ? '{}' : out);
    if (typeof value !== 'object' || value === null || out === '') throw new Error(`no summary: ${err}`);
    return value;
  };
  const importInto = (data: string, ...more: readonly string[]): Promise<GravityOutcome> =>
    gravity(['import', old, members, '--data-dir', data, ...OPTIONS, ...more]);
  const copyOfReplayed = (name: string): string => {
    const data = join(root, name);
    cpSync(replayed, data, { recursive: true });
    return data;
  };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'gravity-import-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(root, name), text);
      return join(root, name);
    };
    recent = file('recent.csv', orders(900, Date.UTC(2024, 6, 1), Date.UTC(2024, 8, 1), 1));
    old = file(
      'old.csv',
      `${orders(OLD_ROWS, Date.UTC(2024, 3, 1), Date.UTC(2024, 6, 1), 2)}p1,1970-01-02,5,\np1,2023-01-01,five,\n`,
    );
    const lines = Array.from({ length: 60 }, (_, index) => ({
      ...{ type: 'relation', person: `p${index * 4}`, link: 'MEMBER', on: true },
      occurred_at: Date.UTC(2024, 2, 1) + index * 36 * HOUR,
    }));
    members = file('members.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    replayed = join(root, 'replayed');
    expect(
      await gravity(['replay', recent, '--fine-hours', '1', '--data-dir', replayed, ...OPTIONS]),
    ).toMatchObject({ code: 0 });
    const whole = join(root, 'whole');
    const reference = await gravity([
      'replay',
      recent,
      old,
      members,
      '--fine-hours',
      '1',
      '--data-dir',
      whole,
      ...OPTIONS,
    ]);
    expect(reference).toMatchObject({ code: 0 });
    expected = { tiers: await tiersIn(whole), brand: Reflect.get(summary(reference), 'brand') };
    expect(expected.tiers[0]?.split('\n').length).toBeGreaterThan(170);
  }, SLOW_MS);
  afterAll(async () => {
    await host.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it(
    'makes of a replayed log what one replay of all files makes, and nothing more of it the second time',
    async () => {
      const data = copyOfReplayed('imported');
      const rejects = join(root, 'rejects.csv');
      const imported = await importInto(data, '--rejects', rejects);
      expect(imported).toMatchObject({ code: 0 });
      expect(summary(imported)).toMatchObject({
        status: 'imported',
        rows_read: OLD_ROWS + 62,
        accepted: OLD_ROWS + 60,
        rejected: {
          BAD_AMOUNT: { count: 1, rows: [`old.csv#${OLD_ROWS + 3}`] },
          TIME_TOO_EARLY: { count: 1, rows: [`old.csv#${OLD_ROWS + 2}`] },
        },
        last_event: expect.stringMatching(/^2024-06-30/),
        guest_orders: 87,
        brand: expected.brand,
      });
      expect(readFileSync(rejects, 'utf8')).toContain(`old.csv,${OLD_ROWS + 2},TIME_TOO_EARLY,`);
      expect(await tiersIn(data)).toEqual(expected.tiers);

      const again = await importInto(data);
      expect(summary(again)).toMatchObject({
        status: 'unchanged',
        accepted: OLD_ROWS + 60,
        brand: expected.brand,
      });
      expect(existsSync(join(data, 'tmp'))).toBe(false);
    },
    SLOW_MS,
  );

  it(
    'goes on after kill -9 as if nothing had been',
    async () => {
      const data = copyOfReplayed('killed');
      const argv = ['import', old, members, '--data-dir', data, ...OPTIONS, '--rate', '100'];
      const killed = await runGravity(argv, { HOME: root }, 1_000, 'SIGKILL', 'writing: ');
      expect(killed).toMatchObject({ code: null, out: '' });
      const resumed = await importInto(data);
      expect(summary(resumed)).toMatchObject({
        status: 'resumed',
        accepted: OLD_ROWS + 60,
        brand: expected.brand,
      });
      expect(await tiersIn(data)).toEqual(expected.tiers);
    },
    SLOW_MS,
  );

  it(
    'gives persons the pseudonyms of intake where it has worked',
    async () => {
      const data = copyOfReplayed('pseudonymous');
      const pseudonymiser = Pseudonymiser.fromKeyFile(join(data, 'pseudonym.key'));
      const few = join(root, 'few.csv');
      writeFileSync(few, 'person,time,amount,order\nzed,2023-01-01,5,x\n');
      const imported = await gravity(['import', few, '--data-dir', data, ...OPTIONS]);
      expect(imported).toMatchObject({ code: 0, err: expect.stringContaining(join(data, 'pseudonym.key')) });
      const { out } = await gravity(['tiers', '--data-dir', data]);
      const zed = sourceOrder({ person: 'zed', brand: 'default', occurredAt: 0 });
      expect(out).toMatch(new RegExp(`^${pseudonymiser.apply(zed).person},2,0,1,500,`, 'm'));
      expect(out).not.toContain('zed');
    },
    SLOW_MS,
  );

  it(
    'is refused where it cannot be, and leaves everything as it was',
    async () => {
      const empty = join(root, 'empty');
      expect(await importInto(empty)).toMatchObject({
        code: 1,
        err: expect.stringContaining(`${empty} holds no log; \`gravity replay\` or`),
      });
      expect(existsSync(empty)).toBe(false);

      const newer = join(root, 'newer.csv');
      writeFileSync(newer, 'person,time,amount,order\np1,2023-01-01,5,x\np1,2025-06-01,5,y\n');
      const ahead = await gravity(['import', newer, '--data-dir', replayed, ...OPTIONS]);
      expect(ahead).toMatchObject({ code: 1, out: '' });
      expect(ahead.err).toContain(
        'the files go on to 2025-06-01T00:00:00.000Z, but this log is at 2024-08-31T',
      );
      expect(ahead.err).toContain('`gravity replay`');

      const lock = DataDirectoryLock.acquire(replayed);
      expect(await importInto(replayed)).toMatchObject({ code: 3 });
      lock.release();
      expect(await importInto(replayed, '--rate', '0')).toMatchObject({ code: 2 });
      expect(await importInto(replayed, '--speed', '60')).toMatchObject({ code: 2 });
      const help = await gravity(['import', '--help']);
      expect(help.out).toMatch(/--lag-max <records>[^]*default: 2000/);
      expect(help.out).toMatch(/--rate <records>[^]*default: max/);
      for (const shared of ['--zero-orders', '--pseudonymise', '--members'])
        expect(help.out).toContain(shared);
    },
    SLOW_MS,
  );
});

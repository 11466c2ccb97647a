/** What a wrong name, a wrong file or a wrong folder gets: one line, an exit code, and nothing left behind. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtFile, GravityHost, runGravity, type GravityOutcome } from '#testing';

const SLOW_MS = 180_000;

const host = new GravityHost();
let root: string;
let rows: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'refusals-'));
  rows = file('rows.csv', 'person,time,amount\np,2024-01-01,1\nq,2024-01-02,2\n');
});
afterAll(async () => {
  await host.stop();
  rmSync(root, { recursive: true, force: true });
});

function file(name: string, text: string | Buffer): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

function gravity(...argv: readonly string[]): Promise<GravityOutcome> {
  return host.run(argv, { HOME: root });
}

/** Without the progress lines. */
function complaint({ err }: GravityOutcome): string {
  return err.slice(err.indexOf('gravity: '));
}

describe('gravity', () => {
  it(
    'knows no brand that is not there, and says which there are',
    async () => {
      const data = join(root, 'brands');
      const key = join(root, 'pseudonym.key');
      const options = ['--data-dir', data, '--brand', 'cdnow', '--pseudonymise', key, '--fine-hours', '1'];
      const replayed = await gravity('replay', rows, ...options);
      expect(replayed).toMatchObject({ code: 0 });
      expect(replayed.err).toContain(`made a new key in ${key}`);
      const again = await gravity('replay', rows, ...options);
      expect(again).toMatchObject({ code: 0 });
      expect(again.out).toContain('unchanged');
      expect(again.err).not.toContain('key');
      for (const command of ['figures', 'tiers']) {
        const refused = await gravity(command, '--data-dir', data, '--brand', 'nope');
        expect(refused).toMatchObject({
          code: 1,
          out: '',
          err: 'gravity: there is no brand "nope"; there is: cdnow\n',
        });
      }
      const early = await gravity('tiers', '--data-dir', data, '--brand', 'cdnow', '--at', '2000-01-01');
      expect(early).toMatchObject({ code: 0 });
      expect(early.out.split('\n')).toHaveLength(2);
      const channel = await gravity('figures', '--data-dir', data, '--channel', 'moon');
      expect(channel).toMatchObject({ code: 1, out: '' });
      expect(channel.err).toContain('cdnow has no channel "moon"');
    },
    SLOW_MS,
  );

  it(
    'names settings that do not go together, whatever the command',
    async () => {
      const env = { KAFKA_BROKERS: '127.0.0.1:1', KAFKA_SASL_USER: 'u' };
      const message = 'KAFKA_SASL_USER and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM too';
      for (const argv of [
        ['topics', 'apply'],
        ['figures', '--data-dir', join(root, 'clash')],
      ]) {
        const settings = { HOME: root, SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1', ...env };
        const refused = await host.run(argv, settings);
        expect([argv[0], refused.code, refused.out]).toEqual([argv[0], 2, '']);
        expect(complaint(refused)).toBe(`gravity: The configuration is wrong:\n  - ${message}\n`);
      }
      expect(existsSync(join(root, 'clash'))).toBe(false);
    },
    SLOW_MS,
  );

  it(
    'takes no key file that is none, and makes no directory for one',
    async () => {
      const empty = file('empty.key', '');
      const short = file('short.key', 'abcd\n');
      const astray = join(root, 'keys', 'deep', 'k');
      for (const key of [empty, short, astray]) {
        const refused = await gravity(
          'replay',
          rows,
          '--data-dir',
          join(root, 'none'),
          '--pseudonymise',
          key,
        );
        expect(refused).toMatchObject({ code: 2, out: '' });
        expect(refused.err.split('\n')).toHaveLength(2);
        expect(refused.err).toContain(key);
      }
      expect(existsSync(join(root, 'keys'))).toBe(false);
      expect(existsSync(join(root, 'none'))).toBe(false);
      expect(readFileSync(short, 'utf8')).toBe('abcd\n');
    },
    SLOW_MS,
  );

  it(
    'says in one line that a data directory is a file, or holds something else',
    async () => {
      const occupied = file('occupied', 'text');
      const foreign = join(root, 'foreign');
      mkdirSync(join(foreign, 'log'), { recursive: true });
      file('foreign/log/data.mdb', Buffer.alloc(5_000, 'x'));
      for (const argv of [['replay', rows], ['tiers'], ['figures']]) {
        const isFile = await gravity(...argv, '--data-dir', occupied);
        expect(isFile).toMatchObject({ code: 2, out: '' });
        expect(isFile.err).toBe(`gravity: the data directory ${occupied} is not a directory\n`);
        const below = await gravity(...argv, '--data-dir', join(occupied, 'x'));
        expect(complaint(below)).toBe(`gravity: ${join(occupied, 'x')}: not a directory\n`);
        const isForeign = await gravity(...argv, '--data-dir', foreign);
        expect(isForeign).toMatchObject({ code: 1, out: '' });
        expect(complaint(isForeign)).toMatch(/^gravity: .*data\.mdb is not an LMDB data file.*\n$/);
      }
    },
    SLOW_MS,
  );

  it(
    'leaves nothing behind after a dry run of the migrations',
    async () => {
      const data = join(root, 'dry');
      // In a process of its own, as users have it.
      const dry = await runGravity(['migrate', '--dry-run', '--data-dir', data], { HOME: root });
      expect(dry).toMatchObject({ code: 0 });
      expect(dry.out).toContain('0000_schema_migrations');
      expect(existsSync(data)).toBe(false);
    },
    SLOW_MS,
  );

  it(
    'prints what a file holds without obeying it',
    async () => {
      const binary = file('bin.csv', `${'\u001b[2J\u0007,'.repeat(2_000)}\nx\n`);
      const refused = await gravity('replay', binary, '--data-dir', join(root, 'none'));
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.err).toContain('\\x1b[2J\\x07, ');
      // eslint-disable-next-line no-control-regex -- it is these that must not be there
      expect(refused.err).not.toMatch(/[\0-\t\v-\u001f]/);
      expect(refused.err.length).toBeLessThan(2_000);

      const odd = file('odd.csv', 'person,time,amount\np,\u001b[31m2024,1\nq,2024-01-01,1\n');
      const rejects = join(root, 'rejects.csv');
      const data = ['--data-dir', join(root, 'odd')];
      expect(await gravity('replay', odd, ...data, '--fine-hours', '1', '--rejects', rejects)).toMatchObject({
        code: 0,
      });
      expect(readFileSync(rejects, 'utf8')).toBe(
        'source,row,reason,detail\nodd.csv,2,BAD_TIME,"time ""\\x1b[31m2024"""\n',
      );
      const nowhere = join(root, 'nowhere', 'rejects.csv');
      const unwritten = await gravity('replay', odd, ...data, '--fine-hours', '1', '--rejects', nowhere);
      expect(unwritten).toMatchObject({
        code: 1,
        err: `gravity: --rejects ${nowhere}: no such file or directory\n`,
      });
    },
    SLOW_MS,
  );

  it(
    'writes what admission refuses among the rejected rows, and writes over no file that it reads',
    async () => {
      const text = 'person,time,amount\nbad,2024-01-01,x\nold,1900-01-01,1\nq,2024-01-01,1\n';
      const mixed = file('mixed.csv', text);
      const rejects = join(root, 'all-rejects.csv');
      const data = ['--data-dir', join(root, 'mixed')];
      const replayed = await gravity('replay', mixed, ...data, '--fine-hours', '1', '--rejects', rejects);
      expect(replayed).toMatchObject({ code: 0 });
      const rows = readFileSync(rejects, 'utf8').trim().split('\n').slice(1);
      expect(rows.map((row) => row.split(',').slice(0, 3).join(','))).toEqual([
        'mixed.csv,2,BAD_AMOUNT',
        'mixed.csv,3,TIME_TOO_EARLY',
      ]);

      const onto = await gravity('replay', mixed, ...data, '--rejects', mixed);
      expect(onto).toMatchObject({
        code: 1,
        err: `gravity: --rejects ${mixed}: this is one of the files to read\n`,
      });
      expect(readFileSync(mixed, 'utf8')).toBe(text);

      const before = readFileSync(rejects, 'utf8');
      const empty = file('empty.csv', 'person,time,amount\n');
      const failed = await gravity('replay', empty, '--data-dir', join(root, 'none'), '--rejects', rejects);
      expect(failed).toMatchObject({ code: 1 });
      expect(readFileSync(rejects, 'utf8')).toBe(before);
    },
    SLOW_MS,
  );

  it.each(['x.zip :: y', 'a*{b,c}?', '私域 \'"'])(
    'stores rows in a folder called %s, and none that stand in its standard input',
    (name) => {
      const data = ['--data-dir', join(root, name)];
      const options = { env: { ...process.env, HOME: root }, encoding: 'utf8' as const };
      const run = (argv: readonly string[], input: string) =>
        spawnSync(process.execPath, [builtFile('apps/cli/main.ts'), ...argv], { ...options, input });
      const replayed = run(['replay', rows, ...data, '--fine-hours', '1'], 'hello\n');
      expect(replayed).toMatchObject({ status: 0 });
      expect(replayed.stdout).toContain('persons');
      const reconciled = run(['reconcile', ...data, '--ends', '5'], 'hello\n'.repeat(10_000));
      expect(reconciled).toMatchObject({ status: 0 });
    },
    SLOW_MS,
  );
});

/** `gravity repartition` as users have it: recorded data in a data directory. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GravityHost, runGravity, type GravityOutcome } from '#testing';

const SLOW_MS = 900_000;
const DAY = 86_400_000;
const HEADER = 'person,time,amount\n';

const host = new GravityHost();
let root: string;
let first: string;
let second: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'gravity-repartition-'));
  first = join(root, 'first.csv');
  second = join(root, 'second.csv');
  writeFileSync(first, `${HEADER}${rowsFrom(Date.UTC(2024, 0, 1), 600)}`);
  writeFileSync(second, `${HEADER}${rowsFrom(Date.UTC(2024, 0, 25), 200)}`);
});
afterAll(async () => {
  await host.stop();
  rmSync(root, { recursive: true, force: true });
});

function rowsFrom(start: number, count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(start + index * (DAY / 30)).toISOString();
    return `p${(index * 31) % 70},${at},${index % 9 === 0 ? -5 : 1 + (index % 100)}\n`;
  }).join('');
}

function gravity(data: string, command: string, ...options: readonly string[]): Promise<GravityOutcome> {
  return host.run([command, ...options, '--data-dir', join(root, data)], { HOME: root });
}

async function replay(data: string, file: string): Promise<void> {
  const done = await gravity(
    data,
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
  expect(done).toMatchObject({ code: 0 });
}

/** What must not depend on the partitions. */
async function answers(data: string): Promise<unknown> {
  const tiers = await gravity(data, 'tiers', '--brand', 'rows', '--format', 'csv');
  const figures = await gravity(data, 'figures', '--brand', 'rows', '--window', '30d');
  expect([tiers.code, figures.code]).toEqual([0, 0]);
  return {
    tiers: tiers.out,
    figures: withoutStamp(JSON.parse(figures.out)),
  };
}

function withoutStamp(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => (name === 'stamp' || name === 'stamps' ? null : value)),
  );
}

describe('gravity repartition', () => {
  it(
    'gives a log other partitions: same answers, no tier change twice, and more rows go on from there',
    async () => {
      await replay('data', first);
      cpSync(join(root, 'data'), join(root, 'straight'), { recursive: true });
      const before = await answers('data');
      const dry = await gravity('data', 'repartition', '--partitions', '6', '--dry-run', '--format', 'json');
      expect(dry).toMatchObject({ code: 0, err: expect.stringContaining('nothing was written') });
      expect(JSON.parse(dry.out)).toHaveLength(6);
      expect(await gravity('data', 'repartition', '--partitions', '4')).toMatchObject({
        ...{ code: 1, out: '' },
        err: expect.stringContaining('has 4 partitions already'),
      });

      // Killed while it copies: nothing has changed, and it can be run again.
      const command = ['repartition', '--partitions', '6', '--data-dir', join(root, 'data')];
      await runGravity(command, { HOME: root }, 15, 'SIGKILL', 'copying');
      const done = await runGravity(command, { HOME: root });
      // On a fast disk it may have been over before it was killed.
      expect(done.err).toMatch(
        /relationship-log, 4 partitions, .* copied into relationship-log\.g2(-\d)?, 6 partitions, .* \(epoch 2, generation 2\)|has 6 partitions already/,
      );
      expect(await answers('data')).toEqual(before);
      const list = await gravity('data', 'rebuild', '--list', '--format', 'json');
      expect(JSON.parse(list.out)).toMatchObject([{ generation: 2, epoch: 2, state: 'shown' }]);

      await replay('data', second);
      await replay('straight', second);
      expect(await answers('data')).toEqual(await answers('straight'));
      expect(await gravity('data', 'reconcile', '--ends', '3')).toMatchObject({ code: 0 });
    },
    SLOW_MS,
  );

  it(
    'refuses what it cannot do',
    async () => {
      expect(await gravity('none', 'repartition', '--partitions', '6')).toMatchObject({ code: 1 });
      expect(await gravity('none', 'repartition')).toMatchObject({ code: 2 });
      expect(await gravity('none', 'repartition', '--partitions', '0')).toMatchObject({ code: 2 });
      const help = await gravity('none', 'repartition', '--help');
      expect(help).toMatchObject({ code: 0, out: expect.stringContaining('offsets.retention.minutes') });
    },
    SLOW_MS,
  );
});

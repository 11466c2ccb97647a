/** `gravity rebuild` as users have it: on a folder of replayed data. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { LocalSchemaRegistry, SchemaCatalog, TierChangedCodec, TiersCodec } from '#contracts';
import type { TierChanged } from '#domain';
import { TOPICS } from '#pipeline';
import { LmdbStateStore } from '#state-store';
import { cliConfig } from './cli-config.js';
import { GravityHost, runGravity, type GravityOutcome } from '#testing';
import { openLog } from './log-access.js';

const SLOW_MS = 600_000;
const DAY_MS = 86_400_000;

/** Orders of some persons who buy again and again, over forty days. */
function orders(seed: number, from: number, count: number): string {
  let state = seed;
  const next = (n: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % n;
  };
  const lines = Array.from({ length: count }, (_, n) => {
    const at = new Date(from + Math.floor((n * 40 * DAY_MS) / count) + next(3_600_000));
    return `p${next(60)},${at.toISOString()},${1 + next(900)}`;
  });
  return `person,time,amount\n${lines.join('\n')}\n`;
}

const host = new GravityHost();
let root: string;
let first: string;
let second: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'gravity-rebuild-'));
  first = join(root, 'first.csv');
  second = join(root, 'second.csv');
  writeFileSync(first, orders(1, Date.UTC(2024, 0, 1), 300));
  writeFileSync(second, orders(2, Date.UTC(2024, 1, 15), 100));
});
afterAll(async () => {
  await host.stop();
  rmSync(root, { recursive: true, force: true });
});

function gravity(dir: string, command: string, ...options: readonly string[]): Promise<GravityOutcome> {
  return host.run([command, '--data-dir', join(root, dir), ...options], { HOME: root });
}
async function replay(dir: string, file: string): Promise<void> {
  const options = ['--time-zone', 'UTC', '--brand', 'rows', '--summary', 'json', '--fine-hours', '1'];
  const done = await gravity(dir, 'replay', file, ...options);
  expect(done).toMatchObject({ code: 0 });
}

/** What readers see, whatever generation it is of. */
async function seen(dir: string) {
  const tiers = await gravity(dir, 'tiers', '--format', 'csv');
  const figures = await gravity(dir, 'figures', '--window', '30d');
  expect([tiers.code, figures.code]).toEqual([0, 0]);
  const { stamp } = z.object({ stamp: z.object({ generation: z.number() }) }).parse(JSON.parse(figures.out));
  // A switch is a record of the log, too.
  const isOfLog = (name: string): boolean => name === 'generation' || name === 'log_positions';
  const counts = JSON.stringify(
    JSON.parse(figures.out),
    (name, value: unknown) => (isOfLog(name) ? 0 : value),
    1,
  );
  return { generation: stamp.generation, tiers: tiers.out, counts };
}

async function withLog<T>(
  dir: string,
  work: (log: Awaited<ReturnType<typeof openLog>>['log']) => Promise<T>,
) {
  const io = { out: () => undefined, err: () => undefined, isTerminal: false, env: {} };
  const config = cliConfig({ ...io, signal: new AbortController().signal }, { dataDir: join(root, dir) });
  const opened = await openLog(config);
  try {
    return await work(opened.log);
  } finally {
    await opened.close();
  }
}
/** As a former release has left them. */
function ageStores(dir: string): readonly number[] {
  const store = LmdbStateStore.open({ path: join(root, dir, 'state', 'relationship') });
  try {
    return store.stored().map(({ partition }) => {
      const one = store.open(partition);
      const checkpoint = one.checkpoint();
      if (checkpoint === null) throw new Error('no checkpoint');
      one.write({ checkpoint: { ...checkpoint, foldVersion: 1 }, states: [], blobs: [], outbox: [] });
      one.close();
      return partition;
    });
  } finally {
    store.close();
  }
}

const catalog = SchemaCatalog.load();
const registry = new LocalSchemaRegistry(catalog);

async function facts(dir: string): Promise<readonly TierChanged[]> {
  const codec = await TierChangedCodec.open(registry, catalog);
  return withLog(dir, async (log) => {
    const all: TierChanged[] = [];
    for (const { partition } of await log.ends(TOPICS.tierChanges)) {
      for await (const { records } of log.read({ topic: TOPICS.tierChanges, partition }, 0)) {
        for (const { value } of records) if (value !== null) all.push(codec.decode(value));
      }
    }
    return all;
  });
}
const contents = (changes: readonly TierChanged[]) =>
  changes.map(({ version: _, detectedAt: __, ...change }) => JSON.stringify(change)).sort();

describe('gravity rebuild', () => {
  it(
    'builds beside the live figures, goes on, goes over, and what comes then comes out right',
    async () => {
      await replay('live', first);
      cpSync(join(root, 'live'), join(root, 'whole'), { recursive: true });
      const before = await seen('live');
      const published = await facts('live');
      const built = await gravity('live', 'rebuild', '--format', 'json');
      expect(built).toMatchObject({ code: 0 });
      expect(built.err).toContain('nothing was gone over to');
      const report = z
        .object({ tiers: z.looseObject({}), figures: z.looseObject({}) })
        .loose()
        .parse(JSON.parse(built.out));
      expect(report).toMatchObject({
        ...{
          generation: 2,
          compared_with: 1,
          switched: false,
          restated: null,
          restatements_not_carried_over: 0,
        },
        ...{ tiers: { compared: 120, differ: 0, moves: [] }, figures: { differ: 0, differences: [] } },
      });
      expect(report.figures['compared']).toBeGreaterThan(80);
      expect(await seen('live')).toEqual(before);

      // In a process of its own, as users have it.
      const command = ['rebuild', '--switch', '--data-dir', join(root, 'live')];
      const over = await runGravity(command, { HOME: root });
      expect(over).toMatchObject({ code: 0, out: '' });
      expect(over.err).toContain('going on with generation 2');
      expect(over.err).toContain('0 of 120 tiers and 0 of');
      expect(over.err).toContain('generation 2 is live; 0 tiers were restated');
      expect(existsSync(join(root, 'live', 'state', 'rebuild-g2'))).toBe(false);
      expect(existsSync(join(root, 'live', 'state', 'rebuild-snapshots'))).toBe(false);
      expect(await seen('live')).toEqual({ ...before, generation: 2 });
      expect(await facts('live')).toEqual(published);

      await replay('live', second);
      await replay('whole', second);
      expect(await seen('live')).toEqual({ ...(await seen('whole')), generation: 2 });
      expect(contents(await facts('live'))).toEqual(contents(await facts('whole')));
      expect(await gravity('live', 'reconcile', '--ends', '3')).toMatchObject({ code: 0 });
    },
    SLOW_MS,
  );

  it(
    'goes over from stores of another version of the fold, and tells subscribers once what is another tier',
    async () => {
      const tiers = await TiersCodec.open(registry, catalog);
      const known = { ...{ brand: 'rows', schemeId: 'rolling:30d', periodId: 'rolling:30d' }, person: 'p7' };
      const stamps = { effectiveAt: 1, detectedAt: 2, version: 7n };
      const told = tiers.encode({ ...known, tier: 1, ...stamps });
      await withLog('live', (log) => log.append([{ topic: TOPICS.tiers, partition: 0, ...told }]));
      const { length: aged } = ageStores('live');
      expect(aged).toBe(4);
      const period = ['--brand', 'rows', '--window', '30d', '--from', '2024-02-01', '--to', '2024-02-02'];
      const refused = await gravity('live', 'reopen', ...period, '--reason', 'why', '--by', 'who');
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(/folded by version 1 of the fold.*`gravity rebuild --switch`/s);
      const before = await facts('live');
      const over = await gravity('live', 'rebuild', '--switch', '--format', 'csv');
      expect(over).toMatchObject({ code: 0 });
      expect(over.out).toMatch(
        /^brand,channel,what,figure,rows,newest,shown,rebuilt\nrows,,persons rolling:30d,tier 1 is \d,1,,,\n$/,
      );
      expect(over.err).toContain('generation 3 is live; 1 tiers were restated');
      const news = (await facts('live')).filter(
        ({ version }) => !before.some((fact) => fact.version === version),
      );
      expect(news).toMatchObject([{ person: 'p7', from: 1, cause: 'RESTATE', schemeId: 'rolling:30d' }]);
      expect((await seen('live')).generation).toBe(3);
    },
    SLOW_MS,
  );

  it(
    'gives generations up that are not folded, and no other',
    async () => {
      const refused = await gravity('live', 'rebuild', '--discard', '3');
      expect(refused).toMatchObject({ code: 1 });
      expect(refused.err).toContain('generation 3 is what the log is folded as');
      expect(await gravity('live', 'rebuild', '--discard', 'x')).toMatchObject({ code: 2 });
      expect(await gravity('live', 'rebuild', '--discard', '1')).toMatchObject({ code: 0 });
      const { out } = await gravity('live', 'rebuild', '--list', '--format', 'json');
      expect(JSON.parse(out)).toMatchObject([
        { generation: 3, state: 'shown', epoch: 3 },
        { generation: 2, state: 'shown' },
        { generation: 1, state: 'discarded' },
      ]);
      expect(await gravity('nowhere', 'rebuild')).toMatchObject({ code: 1 });
    },
    SLOW_MS,
  );
});

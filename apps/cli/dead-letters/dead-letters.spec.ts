/** `gravity dead-letters` on an embedded log. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import { LocalSchemaRegistry, SchemaCatalog, topicSpecs, openCodecs } from '#contracts';
import { EmbeddedLog } from '#embedded-log';
import { initialiseLog } from '#pipeline';
import { DataDirectoryLock } from '#state-store';
import { type GravityOutcome, runGravity, TempDir } from '#testing';
import { pseudonymisation } from '../../intake/judgement-settings.js';
import { runCli } from '../program.js';
import { refuseOrders } from '../../../test/integration/refuse-orders.js';

const SLOW_MS = 180_000;
const AT = Date.UTC(2024, 0, 10);
const RUBBISH = 'touchpoint.order/0/3';

describe('gravity dead-letters', () => {
  const directory = new TempDir('dead-letters');
  const data = directory.join('data');
  const began = Date.now();
  beforeAll(async () => {
    const catalog = SchemaCatalog.load();
    const codecs = await openCodecs(new LocalSchemaRegistry(catalog), catalog);
    const log = EmbeddedLog.open({ path: directory.join('data', 'log') });
    await log.applyTopics(topicSpecs({ relationshipLogPartitions: 2, sourcePartitions: 1 }), false);
    await initialiseLog(log, codecs.log, { newLogId: 'a-log', now: Date.now });
    const settings = { dataDir: data, earliestEvent: 0, futureMaxMs: 0, currency: 'CNY' };
    const pseudonymise = pseudonymisation(settings);
    await refuseOrders({ log, codecs, pseudonymise, persons: ['ann', 'bob', 'cid'], at: AT });
    await log.close();
  }, SLOW_MS);
  afterAll(() => directory.remove());

  async function run(
    argv: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GravityOutcome> {
    const texts = { out: '', err: '' };
    const code = await runCli(argv, {
      out: (text) => void (texts.out += text),
      err: (text) => void (texts.err += text),
      isTerminal: false,
      env: { HOME: directory.path, ...env },
      signal: new AbortController().signal,
    });
    return { code, ...texts };
  }
  const gravity = (argv: readonly string[], env?: Readonly<Record<string, string>>) =>
    run(['dead-letters', ...argv, '--data-dir', data], env);
  const ids = ({ out }: GravityOutcome): unknown[] =>
    (JSON.parse(out) as { id: string }[]).map(({ id }) => id);

  it(
    'lists them, all or those that are asked for',
    async () => {
      const all = await gravity(['list', '--format', 'json']);
      expect(all).toMatchObject({ code: 0, err: '' });
      expect(JSON.parse(all.out)).toMatchObject([
        { id: 'touchpoint.order/0/0', reason: 'WRONG_CURRENCY' },
        { id: 'touchpoint.order/0/1', reason: 'WRONG_CURRENCY' },
        { id: 'touchpoint.order/0/2', reason: 'WRONG_CURRENCY' },
        { id: RUBBISH, reason: 'UNFRAMED', bytes: 14 },
      ]);
      const json = ['--format', 'json'];
      expect(ids(await gravity(['list', '--reason', 'UNFRAMED', 'EMPTY', ...json]))).toEqual([RUBBISH]);
      expect(ids(await gravity(['list', '--topic', 'touchpoint.visit', ...json]))).toEqual([]);
      const newest = await gravity(['list', '--limit', '1', ...json]);
      expect(ids(newest)).toEqual([RUBBISH]);
      expect(newest.err).toContain('the newest 1 of 4');
      const instant = new Date(began).toISOString();
      expect(ids(await gravity(['list', '--to', instant, ...json]))).toEqual([]);
      expect(ids(await gravity(['list', '--from', instant, ...json]))).toHaveLength(4);
    },
    SLOW_MS,
  );

  it(
    'shows one with its bytes and what they read as',
    async () => {
      const order = await gravity(['show', 'touchpoint.order/0/1']);
      expect(order).toMatchObject({ code: 0 });
      expect(order.out).toMatch(/^reason +WRONG_CURRENCY$/m);
      expect(order.out).toMatch(/^partition +0$/m);
      expect(order.out).toContain('"orderId": "order-bob"');
      expect(order.out).toMatch(/^00000000 {2}00 /m);
      const rubbish = await gravity(['show', RUBBISH]);
      expect(rubbish.out).toContain('6e 6f 20 41 76 72 6f 20  61 74'.replace('  ', ' '));
      expect(rubbish.out).toContain('|no Avro at all|');
      expect(rubbish.out).toContain('Cannot be read as an event: UNFRAMED');
    },
    SLOW_MS,
  );

  it(
    'says what it cannot do, with an exit code',
    async () => {
      expect(await gravity(['show', 'touchpoint.order/0/77'])).toMatchObject({ code: 1, out: '' });
      expect(await gravity(['show', 'nonsense'])).toMatchObject({ code: 2 });
      expect(await gravity(['list', '--reason', 'NONSENSE'])).toMatchObject({ code: 2 });
      expect(await gravity(['list', '--from', 'yesterday'])).toMatchObject({ code: 2 });
      for (const choice of [[], ['--all', '--reason', 'EMPTY'], ['touchpoint.order/0/0', '--all']]) {
        const refused = await gravity(['replay', ...choice]);
        expect(refused).toMatchObject({ code: 2 });
        expect(refused.err).toContain('name letters, or choose them');
      }
      expect(await gravity(['replay', 'touchpoint.order/0/0', 'touchpoint.order/0/77'])).toMatchObject({
        code: 1,
        err: expect.stringContaining('no dead letter touchpoint.order/0/77'),
      });
      const lock = DataDirectoryLock.acquire(data);
      expect(await gravity(['list'])).toMatchObject({ code: 3 });
      lock.release();
      expect((await gravity(['replay', '--help'])).out).toContain('Exit code 1 where a letter');
    },
    SLOW_MS,
  );

  it(
    'replays after a fix, and as often as one likes',
    async () => {
      const json = ['--format', 'json'];
      const early = await gravity(['replay', '--reason', 'WRONG_CURRENCY', ...json]);
      expect(early).toMatchObject({ code: 1 });
      expect(JSON.parse(early.out)).toMatchObject(
        Array.from({ length: 3 }, () => ({ outcome: 'refused', reason: 'WRONG_CURRENCY' })),
      );
      const fixed = { GRAVITY_CURRENCY: 'EUR' };
      const dry = await gravity(['replay', 'touchpoint.order/0/1', '--dry-run'], fixed);
      expect(dry).toMatchObject({ code: 0, err: expect.stringContaining('1 would be replayed') });
      const one = await gravity(['replay', 'touchpoint.order/0/1'], fixed);
      expect(one).toMatchObject({ code: 0, err: expect.stringContaining('1 replayed') });
      const all = await gravity(['replay', '--all', ...json], fixed);
      expect(all).toMatchObject({ code: 1 });
      expect(all.err).toContain('2 replayed, 1 known, 1 refused, 0 cut, 0 recorded');
      expect(all.err).toContain('1 of 4 are no events still');
      const again = await gravity(['replay', '--reason', 'WRONG_CURRENCY'], fixed);
      expect(again).toMatchObject({ code: 0, err: expect.stringContaining('0 replayed, 3 known') });

      const tiers = await run(['tiers', '--data-dir', data, '--format', 'json']);
      const rows = JSON.parse(tiers.out) as { person: string; orders: number; own_value_minor: number }[];
      expect(rows.map(({ orders, own_value_minor }) => [orders, own_value_minor])).toEqual([
        [1, 700],
        [1, 700],
        [1, 700],
      ]);
      expect(rows.map(({ person }) => person.length)).toEqual([22, 22, 22]);
    },
    SLOW_MS,
  );

  it(
    'shows rows of recorded files too, which it cannot replay',
    async () => {
      const file = directory.join('rows.csv');
      writeFileSync(file, 'person,time,amount\nann,1989-01-01,1\nbob,2024-01-01,1\n');
      const recorded = directory.join('recorded');
      const replay = ['replay', file, '--data-dir', recorded, '--time-zone', 'UTC'];
      // In a process of its own: it folds in threads.
      expect(await runGravity(replay, { HOME: directory.path })).toMatchObject({ code: 0 });
      const ours = ['--data-dir', recorded];
      const listed = await run(['dead-letters', 'list', ...ours, '--format', 'json']);
      const [id = ''] = ids(listed);
      expect(JSON.parse(listed.out)).toMatchObject([{ reason: 'TIME_TOO_EARLY' }]);
      expect((await run(['dead-letters', 'show', String(id), ...ours])).out).toContain('1989-01-01');
      const key = { GRAVITY_PSEUDONYM_KEY_FILE: directory.join('data', 'pseudonym.key') };
      const refused = await run(['dead-letters', 'replay', '--all', ...ours], key);
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('1 recorded') });
    },
    SLOW_MS,
  );

  it(
    'refuses to make other persons of the same ones by another key',
    async () => {
      rmSync(directory.join('data', 'pseudonym.key'));
      const refused = await gravity(['replay', '--all']);
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.err).toContain('GRAVITY_PSEUDONYM_KEY_FILE');
    },
    SLOW_MS,
  );
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceTouchpoint } from '#domain';
import { NothingToReplayError, replay } from './replay.js';
import { OlderThanLogError, OtherRulesError } from './replay-log.js';
import type { ReplayPlan, ReplayReport } from './replay-plan.js';
import { describeLog, openReplayLog, planFor, type ReplayLog } from './replay-fixture.js';

const HEADER = 'person,time,amount,order\n';

describe('replay', () => {
  let root: string;
  let target: ReplayLog;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'replay-'));
    target = await openReplayLog(join(root, 'log'), 2);
  });
  afterEach(async () => {
    await target.log.close();
    rmSync(root, { recursive: true, force: true });
  });

  function file(name: string, text: string): string {
    mkdirSync(join(root, 'in'), { recursive: true });
    const path = join(root, 'in', name);
    writeFileSync(path, text);
    return path;
  }

  function run(
    files: readonly string[],
    changes: Partial<ReplayPlan> = {},
    signal?: AbortSignal,
  ): Promise<ReplayReport> {
    const plan = { ...planFor(files, join(root, 'sort')), ...changes };
    return replay(plan, () => Promise.resolve(target), {}, signal ?? new AbortController().signal);
  }

  it('writes rules, ticks, joins and orders in the order of time', async () => {
    const path = file(
      'a.csv',
      `${HEADER}p,2024-01-01 10:30:00,5,B\np,2024-01-01 10:00:00,1.5,A\nq,2024-01-02 00:10:00,-2,\n`,
    );
    const report = await run([path]);
    expect(report).toMatchObject({
      status: 'replayed',
      rowsRead: 3,
      counts: { accepted: 3, persons: 2, buyers: 1 },
    });
    expect(await describeLog(target, 0, ['p', 'q'])).toEqual([
      'epochRaised 1',
      'rulesSet UTC',
      'tick 2024-01-01T10:00:00.000Z',
      '2024-01-01T10:00:00.000Z p joins a.csv:member:p',
      '2024-01-01T10:00:00.000Z p pays 150 for A a.csv#3',
      '2024-01-01T10:30:00.000Z p pays 500 for B a.csv#2',
      'tick 2024-01-02T00:00:00.000Z',
      '2024-01-02T00:10:00.000Z q gets 200 for null a.csv#4',
      'tick 2024-01-02T00:10:00.001Z',
    ]);
  });

  it('ticks at midnights of the day zone and at hours with events, in every partition alike', async () => {
    const path = file(
      'a.csv',
      `${HEADER}p,2024-01-01 10:00:00,1,\np,2024-01-03 18:29:00,1,\np,2024-01-03 18:31:00,1,\n`,
    );
    await run([path], {
      wish: {
        dayZone: 'Asia/Kolkata',
        defaultDayZone: 'UTC',
        zeroOrderCounts: true,
        fineRowsMs: 48 * 3_600_000,
      },
    });
    const ticks = (await describeLog(target, 0)).filter((line) => line.startsWith('tick'));
    expect(ticks).toEqual([
      'tick 2024-01-01T10:00:00.000Z',
      'tick 2024-01-01T18:30:00.000Z',
      'tick 2024-01-02T18:30:00.000Z',
      'tick 2024-01-03T18:00:00.000Z',
      'tick 2024-01-03T18:30:00.000Z',
      'tick 2024-01-03T18:31:00.001Z',
    ]);
    expect((await describeLog(target, 1)).filter((line) => line.startsWith('tick'))).toEqual(ticks);
  });

  it('writes nothing for a replay that was written before', async () => {
    const path = file('a.csv', `${HEADER}p,2024-01-01,1,\nx,2024-01-02,oops,\n`);
    await run([path]);
    const before = await describeLog(target, 0);
    const again = await run([path]);
    expect(again).toMatchObject({ status: 'unchanged', rowsRead: 2, counts: { accepted: 1 } });
    expect(await describeLog(target, 0)).toEqual(before);
  });

  it('goes on where a signal stopped it, as if nothing had been', async () => {
    const rows = Array.from({ length: 500 }, (_, index) => `p${index % 40},${1704067200 + index * 977},1,\n`);
    const path = file('a.csv', HEADER + rows.join(''));
    const stop = new AbortController();
    const plan = { ...planFor([path], join(root, 'sort')), batchRowsMax: 7 };
    const stopped = await replay(
      plan,
      () => Promise.resolve(target),
      {
        progress: (progress) =>
          progress.phase === 'write' && progress.rowsDone > 200 ? stop.abort() : undefined,
      },
      stop.signal,
    );
    expect(stopped.status).toBe('stopped');
    expect((await run([path])).status).toBe('resumed');

    const other = await openReplayLog(join(root, 'undisturbed'), 2);
    await replay(
      planFor([path], join(root, 'sort')),
      () => Promise.resolve(other),
      {},
      new AbortController().signal,
    );
    for (const partition of [0, 1]) {
      expect(await describeLog(target, partition)).toEqual(await describeLog(other, partition));
    }
    await other.log.close();
  });

  it('appends what is newer, after the midnights between, and refuses what is older', async () => {
    await run([file('a.csv', `${HEADER}p,2024-01-05 01:00:00,1,\n`)]);
    const older = file('b.csv', `${HEADER}p,2024-01-04,1,\n`);
    await expect(run([older])).rejects.toThrow(OlderThanLogError);
    await expect(run([older])).rejects.toThrow('together, in one command, into a new data directory');
    const report = await run([file('c.csv', `${HEADER}p,2024-01-07 05:00:00,1,\n`)]);
    expect(report.status).toBe('replayed');
    expect((await describeLog(target, 0, ['p'])).slice(-8)).toEqual([
      'tick 2024-01-05T01:00:00.001Z',
      'rulesSet UTC',
      'tick 2024-01-06T00:00:00.000Z',
      'tick 2024-01-07T00:00:00.000Z',
      'tick 2024-01-07T05:00:00.000Z',
      '2024-01-07T05:00:00.000Z p joins c.csv:member:p',
      '2024-01-07T05:00:00.000Z p pays 100 for c.csv#2 c.csv#2',
      'tick 2024-01-07T05:00:00.001Z',
    ]);
  });

  it('refuses another day zone than that of the log', async () => {
    await run([file('a.csv', `${HEADER}p,2024-01-05,1,\n`)]);
    const wish = {
      dayZone: 'Asia/Shanghai',
      defaultDayZone: 'UTC',
      zeroOrderCounts: true,
      fineRowsMs: 48 * 3_600_000,
    };
    await expect(run([file('b.csv', `${HEADER}p,2024-02-05,1,\n`)], { wish })).rejects.toThrow(
      OtherRulesError,
    );
    expect((await run([file('b.csv', `${HEADER}p,2024-02-05,1,\n`)])).status).toBe('replayed');
  });

  it('puts what intake refuses into dead letters, in the same transaction', async () => {
    const path = file(
      'a.csv',
      `${HEADER}p,1980-01-01,1,\norder:7,2024-01-01,1,\np,2024-01-02,1,\nq,2999-01-01,1,\n`,
    );
    const report = await run([path]);
    expect(
      [...report.counts.rejected].map(([reason, { count, examples }]) => [reason, count, ...examples]),
    ).toEqual([
      ['TIME_TOO_EARLY', 1, 'a.csv#2'],
      ['RESERVED_NAME', 1, 'a.csv#3'],
      ['TIME_AHEAD', 1, 'a.csv#5'],
    ]);
    const letters = await target.deadLetters();
    expect(letters.map(({ reason, source }) => [reason, source.topic, source.offset])).toEqual([
      ['TIME_TOO_EARLY', 'replay:a.csv', 2],
      ['RESERVED_NAME', 'replay:a.csv', 3],
      ['TIME_AHEAD', 'replay:a.csv', 5],
    ]);
    expect((await describeLog(target, 0)).at(-1)).toBe('tick 2024-01-02T00:00:00.001Z');
  });

  it('sorts several files into one order, whatever fits into memory', async () => {
    const one = file('1.csv', `${HEADER}p,2024-01-03,1,\np,2024-01-01,2,\n`);
    const two = file('2.csv', `${HEADER}p,2024-01-02,3,\np,2024-01-01,4,\n`);
    await run([one, two], { runRowsMax: 1 });
    const pays = (await describeLog(target, 0, ['p'])).filter((line) => line.includes(' pays '));
    expect(pays.map((line) => line.split(' ').at(-1))).toEqual(['1.csv#3', '2.csv#3', '2.csv#2', '1.csv#2']);
    expect(existsSync(join(root, 'sort'))).toBe(false);
  });

  it('keeps guests apart and pseudonyms unreadable', async () => {
    const path = file('a.csv', `${HEADER},2024-01-01,1,A\n,2024-01-01 01:00:00,-1,\nalice,2024-01-02,1,\n`);
    const pseudonymise = (event: SourceTouchpoint): SourceTouchpoint =>
      event.person === null ? event : { ...event, person: 'X' };
    const report = await run([path], { pseudonyms: { pseudonymise, keyHash: 'k' } });
    expect(report.counts).toMatchObject({ guestRows: 2, guestOrders: 2, persons: 1 });
    const lines = [...(await describeLog(target, 0)), ...(await describeLog(target, 1))].filter((line) =>
      line.startsWith('20'),
    );
    expect(lines.sort()).toEqual([
      '2024-01-01T00:00:00.000Z order:A pays 100 for A a.csv#2',
      '2024-01-01T01:00:00.000Z order:a.csv#3 gets 100 for a.csv#3 a.csv#3',
      '2024-01-02T00:00:00.000Z X joins a.csv:member:X',
      '2024-01-02T00:00:00.000Z X pays 100 for a.csv#4 a.csv#4',
    ]);
  });

  it('writes nothing when nothing fits', async () => {
    const path = file('a.csv', `${HEADER}p,01/02/2024,1,\n`);
    await expect(run([path])).rejects.toThrow(NothingToReplayError);
    expect(await describeLog(target, 0)).toEqual([]);
  });

  it('takes NDJSON of canonical touchpoints', async () => {
    const lines = [
      '{"type":"relation","person":"p","occurred_at":1704067200000,"link":"MEMBER","on":true,"event_id":"j"}',
      '{"type":"order","person":"p","occurred_at":1704070800000,"kind":"PAID","order_id":"o","line_id":"1","amount_minor":7,"event_id":"e"}',
      'nonsense',
    ];
    const report = await run([file('a.ndjson', lines.join('\n'))]);
    expect(report.rejected.get('BAD_JSON')?.examples.map(({ row }) => row)).toEqual([3]);
    expect((await describeLog(target, 0, ['p'])).filter((line) => line.startsWith('20'))).toEqual([
      '2024-01-01T00:00:00.000Z p joins j',
      '2024-01-01T01:00:00.000Z p pays 7 for o e',
    ]);
  });

  it('passes recorded time at the speed it is told', async () => {
    const path = file(
      'a.csv',
      `${HEADER}p,2024-01-01 00:00:00,1,\np,2024-01-01 00:10:00,1,\np,2024-01-01 00:30:00,1,\n`,
    );
    let now = Date.UTC(2025, 0, 1);
    const sleeps: number[] = [];
    const clock = {
      now: () => now,
      sleep: (ms: number) => {
        sleeps.push(ms);
        now += ms;
        return Promise.resolve();
      },
    };
    await run([path], { speed: 60, clock });
    expect(sleeps).toEqual([10_000, 20_000]);
  });
});

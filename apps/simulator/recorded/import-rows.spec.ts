import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ADMISSION_LIMITS, defaultRules } from '#domain';
import { initialiseLog, TOPICS } from '#pipeline';
import {
  AheadOfLogError,
  importRows,
  NoTimeYetError,
  type ImportObserver,
  type ImportPlan,
  type ImportProgress,
  type ImportTarget,
} from './import-rows.js';
import { LivePathSilentError, type LiveLag } from './import-pace.js';
import { recordsOf } from './replay-records.js';
import { replay } from './replay.js';
import { describeLog, openReplayLog, planFor, type ReplayLog } from './replay-fixture.js';

const HEADER = 'person,time,amount,order\n';
const NEVER = new AbortController().signal;

describe('an import of rows', () => {
  let root: string;
  let log: ReplayLog;
  /** Moves by what is waited for. */
  let clock: number;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'import-'));
    log = await openReplayLog(join(root, 'log'), 2);
    clock = Date.UTC(2025, 0, 1);
  });
  afterEach(async () => {
    await log.log.close();
    rmSync(root, { recursive: true, force: true });
  });

  function file(name: string, text: string): string {
    mkdirSync(join(root, 'in'), { recursive: true });
    const path = join(root, 'in', name);
    writeFileSync(path, text);
    return path;
  }

  function target(liveLag: ImportTarget['liveLag'] = null): ImportTarget {
    const partitions = { relationshipLog: 2, deadLetters: 1 };
    return {
      ...{ log: log.log, logCodec: log.logCodec, liveLag },
      recordOf: (accepted) => {
        const [record] = recordsOf(accepted, log, partitions);
        if (record === undefined) throw new Error('no record');
        return record;
      },
    };
  }

  function plan(path: string, changes: Partial<ImportPlan> = {}): ImportPlan {
    const { files, reading, sequencing } = planFor([path], join(root, 'sort'));
    const sleep = (ms: number): Promise<void> => {
      clock += ms;
      return Promise.resolve();
    };
    return {
      ...{ files, reading, sequencing, pseudonyms: null, rateMax: Infinity, lagMax: 100 },
      ...{ limits: DEFAULT_ADMISSION_LIMITS, sortDirectory: join(root, 'sort') },
      clock: { now: () => clock, sleep },
      ...changes,
    };
  }

  const run = (
    path: string,
    changes: Partial<ImportPlan> = {},
    liveLag: ImportTarget['liveLag'] = null,
    observer: ImportObserver = {},
    signal: AbortSignal = NEVER,
  ) => importRows(plan(path, changes), () => Promise.resolve(target(liveLag)), observer, signal);

  async function replayed(): Promise<void> {
    const path = file('new.csv', `${HEADER}p,2024-06-05 10:00:00,1,N\n`);
    await replay(planFor([path], join(root, 'sort')), () => Promise.resolve(log), {}, NEVER);
  }

  const sentences = async (): Promise<readonly string[]> => [
    ...(await describeLog(log, 0)),
    ...(await describeLog(log, 1)),
  ];

  it('writes each person in one piece, no tick, nothing twice, and nothing that intake would refuse', async () => {
    await replayed();
    const before = (await sentences()).length;
    const path = file(
      'old.csv',
      `${HEADER}p,2023-03-01,5,A\nq,2023-02-01,7,Q\np,2023-01-01,4,B\np,1971-01-01,1,C\n,2023-01-05,9,G\np,2023-04-01,-5,A\n`,
    );
    const refused: unknown[] = [];
    const report = await run(path, {}, null, { reject: (...row) => refused.push(row.slice(0, 3)) });
    expect(report).toMatchObject({
      status: 'imported',
      rowsRead: 6,
      counts: { accepted: 5, persons: 2, guestOrders: 1 },
    });
    expect(refused).toEqual([['old.csv', 5, 'TIME_TOO_EARLY']]);
    expect(await log.deadLetters()).toEqual([]);
    const written = (await sentences()).filter((line) => line.includes('old.csv'));
    expect(written).toHaveLength((await sentences()).length - before);
    expect(written.filter((line) => line.includes(' p '))).toEqual([
      // By the row, not by the person: intake alone may know the pseudonym.
      '2023-01-01T00:00:00.000Z p joins old.csv#4:member',
      '2023-01-01T00:00:00.000Z p pays 400 for B old.csv#4',
      '2023-03-01T00:00:00.000Z p pays 500 for A old.csv#2',
      '2023-04-01T00:00:00.000Z p gets 500 for A old.csv#7',
    ]);
    expect(await origins()).toEqual({ REPLAY: 2, BACKFILL: 7 });
    expect((await run(path)).status).toBe('unchanged');
    expect((await sentences()).length).toBe(before + 7);
  });

  async function origins(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const partition of [0, 1]) {
      for await (const { records } of log.log.read({ topic: TOPICS.relationshipLog, partition }, 0)) {
        for (const { value } of records) {
          const entry = log.logCodec.decode(value);
          if ('origin' in entry) counts[entry.origin] = (counts[entry.origin] ?? 0) + 1;
        }
      }
    }
    return counts;
  }

  it('goes on where a signal has stopped it', async () => {
    await replayed();
    const rows = Array.from(
      { length: 900 },
      (_, index) => `p${index % 40},${1_672_531_200 + index * 977},1,\n`,
    );
    const path = file('old.csv', HEADER + rows.join(''));
    const stop = new AbortController();
    const observer = {
      progress: (progress: ImportProgress) =>
        progress.phase === 'write' && progress.rowsDone > 300 ? stop.abort() : undefined,
    };
    expect((await run(path, { rateMax: 400 }, null, observer, stop.signal)).status).toBe('stopped');
    const half = (await origins())['BACKFILL'] ?? 0;
    expect(half).toBeGreaterThan(300);
    expect(half).toBeLessThan(900);
    expect(await run(path)).toMatchObject({ status: 'resumed', counts: { accepted: 900, buyers: 40 } });
    expect((await origins())['BACKFILL']).toBe(940);
    expect(new Set((await sentences()).filter((line) => line.includes('old.csv'))).size).toBe(940);
  });

  it('is refused before time has begun, and where it would go ahead of it', async () => {
    const path = file('old.csv', `${HEADER}p,2024-07-01,5,A\n`);
    const rules = defaultRules();
    await initialiseLog(log.log, log.logCodec, { newLogId: log.newLogId, now: () => clock, rules });
    const before = await sentences();
    await expect(run(path)).rejects.toThrow(NoTimeYetError);
    expect(await sentences()).toEqual(before);
  });

  it('goes ahead of the log only where somebody makes time pass', async () => {
    await replayed();
    const path = file('old.csv', `${HEADER}p,2024-07-01,5,A\np,2099-01-01,5,A\n`);
    const before = await sentences();
    await expect(run(path)).rejects.toThrow(AheadOfLogError);
    expect(await sentences()).toEqual(before);
    const idle = (): Promise<LiveLag> => Promise.resolve({ intake: 0, relationship: 0, read: 0 });
    const report = await run(path, {}, idle);
    expect(report).toMatchObject({ status: 'imported', counts: { accepted: 1 } });
    expect(report.counts.rejected.get('TIME_AHEAD')?.examples).toEqual(['old.csv#3']);
  });

  it('waits for the live path, says for whom, and goes on when it has caught up', async () => {
    await replayed();
    const rows = Array.from(
      { length: 2_000 },
      (_, index) => `p${index % 40},${1_672_531_200 + index * 977},1,\n`,
    );
    const path = file('old.csv', HEADER + rows.join(''));
    // For ten looks, in the middle, the fold has more to go through than it may.
    let looks = 0;
    const live = async (): Promise<LiveLag> => {
      looks += 1;
      const isBehind = looks > 2 && looks <= 12;
      return Promise.resolve({ intake: 3, relationship: isBehind ? 200 : 0, read: looks });
    };
    const waits: ImportProgress[] = [];
    let heldAt = { rows: -1, clock: 0 };
    const observer = {
      progress: (progress: ImportProgress): void => {
        if (progress.phase !== 'write') return;
        if (progress.waitingFor === null) return;
        waits.push(progress);
        if (heldAt.rows < 0) heldAt = { rows: progress.rowsDone, clock };
        expect(progress).toMatchObject({ waitingFor: 'relationship', lag: 203, rowsDone: heldAt.rows });
        expect(clock - heldAt.clock).toBeLessThan(12_000);
      },
    };
    const began = clock;
    expect((await run(path, { rateMax: 300 }, live, observer)).status).toBe('imported');
    expect(waits.length).toBeGreaterThan(5);
    expect(heldAt.rows).toBeGreaterThan(0);
    expect((await origins())['BACKFILL']).toBe(2_040);
    // 2,040 records at 300 a second, and the ten seconds of waiting.
    expect(clock - began).toBeGreaterThan(16_000);
  });

  it('gives up when nobody reads at all, and the same import goes on later', async () => {
    await replayed();
    const path = file('old.csv', `${HEADER}p,2023-03-01,5,A\n`);
    const dead = (): Promise<LiveLag> => Promise.resolve({ intake: 500, relationship: 0, read: 7 });
    const began = clock;
    await expect(run(path, {}, dead)).rejects.toThrow(LivePathSilentError);
    expect(clock - began).toBeGreaterThanOrEqual(60_000);
    expect(await origins()).toEqual({ REPLAY: 2 });
    expect((await run(path)).counts.accepted).toBe(1);
    expect(await origins()).toEqual({ REPLAY: 2, BACKFILL: 2 });
  });
});

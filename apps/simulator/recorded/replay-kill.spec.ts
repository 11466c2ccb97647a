import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnBuilt } from '#testing';
import { replay } from './replay.js';
import { describeLog, openReplayLog, planFor } from './replay-fixture.js';

const ROWS = 6_000;

describe('a replay that is killed', () => {
  let root: string;
  let file: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'replay-kill-'));
    file = join(root, 'rows.csv');
    // Not in the order of time; every 50th row is refused by intake, every 60th is no row.
    const rows = Array.from({ length: ROWS }, (_, index) => {
      const at = Date.UTC(2024, 0, 1) + ((index * 7_919) % ROWS) * 600_000;
      const time = index % 50 === 0 ? '1970-01-02' : new Date(at).toISOString();
      return index % 60 === 1
        ? `p,${time},ten,\n`
        : `p${index % 97},${time},${index % 5 === 0 ? -1 : 2},o${index % 400}\n`;
    });
    writeFileSync(file, `person,time,amount,order\n${rows.join('')}`);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** Lines that the child has said: rows committed, then its status. */
  async function runChild(directory: string, killAfter: number): Promise<string[]> {
    const child = spawnBuilt('apps/simulator/recorded/replay-child.ts', [
      directory,
      join(root, 'sort'),
      file,
    ]);
    if (child.stdout === null) throw new Error('the child has no stdout');
    const lines: string[] = [];
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (lines.length === killAfter) child.kill('SIGKILL');
    }
    await ended;
    return lines;
  }

  it('leaves the log as one that was never disturbed, once it has been run again', async () => {
    const killed = join(root, 'killed');
    let lines: string[] = [];
    for (const killAfter of [1, 30, 11, Infinity]) lines = await runChild(killed, killAfter);
    expect(lines.at(-1)).toBe('resumed');
    expect(Number(lines[0])).toBeGreaterThan(40 * 20);

    const undisturbed = await openReplayLog(join(root, 'undisturbed'), 2);
    const plan = planFor([file], join(root, 'sort'));
    const report = await replay(plan, () => Promise.resolve(undisturbed), {}, new AbortController().signal);
    const resumed = await openReplayLog(killed, 2);
    for (const partition of [0, 1]) {
      const expected = await describeLog(undisturbed, partition);
      expect(expected.length).toBeGreaterThan(1_000);
      expect(await describeLog(resumed, partition)).toEqual(expected);
    }
    expect(report.counts.rejected.get('TIME_TOO_EARLY')?.count).toBe(ROWS / 50);
    expect(await resumed.deadLetters()).toHaveLength(ROWS / 50);
    await resumed.log.close();
    await undisturbed.log.close();
  }, 60_000);
});

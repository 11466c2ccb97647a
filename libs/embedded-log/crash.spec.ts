import { once } from 'node:events';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  CRASH_GROUP,
  CRASH_INPUT,
  CRASH_OUTPUT,
  CRASH_OUTPUTS,
  recordsOf,
  spawnBuilt,
  TempDir,
} from '#testing';
import { EmbeddedLog } from './index.js';

const ROUNDS = 10;
/** Between the first acknowledged commit and the kill, ms. */
const KILL_WITHIN_MS = 250;

/** Runs the loop until a random instant; answers the last transaction that was acknowledged. */
async function commitAndKill(path: string): Promise<number> {
  const child = spawnBuilt('libs/testing/commit-loop.ts', [path]);
  const { stdout } = child;
  if (stdout === null) throw new Error('the child has no stdout');
  const ended = once(child, 'close');
  let output = '';
  stdout.setEncoding('utf8');
  stdout.on('data', (text: string) => (output += text));
  await Promise.race([once(stdout, 'data'), ended]);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * KILL_WITHIN_MS));
  child.kill('SIGKILL');
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
  // The last line may have been cut off by the kill.
  const acknowledged = output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number);
  return acknowledged.at(-1) ?? -1;
}

/** Every transaction before the committed position is there in full and in order, and nothing else. */
async function expectAgreement(path: string, acknowledged: number): Promise<number> {
  const log = EmbeddedLog.open({ path });
  try {
    const position = (await log.committed(CRASH_GROUP, CRASH_INPUT)) ?? 0;
    expect(position).toBeGreaterThan(acknowledged);
    for (const partition of CRASH_OUTPUTS) {
      let n = 0;
      let i = 0;
      let offset = 0;
      for await (const { records } of log.read({ topic: CRASH_OUTPUT, partition }, 0)) {
        for (const record of records) {
          for (; i >= recordsOf(n, partition); i = 0) n += 1;
          const text = record.value?.toString('latin1') ?? '';
          if (record.offset !== offset || text.replace(/\.+$/, '') !== `${n}:${i}`) {
            throw new Error(`${partition}/${offset} should be ${n}:${i}, is ${record.offset} ${text}`);
          }
          offset += 1;
          i += 1;
        }
      }
      for (; n < position && i >= recordsOf(n, partition); i = 0) n += 1;
      expect({ partition, transactions: n, rest: i }).toEqual({ partition, transactions: position, rest: 0 });
    }
    return position;
  } finally {
    await log.close();
  }
}

describe('EmbeddedLog, killed while it commits', () => {
  const dir = new TempDir('crash');
  afterAll(() => dir.remove());

  it('has each acknowledged transaction, each one whole or not at all', async () => {
    const positions: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const acknowledged = await commitAndKill(dir.path);
      positions.push(await expectAgreement(dir.path, acknowledged));
    }
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(positions.at(-1)).toBeGreaterThan(ROUNDS);
  }, 120_000);
});

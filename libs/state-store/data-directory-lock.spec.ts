import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnBuilt, TempDir } from '#testing';
import { breakStaleLock, selfAsHolder } from './lock-file.js';
import { DataDirectoryLock, DataDirectoryLockedError, DataDirectoryUnusableError } from './index.js';

/** No Linux gives out a pid this high. */
const DEAD_PID = 2 ** 30;

describe('DataDirectoryLock', () => {
  let dir: TempDir;
  let children: ChildProcess[] = [];
  const lockFile = (): string => dir.join('gravity.lock');
  const leaveLock = (holder: object, file = lockFile()): void => writeFileSync(file, JSON.stringify(holder));

  /** Its first line. */
  const contend = async (mode: 'keep' | 'once'): Promise<string> => {
    const child = spawnBuilt('libs/testing/lock-contender.ts', [dir.path, mode]);
    children.push(child);
    const { stdout } = child;
    if (stdout === null) throw new Error('the child has no stdout');
    const [line] = (await once(stdout.setEncoding('utf8'), 'data')) as [string];
    return line.trim();
  };

  beforeEach(() => {
    dir = new TempDir('lock');
    children = [];
  });
  afterEach(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    dir.remove();
  });

  it('says which folder cannot be used, and why', () => {
    writeFileSync(dir.join('file'), '');
    expect(() => DataDirectoryLock.acquire(dir.join('file/below'))).toThrow(DataDirectoryUnusableError);
    expect(() => DataDirectoryLock.acquire(dir.join('file/below'))).toThrow(
      /file\/below cannot be used: ENOTDIR/,
    );
  });

  it('is had by one, who may say later where his API is', () => {
    const lock = DataDirectoryLock.acquire(dir.path);
    expect(lock.takenOver).toBe(false);
    expect(() => DataDirectoryLock.acquire(dir.path)).toThrow(DataDirectoryLockedError);
    expect(DataDirectoryLock.readHolder(dir.path)).toMatchObject({ pid: process.pid, api: null });
    lock.announce({ api: 'http://127.0.0.1:8080' });
    expect(DataDirectoryLock.readHolder(dir.path)?.api).toBe('http://127.0.0.1:8080');
    expect(() => DataDirectoryLock.acquire(dir.path)).toThrow(
      `process ${process.pid}, its API is at http://127.0.0.1:8080`,
    );
    lock.release();
    expect(DataDirectoryLock.readHolder(dir.path)).toBeNull();
    expect(readdirSync(dir.path)).toEqual([]);
    lock.release();
    expect(() => lock.announce({ api: null })).toThrow(/not ours/);
  });

  it('makes the directory', () => {
    const lock = DataDirectoryLock.acquire(dir.join('a', 'b'), { api: 'x' });
    expect(DataDirectoryLock.readHolder(dir.join('a', 'b'))?.api).toBe('x');
    lock.release();
  });

  it('is taken over from a process that is gone, or whose pid is another process by now', () => {
    const gone = [
      { pid: DEAD_PID, start: null, token: 'a', api: 'http://gone' },
      { pid: process.pid, start: 'another boot:1', token: 'b', api: null },
    ];
    for (const holder of gone) {
      leaveLock(holder);
      expect(DataDirectoryLock.readHolder(dir.path)).toBeNull();
      const lock = DataDirectoryLock.acquire(dir.path);
      expect(lock.takenOver).toBe(true);
      expect(DataDirectoryLock.readHolder(dir.path)?.pid).toBe(process.pid);
      lock.release();
      expect(readdirSync(dir.path)).toEqual([]);
    }
  });

  it('is not released by someone from whom it was taken', () => {
    const lock = DataDirectoryLock.acquire(dir.path);
    const other = { ...selfAsHolder(null), token: 'other' };
    leaveLock(other);
    lock.release();
    expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toMatchObject({ token: 'other' });
  });

  it('refuses a file that is no lock', () => {
    for (const text of ['', 'hello', '{}', '[1]']) {
      writeFileSync(lockFile(), text);
      expect(() => DataDirectoryLock.acquire(dir.path)).toThrow(/not a lock file of ours/);
    }
  });

  it('is refused to a second process, and free when the first was killed', async () => {
    expect(await contend('keep')).toBe('got false');
    const [first] = children;
    expect(await contend('once')).toBe(`locked ${first?.pid} http://127.0.0.1/${first?.pid}`);
    expect(() => DataDirectoryLock.acquire(dir.path)).toThrow(`process ${first?.pid}`);
    first?.kill('SIGKILL');
    if (first !== undefined) await once(first, 'exit');
    expect(await contend('keep')).toBe('got true');
  }, 60_000);

  it('goes to one of several that find a dead one at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      leaveLock({ pid: DEAD_PID, start: null, token: `dead ${round}`, api: null });
      const lines = await Promise.all(Array.from({ length: 4 }, () => contend('keep')));
      expect(lines.filter((line) => line === 'got true')).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('locked'))).toHaveLength(3);
      for (const child of children.splice(0)) {
        if (child.exitCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
  }, 120_000);

  describe('breaking a dead lock', () => {
    const act = (into: string[]) => () => void into.push('done');

    it('is for the one who names its token', () => {
      leaveLock({ pid: DEAD_PID, start: null, token: 'now', api: null });
      const done: string[] = [];
      expect(breakStaleLock(lockFile(), 'before', selfAsHolder(null), act(done))).toBe('changed');
      expect(done).toEqual([]);
      expect(breakStaleLock(lockFile(), 'now', selfAsHolder(null), act(done))).toBeNull();
      expect(done).toEqual(['done']);
      expect(readdirSync(dir.path)).toEqual(['gravity.lock']);
    });

    it('waits for a live breaker and clears away a dead one', () => {
      leaveLock({ pid: DEAD_PID, start: null, token: 'now', api: null });
      const right = `${lockFile()}.break-now`;
      leaveLock(selfAsHolder(null), right);
      expect(breakStaleLock(lockFile(), 'now', selfAsHolder(null), act([]))).toMatchObject({
        pid: process.pid,
      });
      leaveLock({ pid: DEAD_PID, start: null, token: 'breaker', api: null }, right);
      const lock = DataDirectoryLock.acquire(dir.path);
      expect(lock.takenOver).toBe(true);
      expect(readdirSync(dir.path)).toEqual(['gravity.lock']);
    });
  });

  it('leaves nothing of a failed attempt behind', () => {
    mkdirSync(dir.join('sub'));
    const lock = DataDirectoryLock.acquire(dir.join('sub'));
    for (let i = 0; i < 5; i += 1) expect(() => DataDirectoryLock.acquire(dir.join('sub'))).toThrow();
    expect(readdirSync(dir.join('sub'))).toEqual(['gravity.lock']);
    lock.release();
  });
});

import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hasCode } from './error-code.js';
import { isAlive, processStart } from './process-identity.js';

export interface LockHolder {
  readonly pid: number;
  /** See `processStart`; null where the system does not tell. */
  readonly start: string | null;
  /** Random, new with each acquisition. */
  readonly token: string;
  /** Where the holder's API listens, null until it is announced. */
  readonly api: string | null;
}

export function selfAsHolder(api: string | null): LockHolder {
  return { pid: process.pid, start: processStart(process.pid), token: randomBytes(8).toString('hex'), api };
}

export function isHolderAlive({ pid, start }: LockHolder): boolean {
  return isAlive(pid, start);
}

/** Null when there is no lock file. @throws when it is there and says nothing usable */
export function readLockFile(path: string): LockHolder | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  const holder = parseHolder(text);
  if (holder === null) {
    throw new Error(`${path} is not a lock file of ours; remove it if no process uses the directory`);
  }
  return holder;
}

/** False when the file exists. It appears with all its content or not at all. */
export function createLockFile(path: string, holder: LockHolder): boolean {
  return withWritten(path, holder, (written) => {
    try {
      linkSync(written, path);
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    }
  });
}

/** Puts `holder` in the place of whatever is there. */
export function replaceLockFile(path: string, holder: LockHolder): void {
  withWritten(path, holder, (written) => renameSync(written, path));
}

export function removeLockFile(path: string): void {
  rmSync(path, { force: true });
}

/**
 * Runs `action` while nobody else may touch the lock that a dead process (token `stale`) left at `path`. The right
 * to do so is a file named after that token, so of all that find the same dead lock only one gets it, and someone
 * who comes late finds another token in the lock. If the one who got it dies in between, its file is broken in
 * the same manner.
 *
 * @returns null when it was done; else the live process that is at it, or 'changed' when the lock is another by now
 */
export function breakStaleLock(
  path: string,
  stale: string,
  self: LockHolder,
  action: () => void,
): LockHolder | 'changed' | null {
  const right = `${path}.break-${stale}`;
  if (!createLockFile(right, self)) {
    const breaker = readLockFile(right);
    if (breaker === null) return 'changed';
    if (isHolderAlive(breaker)) return breaker;
    breakStaleLock(right, breaker.token, self, () => removeLockFile(right));
    return 'changed';
  }
  try {
    if (readLockFile(path)?.token !== stale) return 'changed';
    action();
    return null;
  } finally {
    removeLockFile(right);
  }
}

function withWritten<T>(path: string, holder: LockHolder, use: (written: string) => T): T {
  const written = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(written, JSON.stringify(holder), { flag: 'wx' });
  try {
    return use(written);
  } finally {
    rmSync(written, { force: true });
  }
}

function parseHolder(text: string): LockHolder | null {
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw !== 'object' || raw === null) return null;
    const { pid, start, token, api } = raw as Partial<LockHolder>;
    if (typeof pid !== 'number' || typeof token !== 'string') return null;
    return { pid, start: start ?? null, token, api: api ?? null };
  } catch {
    return null;
  }
}

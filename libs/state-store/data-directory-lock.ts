import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { types } from 'node:util';
import {
  breakStaleLock,
  createLockFile,
  isHolderAlive,
  readLockFile,
  removeLockFile,
  replaceLockFile,
  selfAsHolder,
  type LockHolder,
} from './lock-file.js';

export type { LockHolder } from './lock-file.js';

/** Another live process works in the directory. Ask its API instead, where it has one. */
export class DataDirectoryLockedError extends Error {
  override readonly name = 'DataDirectoryLockedError';

  constructor(
    readonly directory: string,
    readonly pid: number,
    readonly api: string | null,
  ) {
    const where = api === null ? '' : `, its API is at ${api}`;
    super(`${directory} is in use by process ${pid}${where}`);
  }
}

/** The folder is not there and cannot be made, or nothing can be written to it. */
export class DataDirectoryUnusableError extends Error {
  override readonly name = 'DataDirectoryUnusableError';

  constructor(directory: string, cause: Error) {
    super(`the data folder ${directory} cannot be used: ${cause.message}`, { cause });
  }
}

const FILE = 'gravity.lock';
/** Each attempt that does not decide it means that another process has just changed the lock. */
const ATTEMPTS_MAX = 1_000;

/**
 * The right to work in a data directory, as a file with the pid and the API's address of the process that has it.
 * It lives as long as the process: what a dead one has left is taken over. Processes that share the directory must
 * see each other's pids, so two containers on one volume need another guard.
 */
export class DataDirectoryLock {
  private released = false;

  private constructor(
    private readonly path: string,
    private self: LockHolder,
    /** The lock was there, and its process was not. */
    readonly takenOver: boolean,
  ) {}

  /** @throws DataDirectoryLockedError | DataDirectoryUnusableError */
  static acquire(directory: string, options: { readonly api?: string } = {}): DataDirectoryLock {
    try {
      mkdirSync(directory, { recursive: true });
      accessSync(directory, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw types.isNativeError(error) ? new DataDirectoryUnusableError(directory, error) : error;
    }
    const path = join(directory, FILE);
    const self = selfAsHolder(options.api ?? null);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (createLockFile(path, self)) return new DataDirectoryLock(path, self, false);
      const holder = readLockFile(path);
      if (holder === null) continue;
      if (isHolderAlive(holder)) throw new DataDirectoryLockedError(directory, holder.pid, holder.api);
      const outcome = breakStaleLock(path, holder.token, self, () => replaceLockFile(path, self));
      if (outcome === null) return new DataDirectoryLock(path, self, true);
      if (outcome !== 'changed') throw new DataDirectoryLockedError(directory, outcome.pid, outcome.api);
    }
    throw new Error(`${path} keeps changing: ${ATTEMPTS_MAX} attempts to lock ${directory} have failed`);
  }

  /** Who works in the directory now; null when nobody does, also when a dead process has left its lock. */
  static readHolder(directory: string): LockHolder | null {
    const holder = readLockFile(join(directory, FILE));
    return holder !== null && isHolderAlive(holder) ? holder : null;
  }

  /** Tells others where the API of this process listens. */
  announce({ api }: { readonly api: string | null }): void {
    if (!this.isOurs()) throw new Error(`${this.path} is not ours any more`);
    this.self = { ...this.self, api };
    replaceLockFile(this.path, this.self);
  }

  /** Leaves the file alone when somebody else's lock is there by now. */
  release(): void {
    if (this.isOurs()) removeLockFile(this.path);
    this.released = true;
  }

  private isOurs(): boolean {
    return !this.released && readLockFile(this.path)?.token === this.self.token;
  }
}

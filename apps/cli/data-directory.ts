/** Who works in a data directory: refuse to write beside him, ask him when we only want to read. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirectoryLock, DataDirectoryLockedError } from '#state-store';
import { CliError, EXIT, usageError } from './exit-codes.js';

export interface RunningHolder {
  readonly pid: number;
  /** Base address of its API; null while it has none. */
  readonly api: string | null;
}

/** @throws CliError (locked, usage) */
export function assertUnlocked(directory: string): void {
  const holder = runningHolder(directory);
  if (holder !== null) throw lockedError(directory, holder);
}

/** @throws CliError (usage)   it is no directory */
export function runningHolder(directory: string): RunningHolder | null {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) {
    throw usageError(`the data directory ${directory} is not a directory`);
  }
  return DataDirectoryLock.readHolder(directory);
}

/**
 * Does the work while holding the directory's lock.
 * @throws CliError (locked)    somebody else has it
 * @throws CliError             there is nothing in the directory yet
 */
export async function withDataDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
  assertLogExists(directory);
  const lock = acquire(directory);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** @throws CliError   reading must not make what is not there */
export function assertLogExists(directory: string): void {
  if (existsSync(join(directory, 'log'))) return;
  throw new CliError(`${directory} holds no log; \`gravity replay\` or \`npm start\` makes one`);
}

function acquire(directory: string): DataDirectoryLock {
  try {
    return DataDirectoryLock.acquire(directory);
  } catch (error) {
    if (error instanceof DataDirectoryLockedError) throw lockedError(directory, error);
    throw error;
  }
}

export function lockedError(directory: string, holder: RunningHolder): CliError {
  const where = holder.api === null ? '' : ` (its API: ${holder.api})`;
  return new CliError(
    `${directory} is in use by process ${holder.pid}${where}; stop it, or name another --data-dir`,
    EXIT.locked,
  );
}

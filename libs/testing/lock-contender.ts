/** Run as a child by the specs of the lock: tries to acquire it and says how that went. */
import { writeSync } from 'node:fs';
import { DataDirectoryLock, DataDirectoryLockedError } from '#state-store';

/** Writes `got <takenOver>` or `locked <pid> <api>`; with `keep`, stays alive with the lock. */
export function contend(directory: string, keep: boolean): void {
  try {
    const lock = DataDirectoryLock.acquire(directory, { api: `http://127.0.0.1/${process.pid}` });
    writeSync(1, `got ${lock.takenOver}\n`);
    if (keep) setInterval(() => {}, 60_000);
  } catch (error) {
    if (!(error instanceof DataDirectoryLockedError)) throw error;
    writeSync(1, `locked ${error.pid} ${error.api}\n`);
  }
}

const [, script, directory, mode] = process.argv;
if (script?.endsWith('lock-contender.js') === true && directory !== undefined) {
  contend(directory, mode === 'keep');
}

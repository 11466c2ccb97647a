import { readFileSync } from 'node:fs';

/**
 * When a process started, in the kernel's own terms: a number that no later process of the same pid has. Null
 * where there is no /proc to ask, or no such process.
 */
export function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name in brackets and may hold blanks and brackets itself; start time is the 22nd.
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = afterName[19];
    if (ticks === undefined) return null;
    return `${bootId()}:${ticks}`;
  } catch {
    return null;
  }
}

/** A start time of null (no /proc where the lock was written) is not compared. */
export function isAlive(pid: number, start: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = processStart(pid);
  return start === null || now === null || start === now;
}

/** Start times count from the boot, so after a reboot they alone would prove nothing. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

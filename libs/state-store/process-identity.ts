import { readFileSync } from 'node:fs';
import { hasCode } from './error-code.js';

/**
 * When a process started, in the kernel's own terms: a text that no later process of the same pid has. Null where
 * there is no /proc to ask, or no such process.
 */
export function processStart(pid: number): string | null {
  return processStat(pid)?.start ?? null;
}

/** A start of null (no /proc where it was written down) is not compared. */
export function isAlive(pid: number, start: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of somebody else.
    if (!hasCode(error, 'EPERM')) return false;
  }
  const found = processStat(pid);
  if (found === null) return true;
  // A zombie has ended; only its parent has not asked yet.
  if (found.state === 'Z' || found.state === 'X') return false;
  return start === null || start === found.start;
}

function processStat(pid: number): { readonly state: string; readonly start: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name in brackets and may hold blanks and brackets itself. The state is the third,
    // the start the 22nd: clock ticks since the boot, so it proves nothing without the boot's id.
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [afterName[0], afterName[19]];
    if (state === undefined || ticks === undefined) return null;
    return { state, start: `${bootId()}:${ticks}` };
  } catch {
    return null;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

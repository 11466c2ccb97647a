import type { BatchControl } from './log.js';

const STEP_MS = 500;

/** Waits `ms`, alive to the group; ends early once the partition is wanted back. */
export async function waitWithHeartbeat(control: BatchControl, ms: number): Promise<void> {
  for (let left = ms; left > 0 && !control.isStale(); left -= STEP_MS) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(STEP_MS, left)));
    await control.heartbeat();
  }
}

const FIRST_MS = 250;
const MOST_MS = 10_000;

/** The pause after the n-th failure in a row (from 1), ms. */
export function backoffMs(failures: number): number {
  return Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1));
}

import { Backoff } from './backoff.js';
import type { ClusterLink } from './cluster-link.js';
import { isTransient, isUnderWay } from './errors.js';
import type { Watch } from './status-board.js';

/** How long a step may be tried. */
export interface Attempts {
  /** Instant after which an error is final, ms; Infinity: for ever. */
  readonly deadline: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  readonly watch?: Watch;
}

/** Longer than a broker needs to end what was left behind; it is trouble after that, ms. */
const UNDER_WAY_MS = 30_000;

/**
 * Tries a step of the protocol until it works, waiting from 5 ms on (a transaction coordinator that still ends
 * the last transaction is ready again within a few).
 * @throws the last error, when it does not pass by itself or the time is over
 */
export async function persist<T>(link: ClusterLink, attempts: Attempts, step: () => Promise<T>): Promise<T> {
  const backoff = new Backoff(5, 500);
  const began = Date.now();
  for (;;) {
    const seen = link.seen;
    try {
      const result = await step();
      attempts.watch?.recovered();
      return result;
    } catch (error) {
      if (!isTransient(error) || Date.now() >= attempts.deadline || attempts.signal?.aborted) throw error;
      if (!isUnderWay(error) || Date.now() - began > UNDER_WAY_MS) {
        attempts.watch?.trouble(error);
        await link.forget(error, seen ?? link.seen);
      }
      await backoff.wait(attempts.signal);
    }
  }
}

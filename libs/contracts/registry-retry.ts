import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryUnavailableError } from './schema-registry.js';

export interface RegistryRetry {
  /** Stops the waiting; the last error is thrown. */
  readonly signal?: AbortSignal;
  readonly firstDelayMs?: number;
  readonly delayMaxMs?: number;
  /** Told before each wait, for the log and for readiness. */
  readonly onWait?: (error: RegistryUnavailableError, delayMs: number) => void;
}

/** Repeats the task, with doubling delays, for as long as the registry cannot be asked. */
export async function whileRegistryAway<T>(task: () => Promise<T>, retry: RegistryRetry = {}): Promise<T> {
  const delayMaxMs = retry.delayMaxMs ?? 10_000;
  for (let delayMs = retry.firstDelayMs ?? 200; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof RegistryUnavailableError) || retry.signal?.aborted === true) throw error;
      retry.onWait?.(error, delayMs);
      const options = retry.signal === undefined ? {} : { signal: retry.signal };
      await sleep(delayMs, undefined, options).catch(() => {
        throw error;
      });
    }
  }
}

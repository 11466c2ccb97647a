import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouse } from './clickhouse.js';
import { type ClickHouseFailure, failureOf } from './clickhouse-failure.js';

export type ReadyStatus =
  | { readonly ready: true; readonly attempts: number }
  | {
      readonly ready: false;
      readonly attempts: number;
      readonly failure: ClickHouseFailure;
      readonly nextTryMs: number;
    };

export interface WaitOptions {
  /** Default: 250 ms, doubled after each failure. */
  readonly firstDelayMs?: number;
  /** Default: 10 s. */
  readonly delayMsMax?: number;
  readonly signal?: AbortSignal;
}

/**
 * Pings until ClickHouse answers, at start or after it went away. Every failure is reported, also one that
 * waiting alone will not cure (a wrong password), since someone may cure it.
 * @throws the signal's reason when aborted
 */
export async function waitUntilReady(
  clickhouse: Pick<ClickHouse, 'ping'>,
  onStatus: (status: ReadyStatus) => void,
  options: WaitOptions = {},
): Promise<void> {
  let delayMs = options.firstDelayMs ?? 250;
  for (let attempts = 1; ; attempts++) {
    options.signal?.throwIfAborted();
    try {
      await clickhouse.ping();
      onStatus({ ready: true, attempts });
      return;
    } catch (error) {
      onStatus({ ready: false, attempts, failure: failureOf(error), nextTryMs: delayMs });
    }
    await sleep(delayMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    delayMs = Math.min(delayMs * 2, options.delayMsMax ?? 10_000);
  }
}

/**
 * What every `Log` has to do. Topics and groups are new in each test, nothing assumes that offsets are dense after
 * a transaction, and what a server does in its own time is waited for.
 */
import { afterAll, beforeAll, describe } from '@jest/globals';
import type { Log } from '#pipeline';
import { consumerContract } from './log-consumer-contract.js';
import { groupContract } from './log-group-contract.js';
import { LogProbe } from './log-probe.js';
import { topicContract } from './log-topic-contract.js';
import { transactionContract } from './log-transaction-contract.js';

export interface OpenedLog {
  readonly log: Log;
  cleanup(): Promise<void>;
}

/** @param timeoutMs   of one test; servers that rebalance slowly need more */
export function logContract(name: string, open: () => Promise<OpenedLog>, timeoutMs = 60_000): void {
  describe(`log contract: ${name}`, () => {
    let opened: OpenedLog | null = null;
    let probe: LogProbe | null = null;

    beforeAll(async () => {
      opened = await open();
      probe = new LogProbe(opened.log);
    }, timeoutMs);
    afterAll(async () => {
      await opened?.cleanup();
    }, timeoutMs);

    const get = (): LogProbe => {
      if (probe === null) throw new Error('the log could not be opened');
      return probe;
    };
    topicContract(get, timeoutMs);
    transactionContract(get, timeoutMs);
    consumerContract(get, timeoutMs);
    groupContract(get, timeoutMs);
  });
}

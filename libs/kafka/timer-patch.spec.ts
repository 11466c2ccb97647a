import { describe, expect, it } from '@jest/globals';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { assertKafkaJsVersion } from './kafkajs-version.js';
import { patchPendingRequestTimer } from './timer-patch.js';

type Queue = RequestQueue & {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  destroy(): void;
};

function makeQueue(): Queue {
  const logger = { debug: () => undefined, warn: () => undefined };
  const options = { maxInFlightRequests: null, requestTimeout: 1_000, clientId: 'c', broker: 'b', logger };
  return Reflect.construct(RequestQueue, [options]) as Queue;
}

describe('the timer patch', () => {
  it('is made for the version that is installed', () => {
    expect(() => assertKafkaJsVersion()).not.toThrow();
  });

  it('is needed, and takes: an idle queue has no timer afterwards', () => {
    const before = makeQueue();
    before.checkPendingRequests();
    expect(before.throttleCheckTimeoutId).not.toBeNull();
    before.destroy();

    patchPendingRequestTimer();
    patchPendingRequestTimer();
    const after = makeQueue();
    after.checkPendingRequests();
    expect(after.throttleCheckTimeoutId).toBeNull();
  });

  it('keeps the timer while requests wait', () => {
    patchPendingRequestTimer();
    const queue = makeQueue();
    queue.throttledUntil = Date.now() + 60_000;
    queue.pending = [{}];
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });
});

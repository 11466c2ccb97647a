import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * KafkaJS re-arms a timer of about 1 ms per connection for ever, also when nothing is waiting to be sent
 * (its issue 1556): an idle connection burns some per cent of a core. Requests only wait while the broker
 * throttles us or too many are in flight, so the timer is needed only while some are pending.
 */
export function patchPendingRequestTimer(): void {
  const prototype = RequestQueue.prototype;
  if (patched.has(prototype)) return;
  const original: unknown = Object.getOwnPropertyDescriptor(prototype, 'scheduleCheckPendingRequests')?.value;
  if (
    typeof original !== 'function' ||
    !original.toString().includes('throttleCheckTimeoutId = setTimeout')
  ) {
    throw new Error('kafkajs: the timer of the request queue is not where the patch expects it');
  }
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) Reflect.apply(original, this, []);
  };
  patched.add(prototype);
}

const patched = new WeakSet<RequestQueue>();

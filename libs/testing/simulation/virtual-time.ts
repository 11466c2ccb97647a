import type { Scheduler } from './scheduler.js';

/**
 * While `work` runs, timers are tasks of the scheduler and chance is drawn from its seed, for all code of this
 * process: nothing else may run beside it.
 */
export async function inVirtualTime<T>(scheduler: Scheduler, work: () => Promise<T>): Promise<T> {
  const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;
  const realRandom = Math.random;
  const cancels = new Map<number, () => void>();
  let timers = 0;
  const put = (owner: object, name: string, value: unknown): void => {
    Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: true });
  };
  put(globalThis, 'setTimeout', (run: () => void, ms = 0): number => {
    timers += 1;
    cancels.set(timers, scheduler.timer(ms, run));
    return timers;
  });
  put(globalThis, 'clearTimeout', (timer: number): void => cancels.get(timer)?.());
  put(Math, 'random', () => scheduler.random.next());
  try {
    return await work();
  } finally {
    put(globalThis, 'setTimeout', realSetTimeout);
    put(globalThis, 'clearTimeout', realClearTimeout);
    put(Math, 'random', realRandom);
  }
}

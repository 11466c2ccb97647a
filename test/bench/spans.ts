/** For how long something worked, and for how long nothing else had its turn meanwhile. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cpuSeconds } from './machine.js';

/** By the clock, and of the process's CPU: on a busy machine only the latter says much. In seconds. */
export interface Span {
  readonly wall: number;
  readonly cpu: number;
}

export async function spanOf(work: () => Promise<void>): Promise<Span> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  return { wall: (performance.now() - startedAt) / 1_000, cpu: cpuSeconds(before) };
}

/** The longest time in which nothing else had its turn, ms. */
export async function standstill(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await work();
  delay.disable();
  return delay.max / 1e6;
}

/**
 * Simulates seeds in a process of its own, where nothing else runs in virtual time:
 * `npm run build && node dist/libs/testing/simulation/run-seeds.js 42 1-1000`
 * prints a line of JSON for every seed; `error` says what went wrong.
 */
import { writeSync } from 'node:fs';
import { messageOf } from '#pipeline';
import { simulate, type SimulationReport } from './simulate.js';

export type SeedOutcome = SimulationReport | { readonly seed: number; readonly error: string };

async function outcomeOf(seed: number): Promise<SeedOutcome> {
  try {
    return await simulate(seed);
  } catch (error) {
    return { seed, error: messageOf(error) };
  }
}

/** @param range   `42` or `1-1000` */
function* seedsOf(range: string): Generator<number> {
  const [first = NaN, last = first] = range.split('-').map(Number);
  for (let seed = first; seed <= last; seed += 1) yield seed;
}

const [, script, ...ranges] = process.argv;
if (script?.endsWith('run-seeds.js') === true) {
  for (const range of ranges) {
    for (const seed of seedsOf(range)) writeSync(1, `${JSON.stringify(await outcomeOf(seed))}\n`);
  }
}

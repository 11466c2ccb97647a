/**
 * Simulates a range of seeds in a process of its own, where nothing else runs in virtual time:
 * `node --import ./libs/testing/typescript-register.mjs libs/testing/simulation/run-seeds.ts FIRST COUNT`
 * prints a line of JSON for every seed; `error` says what went wrong.
 */
import { writeSync } from 'node:fs';
import { simulate, type SimulationReport } from './simulate.js';

export type SeedOutcome = SimulationReport | { readonly seed: number; readonly error: string };

async function outcomeOf(seed: number): Promise<SeedOutcome> {
  try {
    return await simulate(seed);
  } catch (error) {
    return { seed, error: error instanceof Error ? error.message : String(error) };
  }
}

const [, script, first, count] = process.argv;
if (script?.endsWith('run-seeds.ts') === true) {
  const from = Number(first ?? 1);
  for (let seed = from; seed < from + Number(count ?? 1); seed += 1) {
    writeSync(1, `${JSON.stringify(await outcomeOf(seed))}\n`);
  }
}

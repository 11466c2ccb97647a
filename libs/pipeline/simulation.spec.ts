/**
 * The whole pipeline under a seeded scheduler (`libs/testing/simulation`).
 *
 * SIM_RUNS says how many seeds, SIM_SEED the first of them.
 */
import { describe, expect, it } from '@jest/globals';
import { simulate } from '../testing/simulation/simulate.js';

const BASE = Number(process.env['SIM_SEED'] ?? 1);
const RUNS = Number(process.env['SIM_RUNS'] ?? (process.env['SIM_SEED'] === undefined ? 200 : 1));

describe('the pipeline in simulation', () => {
  it('is repeated exactly by its seed', async () => {
    expect(await simulate(BASE)).toEqual(await simulate(BASE));
  });

  it('does everything exactly once, whatever happens', async () => {
    for (let seed = BASE; seed < BASE + RUNS; seed += 1) await simulate(seed);
  }, 3_600_000);
});

import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from './seeded-random.js';

const DRAWS = 20_000;

function mean(draw: (random: SeededRandom) => number): number {
  const random = new SeededRandom(11);
  let sum = 0;
  for (let i = 0; i < DRAWS; i += 1) sum += draw(random);
  return sum / DRAWS;
}

describe('seeded random numbers', () => {
  it('are the same for the same seed on every machine', () => {
    const random = new SeededRandom(611);
    expect([random.next(), random.next(), random.next()].map((one) => Math.floor(one * 1e6))).toEqual([
      282_524, 797_249, 281_174,
    ]);
  });

  it('are spread as they are asked for', () => {
    expect(mean((random) => random.next())).toBeCloseTo(0.5, 1);
    expect(mean((random) => random.below(10))).toBeCloseTo(4.5, 0);
    expect(mean((random) => Number(random.chance(0.2)))).toBeCloseTo(0.2, 1);
    expect(mean((random) => random.exponential(100)) / 100).toBeCloseTo(1, 1);
  });

  it('choose by weight, and nothing from nothing', () => {
    const draw = (random: SeededRandom): string =>
      random.weighted([
        ['often', 3],
        ['seldom', 1],
      ]);
    expect(mean((random) => Number(draw(random) === 'seldom'))).toBeCloseTo(0.25, 1);
    expect(() => new SeededRandom(1).weighted([])).toThrow('nothing to choose from');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultRules } from '#domain';
import {
  arrivals,
  epochRaised,
  FoldHarness,
  instant,
  join,
  LOG_RULES,
  pay,
  personLog,
  PipelineWorld,
  rulesSet,
  tick,
} from '#testing';
import { foldWhatIf, UnknownSchemeError, type WhatIfQuestion } from './fold-what-if.js';
import type { SchemeFigures } from './scheme-figures.js';

const QUESTION: WhatIfQuestion = {
  ...{ scheme: 'rolling:60d', zone: null, zeroOrderCounts: null, against: null, brand: null },
  before: () => null,
};

describe('what if', () => {
  let world: PipelineWorld;
  beforeEach(async () => {
    world = await PipelineWorld.open(2);
  });
  afterEach(() => world.close());

  const ask = (question: Partial<WhatIfQuestion> = {}) =>
    foldWhatIf({ log: world.log, codec: world.codecs.log }, { ...QUESTION, ...question });

  it('compares two schemes over the same log, brand by brand, and names who moves', async () => {
    const start = [epochRaised(), rulesSet(defaultRules())];
    await world.lay([
      ...start,
      join('2024-10-01 09:00', { person: 'a' }),
      pay('o1', '2024-10-02 10:00', { person: 'a' }),
      pay('o2', '2024-11-10 10:00', { person: 'a' }),
      join('2024-11-12 09:00', { person: 'z', brand: 'other' }),
      tick('2024-11-12 12:00'),
    ]);
    await world.lay([...start, join('2024-11-12 10:00', { person: 'b' })], 1);
    const found = await ask();
    expect(found).toMatchObject({
      ...{ zone: 'Asia/Shanghai', generation: 2, at: instant('2024-11-12 10:00') + 1 },
      brands: [
        {
          brand: 'brand',
          against: { scheme: 'rolling:30d', tiers: [0, 0, 1, 1, 0, 0], capital: 2, capital_base: 1 },
          candidate: { scheme: 'rolling:60d', tiers: [0, 0, 1, 0, 1, 0], capital: 2, capital_base: 0 },
          flows: [
            { from: 2, to: 2, persons: 1 },
            { from: 3, to: 4, persons: 1 },
          ],
          ...{ moved_up: 1, moved_down: 0 },
        },
        { brand: 'other', flows: [{ from: 2, to: 2, persons: 1 }], moved_up: 0, moved_down: 0 },
      ],
      moved: [{ brand: 'brand', person: 'a', from: 3, to: 4 }],
    });
    // Nobody had a relation 60 days ago: there is nothing to be a share of.
    expect(found.brands[0]?.candidate.conversion).toBeNull();
    const past = await ask({ before: () => instant('2024-10-02 10:00'), brand: 'brand' });
    expect(past.brands.map(({ candidate }) => candidate.tiers)).toEqual([[0, 0, 1, 0, 0, 0]]);
    expect((await ask({ brand: 'nobody' })).brands).toEqual([]);
  });

  it('refuses what is no scheme, and what the log does not have', async () => {
    await expect(ask()).rejects.toThrow('the log is empty');
    await world.lay([epochRaised(), rulesSet(defaultRules())]);
    await expect(ask({ scheme: 'weekly' })).rejects.toThrow(RangeError);
    await expect(ask({ against: 'weekly' })).rejects.toThrow(UnknownSchemeError);
    expect(await ask()).toMatchObject({ at: null, brands: [], moved: [] });
  });

  it('writes nothing, and counts under each scheme of a log what the live fold counts', async () => {
    const seed = Number(process.env['FC_SEED'] ?? 20_261_122);
    for (const log of fc.sample(personLog(3_000_000), { numRuns: 25, seed })) {
      const entries = arrivals(log, 0);
      const own = await PipelineWorld.open(1);
      try {
        await own.lay([epochRaised(), rulesSet(LOG_RULES), ...entries]);
        const live = new FoldHarness(LOG_RULES);
        live.fold(entries);
        const before = live.frame.watermark + 1;
        const [{ end } = { end: -1 }] = await own.log.ends(own.input().topic);
        for (const { id } of LOG_RULES.schemes) {
          const question = { ...QUESTION, against: id, before: () => before };
          const { brands } = await foldWhatIf({ log: own.log, codec: own.codecs.log }, question);
          const found = brands.map(({ brand, against }) => [brand, ...counts(against)]);
          expect({ seed, id, found }).toEqual({ seed, id, found: liveCounts(live, id) });
        }
        expect((await own.log.ends(own.input().topic))[0]?.end).toBe(end);
      } finally {
        await own.close();
      }
    }
  }, 120_000);
});

function counts({ tiers, deepened, deepened_cohort }: SchemeFigures): unknown[] {
  return [tiers, deepened, deepened_cohort];
}

function liveCounts({ states }: FoldHarness, schemeId: string): unknown[] {
  const found = new Map<string, { tiers: number[]; deepened: number; cohort: number }>();
  for (const { brand, standings } of states.values()) {
    for (const { schemeId: id, tier, deepened, deepenedCohort } of standings) {
      if (id !== schemeId) continue;
      const sum = found.get(brand) ?? { tiers: [0, 0, 0, 0, 0, 0], deepened: 0, cohort: 0 };
      found.set(brand, sum);
      sum.tiers[tier] = (sum.tiers[tier] ?? 0) + 1;
      sum.deepened += Number(deepened);
      sum.cohort += Number(deepenedCohort);
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([brand, { tiers, deepened, cohort }]) => [brand, tiers, deepened, cohort]);
}

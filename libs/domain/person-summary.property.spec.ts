/** A row of a person is written again only where it may say something else: what the flush relies on. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import { FoldHarness } from '../testing/fold-harness.js';
import { engage, join, pay, rulesSet, tick, visit } from '../testing/touchpoint-kit.js';
import { compileRules } from './compiled-rules.js';
import { hasSameSummaries, personSummaries } from './person-summary.js';
import type { Relationship } from './relationship.js';

const DAY = 86_400_000;
const COMPILED = compileRules(LOG_RULES);
const seed = process.env['FC_SEED'] === undefined ? undefined : Number(process.env['FC_SEED']);
const RUNS = Number(process.env['FC_RUNS'] ?? 1);

const rowsOf = (state: Relationship): string =>
  JSON.stringify(personSummaries(state, LOG_RULES, state.evaluatedAt));

describe('a person whose summaries are said to be the same', () => {
  it('has the same, whatever was folded in between', () => {
    let [same, other] = [0, 0];
    fc.assert(
      fc.property(personLog(6 * DAY), fc.constantFrom(0, 1), (log, world) => {
        const harness = new FoldHarness(LOG_RULES);
        const wrong: string[] = [];
        for (const entry of arrivals(log, world)) {
          const before = new Map(harness.states);
          harness.fold([entry]);
          for (const [key, is] of harness.states) {
            const was = before.get(key);
            if (was === undefined || was === is) continue;
            if (!hasSameSummaries(was, is, COMPILED)) {
              other += 1;
              continue;
            }
            same += 1;
            if (rowsOf(was) !== rowsOf(is)) wrong.push(`${key}: ${rowsOf(was)} then ${rowsOf(is)}`);
          }
        }
        expect(wrong).toEqual([]);
      }),
      {
        numRuns: Math.ceil(60 * RUNS),
        endOnFailure: seed === undefined,
        ...(seed === undefined ? {} : { seed }),
      },
    );
    expect(same).toBeGreaterThan(0);
    expect(other).toBeGreaterThan(0);
  });

  it('is one who has only been seen again on the same day', () => {
    const harness = new FoldHarness(LOG_RULES);
    const at = (time: string): string => `2018-10-30 ${time}`;
    harness.fold([join(at('10:00')), pay('o1', at('10:05'))]);
    const stateNow = (): Relationship => {
      const state = harness.state();
      if (state === undefined) throw new Error('no state');
      return state;
    };
    const bought = stateNow();
    harness.fold([visit(at('10:10')), engage(at('10:11'))]);
    expect(stateNow()).not.toBe(bought);
    expect(hasSameSummaries(bought, stateNow(), COMPILED)).toBe(true);
    harness.fold([pay('o2', at('10:12'))]);
    expect(hasSameSummaries(bought, stateNow(), COMPILED)).toBe(false);
    const boughtTwice = stateNow();
    harness.fold([visit('2018-11-01 10:10')]);
    expect(hasSameSummaries(boughtTwice, stateNow(), COMPILED)).toBe(false);
  });

  it('is not one who has become known by a record that changes nothing else', () => {
    const harness = new FoldHarness(LOG_RULES);
    harness.fold([visit('2018-10-30 10:00', { id: 'twice' })]);
    const before = harness.state();
    harness.fold([join('2018-10-30 10:05', { id: 'twice' })]);
    const after = harness.state();
    if (before === undefined || after === undefined) throw new Error('no state');
    expect(after.links).toBe(before.links);
    expect(personSummaries(before, LOG_RULES, before.lastAt)).toEqual([]);
    expect(personSummaries(after, LOG_RULES, after.lastAt)).not.toEqual([]);
    expect(hasSameSummaries(before, after, COMPILED)).toBe(false);
  });

  it('is not one who was looked at by other rules', () => {
    const harness = new FoldHarness(LOG_RULES);
    harness.fold([join('2018-10-30 10:00')]);
    const before = harness.state();
    const schemes = LOG_RULES.schemes.slice(1);
    harness.fold([rulesSet({ ...LOG_RULES, schemes }), tick('2018-10-30 10:01')]);
    const after = harness.state();
    if (before === undefined || after === undefined) throw new Error('no state');
    expect(after.standings).toHaveLength(schemes.length);
    expect(hasSameSummaries(before, after, compileRules({ ...LOG_RULES, schemes }))).toBe(false);
  });
});

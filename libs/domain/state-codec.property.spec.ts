/** What is stored of a person is all of it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import { FoldHarness } from '../testing/fold-harness.js';
import { stepsOf } from '../testing/presence-steps.js';
import { decodeState, dueOf, encodeState } from './state-codec.js';
import type { Relationship } from './relationship.js';

const LATENESS_MS = 3 * 86_400_000;

/** Without what follows from the rest, and lists of one instant in any order. */
function comparable({ presence, recent, money, ...rest }: Relationship): unknown {
  const { timeline: _, oldestOrderAt: __, ...records } = money;
  return { ...rest, money: records, recent: [...recent], presence: stepsOf(presence) };
}

function statesOf(log: Parameters<typeof arrivals>[0]): readonly Relationship[] {
  const harness = new FoldHarness(LOG_RULES);
  harness.fold(arrivals(log, 0));
  return [...harness.states.values()];
}

describe('a stored state', () => {
  it('comes back as it was, whatever the log', () => {
    let states = 0;
    fc.assert(
      fc.property(personLog(LATENESS_MS), (log) => {
        for (const state of statesOf(log)) {
          const bytes = encodeState(state);
          const back = decodeState(bytes);
          expect(comparable(back)).toEqual(comparable(state));
          expect(encodeState(back).equals(bytes)).toBe(true);
          expect(dueOf(bytes)).toBe(state.dueAt);
          states += 1;
        }
      }),
      { numRuns: 200 },
    );
    expect(states).toBeGreaterThan(200);
  });

  it('that is damaged is refused, or another state: never an endless or a huge one', () => {
    fc.assert(
      fc.property(personLog(LATENESS_MS), fc.nat(), fc.nat({ max: 255 }), (log, place, byte) => {
        const [state] = statesOf(log);
        if (state === undefined) return;
        const bytes = encodeState(state);
        bytes[place % bytes.length] = byte;
        try {
          decodeState(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of another form is refused', () => {
    const [state] = fc.sample(personLog(LATENESS_MS), { numRuns: 20, seed: 1 }).flatMap(statesOf);
    if (state === undefined) throw new Error('nobody in twenty logs');
    const bytes = encodeState(state);
    bytes.writeUInt8(3, 0);
    expect(() => decodeState(bytes)).toThrow(/version 3/);
  });
});

/** `given(events).when(event).then(state, facts)`: tables of rules that read as sentences. */
import { expect } from '@jest/globals';
import type { LogEntry, PersonSummary, Rules, TierChanged } from '#domain';
import { FoldHarness } from './fold-harness.js';
import { KIT_PERSON } from './touchpoint-kit.js';

export interface Expected {
  /** Parts of the person's summary by scheme. */
  readonly [schemeId: string]: Partial<PersonSummary>;
}

export interface Given {
  /** Nothing more: what holds after the history. */
  then(state: Expected, facts?: readonly string[]): FoldHarness;
  when(...entries: readonly LogEntry[]): {
    /** `facts` are those of the entries of `when`, as `factText` writes them. */
    then(state: Expected, facts?: readonly string[]): FoldHarness;
  };
}

export function given(history: readonly LogEntry[], rules?: Rules, person = KIT_PERSON): Given {
  const harness = new FoldHarness(rules);
  harness.fold(history);
  const check = (from: number) => (state: Expected, facts?: readonly string[]) => {
    for (const [schemeId, expected] of Object.entries(state)) {
      expect({ schemeId, ...harness.summary(schemeId, person) }).toMatchObject({ schemeId, ...expected });
    }
    if (facts !== undefined) expect(harness.facts.slice(from).map(factText)).toEqual(facts);
    return harness;
  };
  return {
    then: check(0),
    when: (...entries) => {
      const from = harness.facts.length;
      harness.fold(entries);
      return { then: check(from) };
    },
  };
}

/** `rolling:30d 2→3 EVENT`. */
export function factText({ schemeId, from, to, cause }: TierChanged): string {
  return `${schemeId} ${from}→${to} ${cause}`;
}

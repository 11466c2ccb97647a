/** Notes but those of reach are recorded for rules to come: with them or without, the fold comes to the same. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  engage,
  FoldHarness,
  follow,
  instant,
  join,
  pay,
  quit,
  refund,
  tick,
  unfollow,
  visit,
} from '../testing/index.js';
import { NOTE_KINDS, ROLES, type LogEntry, type Noted, type Touchpoint } from './events.js';
import { encodeFigures } from './figures/figures.js';
import { encodeState } from './state-codec.js';
import { noted } from './touchpoints.js';

const UNREAD_KINDS = NOTE_KINDS.filter((kind) => kind !== 'REACH');
const DAY = 86_400_000;
const START = instant('2024-11-01 10:00:00');
const touchpoints: readonly Touchpoint[] = [
  follow(START),
  visit(START + 1_000),
  join(START + 2_000),
  engage(START + 3_000, 'COMMENT', { channel: 'live' }),
  pay('o1', START + 60_000),
  join(START + DAY, { person: 'other' }),
  pay('o2', START + 2 * DAY),
  refund('o1', START + 3 * DAY, { full: true, amount: 10_000 }),
  unfollow(START + 4 * DAY),
  quit(START + 5 * DAY),
];
const timeline: readonly LogEntry[] = touchpoints.flatMap((event) => [event, tick(event.at + 500)]);

interface PlacedNote {
  readonly after: number;
  readonly note: Noted;
}

/** Notes of anybody at any time, under ids of their own or those of other events, at any place. */
const placedNote: fc.Arbitrary<PlacedNote> = fc
  .record({
    after: fc.nat({ max: timeline.length - 1 }),
    like: fc.constantFrom(...touchpoints),
    person: fc.constantFrom(null, 'other', 'a stranger'),
    id: fc.constantFrom(null, 'n1', 'n2'),
    shift: fc.integer({ min: -40 * DAY, max: 40 * DAY }),
    staffOrBot: fc.boolean(),
    body: fc.record({
      note: fc.constantFrom(...UNREAD_KINDS),
      on: fc.boolean(),
      role: fc.option(fc.constantFrom(...ROLES)),
      assignee: fc.constantFrom(null, 'other'),
      inviter: fc.constantFrom(null, 'other'),
    }),
  })
  .map(({ after, like, person, id, shift, staffOrBot, body }) => {
    const head = { ...like, person: person ?? like.person, eventId: id ?? like.eventId };
    return { after, note: noted({ ...head, at: like.at + shift, contentHash: 0, staffOrBot }, body) };
  });

/** Entries keep their offsets, since these are in the versions of what the fold says. */
function folded(notes: readonly PlacedNote[]): object {
  const harness = new FoldHarness();
  timeline.forEach((entry, index) => {
    harness.offset = 100 + index * 100;
    harness.fold([entry, ...notes.filter(({ after }) => after === index).map(({ note }) => note)]);
  });
  harness.offset = 100 + timeline.length * 100;
  harness.tickTo(START + 60 * DAY);
  return {
    states: new Map([...harness.states].map(([key, state]) => [key, encodeState(state)])),
    facts: harness.facts,
    frame: harness.frame,
    figures: new Map(encodeFigures(harness.figures, harness.frame)),
  };
}

describe('notes', () => {
  it('change no person, fact, frame or figure', () => {
    const without = folded([]);
    fc.assert(
      fc.property(fc.array(placedNote, { minLength: 1, maxLength: 8 }), (notes) => {
        expect(folded(notes)).toEqual(without);
      }),
      { numRuns: 40 },
    );
  });

  it('are touchpoints, and no duplicates or late ones', () => {
    const harness = new FoldHarness();
    harness.fold([visit(START), tick(START + DAY)]);
    const [note] = fc.sample(placedNote, 1);
    if (note === undefined) throw new Error('no sample');
    const { counts, states, changes } = harness.fold([{ ...note.note, at: START - 90 * DAY }]);
    expect(counts).toMatchObject({ touchpoints: 1, duplicates: 0, late: 0, tooLate: 0 });
    expect(states.size).toBe(0);
    expect(changes.days).toEqual([]);
  });

  it('as the first of a log leave it without zones, so that its first rules stay free', () => {
    const harness = new FoldHarness();
    const before = harness.frame;
    harness.fold([
      noted(visit(START), { note: 'ROLE', on: false, role: 'GUIDE', assignee: null, inviter: null }),
    ]);
    expect(harness.frame).toEqual(before);
  });
});

/** Random logs for the window engine: bursts, quiet spells, disorder, duplicates, very late facts, odd ticks. */
import fc from 'fast-check';
import type { WindowSpec } from '#domain';
import type { WindowLogEntry } from './naive-windows.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Window sets that reach each formula quickly; the last one has the proportions of the product's. */
export const WINDOW_SETS: readonly (readonly WindowSpec[])[] = [
  [
    { id: 'a', widthMs: 50 * SECOND, slideMs: 10 * SECOND, latenessMs: MINUTE },
    { id: 'b', widthMs: 3 * MINUTE, slideMs: MINUTE, latenessMs: 2 * MINUTE },
    { id: 'c', widthMs: 15 * MINUTE, slideMs: 5 * MINUTE, latenessMs: 10 * MINUTE },
  ],
  // One end an event, no lateness, and a lateness that is no multiple of its slide.
  [
    { id: 'a', widthMs: 10 * SECOND, slideMs: 10 * SECOND, latenessMs: 0 },
    { id: 'b', widthMs: MINUTE, slideMs: 20 * SECOND, latenessMs: 25 * SECOND },
    { id: 'c', widthMs: 10 * MINUTE, slideMs: MINUTE, latenessMs: 25 * SECOND },
  ],
  [
    { id: 'a0', widthMs: 20 * SECOND, slideMs: 10 * SECOND, latenessMs: 2 * MINUTE },
    { id: 'a', widthMs: 2 * MINUTE, slideMs: 10 * SECOND, latenessMs: 5 * MINUTE },
    { id: 'b', widthMs: 10 * MINUTE, slideMs: MINUTE, latenessMs: 20 * MINUTE },
    { id: 'c', widthMs: 60 * MINUTE, slideMs: 5 * MINUTE, latenessMs: 60 * MINUTE },
    { id: 'd', widthMs: 300 * MINUTE, slideMs: 60 * MINUTE, latenessMs: 240 * MINUTE },
  ],
];

export const LOG_BRANDS = ['north', 'south'];
export const LOG_CHANNELS = ['group', 'live', 'shop'];
const PERSONS = ['p1', 'p2', 'p3', 'p4'];
const START = Date.UTC(2024, 10, 10, 15, 58, 20);

interface Step {
  readonly gap: number;
  readonly delay: number;
  /** The instant is rounded down to a multiple of this, ms. */
  readonly unit: number;
  readonly entry: WindowLogEntry | 'again';
  readonly nth: number;
}

const gap = fc.oneof(
  { weight: 24, arbitrary: fc.integer({ min: 0, max: 15 * SECOND }) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 10 * MINUTE, max: 60 * MINUTE }) },
);

// Edges of slides are where an off-by-one shows, so many instants are rounded to one.
const delay = fc.oneof(
  { weight: 10, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: -MINUTE, max: MINUTE }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 30 * MINUTE, max: 300 * MINUTE }) },
);
const edge = fc.constantFrom(1, 1, 1, 10 * SECOND, MINUTE, 5 * MINUTE);

const person = fc.constantFrom(...PERSONS);
const channel = fc.constantFrom(...LOG_CHANNELS);
const brand = fc.constantFrom('north', 'north', 'north', 'south');
const amount = fc.integer({ min: 0, max: 100_000 });

const entry: fc.Arbitrary<WindowLogEntry | 'again'> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('seen' as const),
      id: fc.constant(''),
      at: fc.constant(0),
      brand,
      person,
      channel,
      active: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('link' as const),
      id: fc.constant(''),
      at: fc.constant(0),
      brand,
      // Few of them, so that links go off and on again within the width of a window.
      person: fc.constantFrom('p1', 'p1', 'p1', 'p2', 'p3'),
      channel: fc.constantFrom('group', 'group', 'group', 'live'),
      link: fc.constantFrom('MEMBER', 'MEMBER', 'GROUP', 'REACH'),
      on: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('money' as const),
      id: fc.constant(''),
      at: fc.constant(0),
      brand,
      person: fc.constantFrom(null, 'p1', 'p1', 'p2', 'p3', 'p4'),
      channel,
      orders: fc.constantFrom(0, 1),
      grossMinor: amount,
      refundMinor: fc.oneof(fc.constant(0), amount),
    }),
  },
  { weight: 7, arbitrary: fc.constant({ type: 'tick' as const, at: 0 }) },
  { weight: 2, arbitrary: fc.constant('again' as const) },
);

const step: fc.Arbitrary<Step> = fc.record({ gap, delay, unit: edge, entry, nth: fc.nat(1_000) });

/** Logs of up to `stepsMax` entries. The clock runs on by itself; ticks trail it a little and may repeat. */
export function windowLog(stepsMax: number): fc.Arbitrary<readonly WindowLogEntry[]> {
  return fc.array(step, { minLength: 5, maxLength: stepsMax, size: 'max' }).map(logOf);
}

function logOf(steps: readonly Step[]): readonly WindowLogEntry[] {
  let clock = START;
  const log: WindowLogEntry[] = [];
  for (const { gap: passed, delay: late, entry: of, nth, unit } of steps) {
    clock += passed;
    const at = Math.floor((clock - late) / unit) * unit;
    if (of === 'again') {
      const repeated = log[nth % Math.max(1, log.length)];
      if (repeated !== undefined) log.push(repeated);
    } else if (of.type === 'tick') {
      log.push({ type: 'tick', at: Math.floor((clock - (nth % 30) * SECOND) / unit) * unit });
    } else log.push({ ...of, at, id: `e${nth}-${log.length}` });
  }
  return log;
}

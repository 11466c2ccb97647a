/** No instant between two looks at a person changes anything: what the due index relies on. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FoldHarness } from '../testing/fold-harness.js';
import { join, pay, quit, refund, tick } from '../testing/touchpoint-kit.js';
import { compileRules, type CompiledScheme } from './compiled-rules.js';
import { nextFall } from './due-instants.js';
import { defaultRules, defaultSchemes, type Rules, type Scheme } from './rules.js';
import { personSummaries } from './person-summary.js';
import { standingAt, standingOf } from './standing.js';

const DAY = 86_400_000;
const START = Date.UTC(2024, 9, 1);
const seed = process.env['FC_SEED'] === undefined ? undefined : Number(process.env['FC_SEED']);
const RUNS = Number(process.env['FC_RUNS'] ?? 1);

function rolling(days: number, zeroOrderCounts: boolean): Scheme {
  const [first] = defaultSchemes('UTC');
  if (first === undefined) throw new Error('there are default schemes');
  return { ...first, id: `rolling:${days}d`, period: { kind: 'rolling', days }, zeroOrderCounts };
}

const RULES: Rules = defaultRules({
  schemes: [rolling(3, true), rolling(5, false), rolling(8, true)],
  stateLatenessMs: DAY,
  refundHorizonDays: 3,
});
const SCHEMES = compileRules(RULES).schemes;

const deed = fc.record({
  // Many purchases on days that follow each other, some after a while, at midnight sharp or not.
  afterDays: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 2 }) },
    { weight: 2, arbitrary: fc.integer({ min: 3, max: 12 }) },
  ),
  timeOfDay: fc.constantFrom(0, 1, DAY / 2, DAY - 1),
  what: fc.oneof(
    { weight: 20, arbitrary: fc.constant('pay' as const) },
    { weight: 1, arbitrary: fc.constantFrom('pay nothing', 'refund', 'quit', 'join', 'look') },
  ),
});

type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

/** Folds one deed a day at most, in order; looks at the person after each. */
function eachState(deeds: readonly Deed[], look: (harness: FoldHarness) => void): void {
  const harness = new FoldHarness(RULES);
  harness.fold([tick(START), join(START)]);
  let day = START + 20 * DAY;
  deeds.forEach(({ afterDays, timeOfDay, what }, nth) => {
    day += afterDays * DAY;
    const at = Math.max(day + timeOfDay, harness.frame.watermark);
    harness.tickTo(at);
    if (what === 'pay') harness.fold([pay(`o${nth}`, at)]);
    if (what === 'pay nothing') harness.fold([pay(`o${nth}`, at, { amount: 0 })]);
    if (what === 'refund') harness.fold([refund(`o${nth - 1}`, at, { full: true, refundId: `r${nth}` })]);
    if (what === 'quit') harness.fold([quit(at, { id: `q${nth}` })]);
    if (what === 'join') harness.fold([join(at, { id: `j${nth}` })]);
    look(harness);
  });
}

/** Midnights after `t` at which standing or row are others than at `t`, over all that is in sight. */
function changes(harness: FoldHarness, scheme: CompiledScheme, days: number): readonly number[] {
  const state = harness.state();
  if (state === undefined) return [];
  const t = state.evaluatedAt;
  const now = standingAt(state, scheme, t, null);
  const rowAt = (at: number): string => JSON.stringify(personSummaries(state, onlyThis, at));
  const onlyThis: Rules = { ...RULES, schemes: [scheme.scheme] };
  const row = rowAt(t);
  const found: number[] = [];
  const today = scheme.calendar.dayOf(t);
  for (let day = today + 1; day <= today + 2 * days + 1; day++) {
    const midnight = scheme.calendar.dayStart(day);
    if (standingAt(state, scheme, midnight, null) !== now || rowAt(midnight) !== row) found.push(midnight);
  }
  return found;
}

const widthOf = ({ scheme }: CompiledScheme): number =>
  scheme.period.kind === 'rolling' ? scheme.period.days : 0;

describe('the next look at a person', () => {
  it('comes no later than the first change by time alone, for any purchases', () => {
    fc.assert(
      fc.property(fc.array(deed, { minLength: 1, maxLength: 40, size: 'max' }), (deeds) => {
        eachState(deeds, (harness) => {
          const state = harness.state();
          if (state === undefined) return;
          for (const scheme of SCHEMES) {
            const next = nextFall(state, scheme, standingOf(state, scheme.scheme.id), state.evaluatedAt);
            const [first = Infinity] = changes(harness, scheme, widthOf(scheme));
            expect(next).toBeLessThanOrEqual(first);
          }
        });
      }),
      {
        numRuns: Math.ceil(150 * RUNS),
        endOnFailure: seed === undefined,
        ...(seed === undefined ? {} : { seed }),
      },
    );
  });

  it('does not come for a day that only the period before loses, where nothing can change by that', () => {
    const deeds = Array.from({ length: 40 }, (): Deed => ({ afterDays: 1, timeOfDay: 1, what: 'pay' }));
    let last: FoldHarness | undefined;
    eachState(deeds, (harness) => (last = harness));
    const state = last?.state();
    if (last === undefined || state === undefined) throw new Error('there is a state');
    for (const scheme of SCHEMES) {
      const next = nextFall(state, scheme, standingOf(state, scheme.scheme.id), state.evaluatedAt);
      expect(changes(last, scheme, widthOf(scheme))[0]).toBe(next);
    }
  });
});

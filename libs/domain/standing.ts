import type { CompiledScheme } from './compiled-rules.js';
import { deepeningAt, type Deepening } from './deepening.js';
import type { Relationship, Standing } from './relationship.js';
import { tierAt } from './tiers.js';

/**
 * What a person adds to the stocks of a scheme at `t` (ms).
 * @param settled   of a campaign that can no longer change: the deepening as it was found
 * @returns undefined where the person is not known at `t`: nobody's stock
 */
export function standingAt(
  person: Relationship,
  scheme: CompiledScheme,
  t: number,
  settled: Deepening | null,
): Standing | undefined {
  if (person.guest || person.knownSince > t) return undefined;
  const { deepened, cohort } = settled ?? deepeningAt(person, scheme, t);
  return scheme.standings.of(tierAt(person, scheme, t), deepened, cohort);
}

/**
 * The deepening of a campaign whose close lies behind the lateness: the state may have forgotten what it was
 * made of. Null while it can still change.
 */
export function settledDeepening(
  scheme: CompiledScheme,
  standing: Standing | undefined,
  changingFrom: number,
): Deepening | null {
  if (scheme.scheme.period.kind !== 'campaign' || scheme.days === null) return null;
  if (scheme.calendar.dayStart(scheme.days.end) > changingFrom) return null;
  return { deepened: standing?.deepened ?? false, cohort: standing?.deepenedCohort ?? false };
}

/** The standing that a state was given when it was looked at last. */
export function standingOf({ standings }: Relationship, schemeId: string): Standing | undefined {
  for (const standing of standings) if (standing.schemeId === schemeId) return standing;
  return undefined;
}

/** After a change of a person, or of time: the new standings, the stocks they shift, the facts they are. */
import type { CompiledScheme } from './compiled-rules.js';
import { dayText } from './day-calendar.js';
import { nextFall, sweepAt } from './due-instants.js';
import type { Touchpoint } from './events.js';
import type { Tier, TierCause, TierChanged, TierEvidence } from './facts.js';
import { COHORT_CELL, DEEPENED_CELL, STANDING_CELLS } from './figures/figure-changes.js';
import type { FoldContext } from './fold-context.js';
import { everPurchased } from './money.js';
import { periodIdAt } from './periods.js';
import type { Draft, Relationship, Standing } from './relationship.js';
import { settledDeepening, standingAt, standingOf } from './standing.js';
import { purchaseDays, tierAt } from './tiers.js';

/** The record that made somebody look. */
export interface Occasion {
  /** Null: a tick. */
  readonly event: Touchpoint | null;
  /** Earliest instant (ms) from which on links or money differ; Infinity when only time has passed. */
  readonly changedFrom: number;
  /** Arrival stamp of the record. */
  readonly arrivedAt: number;
  /** Offset of the record, and the version at offset 0 of its epoch. */
  readonly offset: number;
  readonly epochVersion: bigint;
}

/**
 * Takes the standings of `after` at its instant: the larger of watermark and its last event. Shifts the stocks
 * of every local day whose close they hold for, back to the lateness; emits at most one fact a scheme.
 *
 * @param before   the state that the current standings were taken of; undefined for a new person
 * @param after    the same person with what has changed; gets its standings here
 */
export function evaluate(
  before: Relationship | undefined,
  after: Draft,
  occasion: Occasion,
  ctx: FoldContext,
  facts: TierChanged[],
): void {
  const at = Math.max(ctx.watermark, after.lastAt);
  const swept = occasion.event === null;
  if (after.guest || after.knownSince === Infinity) {
    seat(after, ctx.rules.noStandings.all, at, Infinity, swept, ctx);
    return;
  }
  let standings = ctx.rules.noStandings;
  let next = Infinity;
  for (const scheme of ctx.rules.schemesOf(after.brand)) {
    const steady = swept ? steadyStanding(before, scheme, at, ctx) : undefined;
    if (steady !== undefined) {
      standings = standings.with(steady.standing);
      next = Math.min(next, steady.until);
      continue;
    }
    const review = reviewOf(before, after, scheme, at, occasion, ctx);
    if (review.is === undefined) continue;
    standings = standings.with(review.is);
    shiftStocks(review, ctx);
    const fact = factOf(review);
    if (fact !== null) facts.push(fact);
    next = Math.min(next, nextFall(after, scheme, review.is, at));
  }
  if (before !== undefined && before.rulesHash !== ctx.rules.hash)
    leaveSchemes(before, standings.all, at, ctx);
  seat(after, standings.all, at, next, swept, ctx);
}

function seat(
  after: Draft,
  standings: readonly Standing[],
  at: number,
  nextFallAt: number,
  swept: boolean,
  ctx: FoldContext,
): void {
  after.standings = standings;
  after.evaluatedAt = at;
  after.dueAt = Math.min(nextFallAt, sweepAt(after, ctx.retirement, ctx.watermark, swept));
  after.rulesHash = ctx.rules.hash;
  after.zones = ctx.zones.length;
}

/** What still stands, and until when (ms), where only time has passed, and not enough of it for this scheme. */
function steadyStanding(
  before: Relationship | undefined,
  scheme: CompiledScheme,
  at: number,
  { rules }: FoldContext,
): { readonly standing: Standing; readonly until: number } | undefined {
  if (before === undefined || before.rulesHash !== rules.hash) return undefined;
  const was = standingOf(before, scheme.scheme.id);
  if (was === undefined) return undefined;
  const until = nextFall(before, scheme, was, before.evaluatedAt);
  if (until <= at) return undefined;
  // What comes from a store is equal to one of these, and not the same.
  return { standing: scheme.standings.of(was.tier, was.deepened, was.deepenedCohort), until };
}

/** Takes the person out of the stocks of schemes that the rules no longer have; nobody reads those any more. */
function leaveSchemes(
  before: Relationship,
  standings: readonly Standing[],
  at: number,
  { rules, out }: FoldContext,
): void {
  const day = rules.calendars[0]?.dayOf(at) ?? 0;
  for (const was of before.standings) {
    if (standings.some(({ schemeId }) => schemeId === was.schemeId)) continue;
    const difference = cellsOf(undefined, was);
    out.days.push({ type: 'standing', brand: before.brand, schemeId: was.schemeId, day, difference });
  }
}

/** One person under one scheme, before and after. */
interface Review {
  readonly before: Relationship | undefined;
  readonly after: Relationship;
  readonly scheme: CompiledScheme;
  readonly was: Standing | undefined;
  readonly is: Standing | undefined;
  /** The instant `is` holds for. */
  readonly at: number;
  readonly occasion: Occasion;
  /** The rules have changed since `was` was taken. */
  readonly newRules: boolean;
}

function reviewOf(
  before: Relationship | undefined,
  after: Relationship,
  scheme: CompiledScheme,
  at: number,
  occasion: Occasion,
  ctx: FoldContext,
): Review {
  const was = before === undefined ? undefined : standingOf(before, scheme.scheme.id);
  const settled = settledDeepening(scheme, was, ctx.watermark - ctx.rules.rules.stateLatenessMs);
  const newRules =
    before !== undefined && before.rulesHash !== ctx.rules.hash && before.knownSince !== Infinity;
  // Strictly later: of two records of one instant the other might have had its say already.
  const isNext =
    before !== undefined &&
    !newRules &&
    before.evaluatedAt < at &&
    at < before.dueAt &&
    occasion.changedFrom === at;
  const found =
    isNext && was !== undefined && settled === null
      ? standingAfter(was, after, scheme, at)
      : standingAt(after, scheme, at, settled);
  return { before, after, scheme, was, is: found, at, occasion, newRules };
}

/**
 * The standing where `was` has held up to the change at `t` and time alone has changed nothing: no earlier instant
 * of the period is another one than it was, so a relation has deepened by now only if it had, or rises now.
 */
function standingAfter(
  was: Standing,
  after: Relationship,
  scheme: CompiledScheme,
  t: number,
): Standing | undefined {
  const tier = tierAt(after, scheme, t);
  if (!was.deepened && tier > was.tier) return standingAt(after, scheme, t, null);
  return scheme.standings.of(tier, was.deepened, was.deepenedCohort);
}

/**
 * The stocks at the close of a day are the sums of what held then. A change holds from its day on, and forward
 * over all days to come; one that comes late, or that lies some days back, may differ from close to close.
 */
function shiftStocks(review: Review, ctx: FoldContext): void {
  const { before, after, scheme, was, is, at } = review;
  const { calendar } = scheme;
  const lastDay = calendar.dayOf(at);
  const firstDay = Math.min(lastDay, firstDayOf(review, ctx));
  if (firstDay === lastDay && isSame(was, is)) return;
  const { id: schemeId } = scheme.scheme;
  const shift = (day: number, difference: readonly number[]): void => {
    ctx.out.days.push({ type: 'standing', brand: after.brand, schemeId, day, difference });
  };
  if (firstDay === lastDay) {
    shift(lastDay, cellsOf(is, was));
    return;
  }
  let carried: readonly number[] = NO_DIFFERENCE;
  for (let day = firstDay; day < lastDay; day++) {
    const close = calendar.dayStart(day + 1) - 1;
    const stood =
      before === undefined || close >= before.evaluatedAt ? was : standingAt(before, scheme, close, null);
    const cells = cellsOf(standingAt(after, scheme, close, null), stood);
    const difference = minus(cells, carried);
    if (difference !== null) shift(day, difference);
    carried = cells;
  }
  const difference = minus(cellsOf(is, was), carried);
  if (difference !== null) shift(lastDay, difference);
}

const NO_DIFFERENCE: readonly number[] = new Array<number>(STANDING_CELLS).fill(0);

/** Null when nothing is left. */
function minus(a: readonly number[], b: readonly number[]): readonly number[] | null {
  let differs = false;
  const difference = a.map((value, cell) => {
    const left = value - (b[cell] ?? 0);
    if (left !== 0) differs = true;
    return left;
  });
  return differs ? difference : null;
}

function firstDayOf({ before, scheme, at, occasion, newRules }: Review, ctx: FoldContext): number {
  if (newRules) return scheme.calendar.dayOf(at);
  const from = Math.min(occasion.changedFrom, before?.dueAt ?? Infinity, at);
  // Behind the lateness the figures are final.
  return scheme.calendar.dayOf(Math.max(from, ctx.watermark - ctx.rules.rules.stateLatenessMs));
}

function isSame(a: Standing | undefined, b: Standing | undefined): boolean {
  return a?.tier === b?.tier && a?.deepened === b?.deepened && a?.deepenedCohort === b?.deepenedCohort;
}

/** By the two standings' numbers. There are few, and most changes of a night are of the same pairs. */
const differences: (readonly number[] | undefined)[] = [];

function cellsOf(is: Standing | undefined, was: Standing | undefined): readonly number[] {
  const pair = numberOf(is) * STANDINGS + numberOf(was);
  const known = differences[pair];
  if (known !== undefined) return known;
  const cells = NO_DIFFERENCE.slice();
  addTo(cells, is, 1);
  addTo(cells, was, -1);
  differences[pair] = cells;
  return cells;
}

/** Nobody's, and one for each tier, deepened or not, of the cohort or not. */
const STANDINGS = 1 + 6 * 4;

function numberOf(standing: Standing | undefined): number {
  if (standing === undefined) return 0;
  return 1 + standing.tier * 4 + (standing.deepened ? 2 : 0) + (standing.deepenedCohort ? 1 : 0);
}

function addTo(cells: number[], standing: Standing | undefined, value: number): void {
  if (standing === undefined) return;
  cells[standing.tier] = (cells[standing.tier] ?? 0) + value;
  if (standing.deepened) cells[DEEPENED_CELL] = (cells[DEEPENED_CELL] ?? 0) + value;
  if (standing.deepenedCohort) cells[COHORT_CELL] = (cells[COHORT_CELL] ?? 0) + value;
}

const EVIDENCE_DAYS_MAX = 31;

function factOf(review: Review): TierChanged | null {
  const { after, scheme, was, is, at, occasion } = review;
  const from: Tier = was?.tier ?? 0;
  if (is === undefined || is.tier === from) return null;
  const { cause, causeEventId, effectiveAt } = causeOf(review, from, is.tier);
  return {
    type: 'tierChanged',
    brand: after.brand,
    person: after.person,
    schemeId: is.schemeId,
    periodId: periodIdAt(scheme, at),
    from,
    to: is.tier,
    direction: is.tier > from ? 'UP' : 'DOWN',
    cause,
    causeEventId,
    effectiveAt,
    detectedAt: occasion.arrivedAt,
    version: occasion.epochVersion + BigInt(occasion.offset),
    evidence: evidenceAt(after, scheme, at),
  };
}

/** Why somebody has the tier that he has. */
export function evidenceAt(state: Relationship, scheme: CompiledScheme, at: number): TierEvidence {
  return {
    purchaseDays: purchaseDays(state, scheme, at).slice(-EVIDENCE_DAYS_MAX).map(dayText),
    everPurchased: everPurchased(state.money),
    lastShareAt: null,
  };
}

type Cause = Pick<TierChanged, 'cause' | 'causeEventId' | 'effectiveAt'>;

/** Time, where the state before the event would have come to the same tier by now; else the event. */
function causeOf({ before, scheme, at, occasion, newRules }: Review, from: Tier, to: Tier): Cause {
  const { event } = occasion;
  const untouched =
    before === undefined ? 0 : at < before.dueAt && !newRules ? from : tierAt(before, scheme, at);
  if (newRules && (event === null || untouched === to)) {
    return { cause: 'RESTATE', causeEventId: null, effectiveAt: at };
  }
  if (event === null || (before !== undefined && untouched === to)) {
    return { cause: 'TIME', causeEventId: null, effectiveAt: fallInstant(before, scheme, from, at) };
  }
  return { cause: eventCause(event, to < from), causeEventId: event.eventId, effectiveAt: event.at };
}

function eventCause(event: Touchpoint, down: boolean): TierCause {
  // An import of history is no live event: whoever follows the tiers is told of a restatement.
  if (event.origin === 'BACKFILL') return 'RESTATE';
  if (down && event.type === 'orderRefunded') return 'REFUND';
  if (down && event.type === 'link' && !event.on) return 'UNLINK';
  return 'EVENT';
}

/** The last instant up to `at` at which the tier fell by time alone. */
function fallInstant(
  before: Relationship | undefined,
  scheme: CompiledScheme,
  from: Tier,
  at: number,
): number {
  let fell = at;
  if (before === undefined || before.dueAt >= at) return fell;
  let tier = from;
  let edge = before.dueAt;
  while (edge <= at) {
    const now = tierAt(before, scheme, edge);
    if (now !== tier) {
      tier = now;
      fell = edge;
    }
    const standing = standingAt(before, scheme, edge, null);
    edge = nextFall(before, scheme, standing, edge);
  }
  return fell;
}

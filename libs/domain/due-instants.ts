import type { CompiledScheme } from './compiled-rules.js';
import { nextMonthStart } from './day-calendar.js';
import type { Relationship, Standing } from './relationship.js';
import { firstPurchaseSince, forPurchaseDaysBack, type TierSource } from './tiers.js';

/**
 * The next instant after `t` at which time alone may change this person's tier, purchase days, deepening or cohort
 * under one scheme; Infinity when there is none. It may name an instant at which nothing changes after all, never the
 * other way round.
 * @param standing   what holds at `t`
 */
export function nextFall(
  person: TierSource,
  scheme: CompiledScheme,
  standing: Standing | undefined,
  t: number,
): number {
  // Who never had a link has tier 0 at all times.
  if (person.links.lines.length === 0) return Infinity;
  const { calendar, days } = scheme;
  const { period } = scheme.scheme;
  const falls = standing !== undefined && standing.tier > 2;
  switch (period.kind) {
    case 'rolling':
      return nextRollingFall(person, scheme, period.days, standing, t);
    case 'calendarMonth':
      if (!falls && standing?.deepened !== true) return Infinity;
      return calendar.dayStart(nextMonthStart(calendar.dayOf(t)));
    case 'span':
      return Infinity;
    case 'campaign': {
      if (!falls || days === null) return Infinity;
      const close = calendar.dayStart(days.end);
      return close > t ? close : Infinity;
    }
  }
}

// A purchase day leaves the period after N days, and after N more the period that this one is compared with: the
// oldest day still in sight of either is the next to leave it. Whatever else happened on a day (a switch, a refund)
// is seen from the other side of the period's start after N days.
function nextRollingFall(
  person: TierSource,
  scheme: CompiledScheme,
  days: number,
  standing: Standing | undefined,
  t: number,
): number {
  const { calendar } = scheme;
  const today = calendar.dayOf(t);
  const sight = calendar.dayStart(today - 2 * days + 1);
  const deepened = standing?.deepened === true;
  if (!deepened && standing !== undefined && isLongMember(person, standing, sight)) {
    return nextFallOfBuyer(person, scheme, days, sight, t);
  }
  const start = calendar.dayStart(today - days + 1);
  let oldest = firstPurchaseSince(person, scheme, start);
  for (const { toggles } of person.links.lines) {
    for (const { at } of toggles) if (at >= start && at <= t && at < oldest) oldest = at;
  }
  for (const at of person.money.timeline.cancellations) {
    if (at >= start && at <= t && at < oldest) oldest = at;
  }
  // Nothing in the whole period: its tier is 2 at most, and nobody has risen above what he is compared with, nor
  // can while that only loses days that the period lost before.
  if (oldest === Infinity && !deepened) return Infinity;
  const oldestOfBoth = firstPurchaseSince(person, scheme, sight);
  return Math.min(daysAfter(oldest, days, scheme, t), daysAfter(oldestOfBoth, 2 * days, scheme, t));
}

/** A member now and since before `sight`, all of whose orders count. */
function isLongMember({ links, money }: TierSource, { tier }: Standing, sight: number): boolean {
  if (tier < 2 || money.timeline.cancellations.length > 0) return false;
  for (const { toggles } of links.lines) {
    const last = toggles[toggles.length - 1];
    if (last !== undefined && last.at >= sight) return false;
  }
  return true;
}

/**
 * Of a long member who has not deepened, only purchases matter. Each day that leaves the period changes how many his row
 * says, and the last two his tier. When a day leaves the period that this one is compared with, he may come to stand
 * above it: not where two later days are in that, for no tier is above theirs, nor where this period has none.
 */
function nextFallOfBuyer(
  person: TierSource,
  scheme: CompiledScheme,
  days: number,
  sight: number,
  t: number,
): number {
  const { calendar } = scheme;
  const today = calendar.dayOf(t);
  let next = Infinity;
  let later = Infinity;
  let nextButOne = Infinity;
  forPurchaseDaysBack(person, scheme, sight, t, (day) => {
    // The oldest of those in the period comes last.
    if (day + days > today) next = day + days;
    // When this day leaves the period before, that has one day at most; and the period has one.
    const inPeriod = later > day + days ? later : nextButOne;
    if (inPeriod > day + days && inPeriod !== Infinity && day + 2 * days > today) {
      next = Math.min(next, day + 2 * days);
    }
    nextButOne = later;
    later = day;
  });
  return next === Infinity ? Infinity : calendar.dayStart(next);
}

function daysAfter(at: number, days: number, { calendar }: CompiledScheme, t: number): number {
  return at > t ? Infinity : calendar.dayStart(calendar.dayOf(at) + days);
}

/** How long after a person's last record something of the state can still be forgotten, ms. */
export interface Retirement {
  readonly personMs: number;
  /** Of somebody who only visited. */
  readonly visitorMs: number;
}

const DAY_MS = 86_400_000;

/**
 * When the state is to be swept (or dropped) for lack of events.
 * @param swept   it has been pruned at this watermark: if its time had come, that was it
 */
export function sweepAt(
  person: Relationship,
  retirement: Retirement,
  watermark: number,
  swept: boolean,
): number {
  const visitor = person.knownSince === Infinity && !person.guest;
  const at = person.lastAt + (visitor ? retirement.visitorMs : retirement.personMs);
  // On a day's grid, so that few instants hold many persons.
  const gridded = Math.ceil(at / DAY_MS) * DAY_MS;
  if (gridded > watermark) return gridded;
  return swept ? Infinity : (Math.floor(watermark / DAY_MS) + 1) * DAY_MS;
}

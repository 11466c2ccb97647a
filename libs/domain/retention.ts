/** How far back a state has to know: the bounds of what it keeps. */
import { refundHorizonMs, type CompiledRules, type CompiledScheme } from './compiled-rules.js';
import { monthStart } from './day-calendar.js';
import type { Retirement } from './due-instants.js';
import { pruneLinks } from './links.js';
import { NO_MONEY, pruneMoney } from './money.js';
import type { RecentPresence, Relationship } from './relationship.js';
import { relatedSince } from './deepening.js';
import { thinnedPresence } from './windows/presence.js';
import type { WindowGrid } from './windows/window-grid.js';

/** Instants (ms) before which a kind of fact can no longer be asked for, at one watermark. */
export interface Retention {
  /** Purchases: twice the widest period before the oldest day whose figures may still change. */
  readonly purchases: number;
  /** Link switches: as long as purchases and windows ask for them. */
  readonly switches: number;
  /** Orders and refunds whose last record is older are settled. */
  readonly orders: number;
  /** Presence records by id. */
  readonly recent: number;
}

/** Constant between two ticks: make one per watermark. */
export function retentionAt(rules: CompiledRules, watermark: number): Retention {
  const { windows, stateLatenessMs } = rules.rules;
  const changing = watermark - stateLatenessMs;
  let purchases = Infinity;
  for (const scheme of rules.schemes) purchases = Math.min(purchases, askedFrom(scheme, changing));
  let covered = Infinity;
  let latest = 0;
  for (const { widthMs, latenessMs } of windows) {
    covered = Math.min(covered, watermark - widthMs - latenessMs);
    latest = Math.max(latest, latenessMs);
  }
  return {
    purchases,
    switches: Math.min(purchases - rules.joinToleranceMaxMs, changing, covered),
    orders: watermark - refundHorizonMs(rules.rules),
    recent: watermark - latest,
  };
}

function askedFrom(scheme: CompiledScheme, changing: number): number {
  const { calendar, baseDays, days } = scheme;
  const { period } = scheme.scheme;
  const day = calendar.dayOf(changing);
  switch (period.kind) {
    case 'rolling':
      return calendar.dayStart(day - 2 * period.days);
    case 'calendarMonth':
      return calendar.dayStart(monthStart(monthStart(day) - 1));
    case 'span':
      // A report stands after its close, as long as the scheme is in the rules.
      return calendar.dayStart(baseDays?.first ?? day);
    case 'campaign':
      if (days === null || baseDays === null || calendar.dayStart(days.end) < changing) return Infinity;
      return calendar.dayStart(baseDays.first);
  }
}

const DAY_MS = 86_400_000;

/** After this long without an event all that `prune` would ever forget can be forgotten. */
export function retirementOf(rules: CompiledRules): Retirement {
  const { windows, stateLatenessMs } = rules.rules;
  const covered = Math.max(0, ...windows.map(({ widthMs, latenessMs }) => widthMs + latenessMs));
  let asked = 0;
  for (const { scheme } of rules.schemes) {
    const { period } = scheme;
    if (period.kind === 'rolling') asked = Math.max(asked, (2 * period.days + 2) * DAY_MS);
    if (period.kind === 'calendarMonth') asked = Math.max(asked, 64 * DAY_MS);
  }
  return {
    personMs: Math.max(refundHorizonMs(rules.rules), covered, asked + stateLatenessMs) + DAY_MS,
    visitorMs: covered + DAY_MS,
  };
}

/** Whether `pruned` might find something among links and money. Cheap: asked for every change of them. */
export function isPrunable({ links, money }: Relationship, retention: Retention): boolean {
  for (const { toggles } of links.lines) if ((toggles[1]?.at ?? Infinity) < retention.switches) return true;
  for (const { paidAt } of money.orders) if (paidAt < retention.orders) return true;
  for (const { paidAt } of money.purchases) if (paidAt < retention.purchases) return true;
  return false;
}

/**
 * The state without what no live figure can ask for any more. Every figure from `retention` on is the same as
 * before, and pruning twice is the same as pruning once.
 * @returns null when nothing is left of an anonymous visitor, or of a guest's order
 */
export function pruned(person: Relationship, retention: Retention, grid: WindowGrid): Relationship | null {
  const money = pruneMoney(person.money, retention.orders, retention.purchases);
  if (person.guest) {
    return money.orders.length === 0 && money.looseRefunds.length === 0 ? null : { ...person, money };
  }
  const links = pruneLinks(person.links, retention.switches);
  const recent = recentFrom(person.recent, retention.recent);
  const presence = thinnedPresence(person.presence, grid);
  const settledRelatedSince = links === person.links ? person.settledRelatedSince : relatedSince(person);
  return { ...person, links, money, recent, presence, settledRelatedSince };
}

/** @param recent ascending */
export function recentFrom(recent: readonly RecentPresence[], from: number): readonly RecentPresence[] {
  const first = recent.findIndex(({ at }) => at >= from);
  if (first === 0 || recent.length === 0) return recent;
  return first < 0 ? [] : recent.slice(first);
}

/** Whether the state says nothing that a state not yet made would not say. */
export function isForgettable(person: Relationship, retirement: Retirement, watermark: number): boolean {
  return (
    person.knownSince === Infinity &&
    person.money === NO_MONEY &&
    person.lastAt + retirement.visitorMs <= watermark
  );
}

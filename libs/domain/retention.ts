/** How far back a state has to know: the bounds of what it keeps. */
import { refundHorizonMs, type CompiledRules, type CompiledScheme } from './compiled-rules.js';
import { monthStart } from './day-calendar.js';
import type { Retirement } from './due-instants.js';
import { pruneLinks } from './links.js';
import { NO_MONEY, pruneMoney } from './money.js';
import { draftOf, type Draft, type Relationship } from './relationship.js';
import { relatedSince } from './deepening.js';
import { hasDeclined } from './reach.js';
import { presenceSince } from './windows/presence.js';
import { thinnedPresence } from './windows/thinned-presence.js';
import type { WindowGrid } from './windows/window-grid.js';

/** Instants (ms) before which a kind of fact can no longer be asked for, at one watermark. */
export interface Retention {
  /** Purchases: twice the widest period before the oldest day whose figures may still change. */
  readonly purchases: number;
  /** Link switches: as long as purchases and windows ask for them. */
  readonly switches: number;
  /**
   * Orders paid earlier, and refunds without order, are settled: no refund that counts can come any more, and no
   * window end that may still change has them in its window.
   */
  readonly orders: number;
  /** … but not while a record of theirs is younger than this: it might be repeated. */
  readonly quiet: number;
  /** Presence records by id. */
  readonly recent: number;
  /** Presence up to here covers no window end that may still change. */
  readonly presence: number;
}

const DAY_MS = 86_400_000;
const latest = new WeakMap<CompiledRules, { readonly day: number; readonly retention: Retention }>();

/** By the full day (UTC), so that the ticks of a day share one and nobody is pruned twice in it. */
export function retentionAt(rules: CompiledRules, watermark: number): Retention {
  const day = Math.floor(watermark / DAY_MS) * DAY_MS;
  const known = latest.get(rules);
  if (known?.day === day) return known.retention;
  const retention = retentionFrom(rules, day);
  latest.set(rules, { day, retention });
  return retention;
}

function retentionFrom(rules: CompiledRules, watermark: number): Retention {
  const { windows, stateLatenessMs } = rules.rules;
  const changing = watermark - stateLatenessMs;
  let purchases = Infinity;
  for (const scheme of rules.schemes) purchases = Math.min(purchases, askedFrom(scheme, changing));
  let covered = Infinity;
  let latenessMs = 0;
  for (const window of windows) {
    covered = Math.min(covered, watermark - window.widthMs - window.latenessMs);
    latenessMs = Math.max(latenessMs, window.latenessMs);
  }
  return {
    purchases,
    switches: Math.min(purchases - rules.joinToleranceMaxMs, changing, covered),
    orders: Math.min(changing - refundHorizonMs(rules.rules), covered),
    quiet: changing,
    recent: watermark - latenessMs,
    presence: covered,
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
    personMs:
      Math.max(refundHorizonMs(rules.rules) + stateLatenessMs, covered, asked + stateLatenessMs) + DAY_MS,
    visitorMs: covered + DAY_MS,
  };
}

/** Whoever is active is pruned this often: a few days more are kept, and all orders walked less often. */
const PRUNED_EVERY_MS = 10 * DAY_MS;

/** Whether `pruned` would find enough among links and money. Cheap: asked for every change of them. */
export function isPrunable({ links, money }: Relationship, retention: Retention): boolean {
  const oldestSwitch = retention.switches - PRUNED_EVERY_MS;
  for (const { toggles } of links.lines) if ((toggles[1]?.at ?? Infinity) < oldestSwitch) return true;
  for (const { toggles } of links.reach) if ((toggles[1]?.at ?? Infinity) < oldestSwitch) return true;
  if (money.oldestOrderAt < retention.orders - PRUNED_EVERY_MS) return true;
  return (money.purchases[0]?.paidAt ?? Infinity) < retention.purchases - PRUNED_EVERY_MS;
}

/**
 * The state without what no live figure can ask for any more. Every figure from `retention` on is the same as
 * before, and pruning twice is the same as pruning once.
 * @returns null when nothing is left of an anonymous visitor, or of a guest's order
 */
export function pruned(person: Relationship, retention: Retention, grid: WindowGrid): Draft | null {
  const left = draftOf(person);
  left.money = pruneMoney(person.money, retention.orders, retention.quiet, retention.purchases);
  if (person.guest) {
    return left.money.orders.length === 0 && left.money.looseRefunds.length === 0 ? null : left;
  }
  left.links = pruneLinks(person.links, retention.switches);
  if (left.links !== person.links) left.settledRelatedSince = relatedSince(person);
  left.recent = person.recent.since(retention.recent);
  // Thinning keeps the last moment of each kind in each channel for ever; one that covers nothing may go.
  const covering = Math.floor(retention.presence / grid.grainMs) + 1;
  left.presence = presenceSince(thinnedPresence(person.presence, grid), covering);
  return left;
}

/** Whether the state says nothing that a state not yet made would not say. */
export function isForgettable(person: Relationship, retirement: Retirement, watermark: number): boolean {
  return (
    person.knownSince === Infinity &&
    person.money === NO_MONEY &&
    !hasDeclined(person.links.reach) &&
    person.lastAt + retirement.visitorMs <= watermark
  );
}

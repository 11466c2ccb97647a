/**
 * The rolling figures recounted from the raw log by their definitions: instants in ms, no buckets, no horizon,
 * no differences. Slow on purpose; the oracle of the window engine.
 */
import { ALL_CHANNELS, type WindowSpec } from '#domain';

/** One entry of a log as the window engine sees it; `seen` is a visit or an active moment. */
export type WindowLogEntry =
  { readonly type: 'tick'; readonly at: number } | SeenEntry | LinkEntry | MoneyEntry;

export interface SeenEntry {
  readonly type: 'seen';
  readonly id: string;
  readonly brand: string;
  readonly person: string;
  readonly channel: string;
  readonly at: number;
  readonly active: boolean;
}

export interface LinkEntry {
  readonly type: 'link';
  readonly id: string;
  readonly brand: string;
  readonly person: string;
  readonly channel: string;
  /** REACH is none: off, it says that messages in the channel are declined. */
  readonly link: string;
  readonly at: number;
  readonly on: boolean;
}

export interface MoneyEntry {
  readonly type: 'money';
  readonly id: string;
  readonly brand: string;
  /** Null: a guest. */
  readonly person: string | null;
  readonly channel: string;
  readonly at: number;
  readonly orders: number;
  readonly grossMinor: number;
  readonly refundMinor: number;
}

export interface NaiveFigures {
  readonly visitors: number;
  readonly active: number;
  readonly active_related: number;
  readonly visitors_related: number;
  readonly capital: number;
  readonly capital_reachable: number;
  readonly orders: number;
  readonly buyers: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
}

interface LiveLink {
  readonly person: string;
  readonly channel: string;
  readonly from: number;
  readonly to: number;
}

type Fact = Exclude<WindowLogEntry, { type: 'tick' }>;

interface Arrived {
  readonly fact: Fact;
  /** The watermark at arrival. */
  readonly watermark: number;
}

/**
 * @returns the figures of (brand, channel) in `spec`'s window that ends at instant `end` (ms, exclusive) after the
 * whole of `log`. An end that was final (end ≤ watermark − lateness) when a fact arrived does not know the fact.
 */
export function naiveWindow(
  log: readonly WindowLogEntry[],
  spec: WindowSpec,
  brand: string,
  channel: string,
): (end: number) => NaiveFigures {
  const arrived = arrivals(log).filter(({ fact }) => fact.brand === brand);
  const known = new Map<number, { readonly facts: readonly Fact[]; readonly links: readonly LiveLink[] }>();
  return (end) => {
    // The watermark only grows, so what an end knows is the arrivals up to some number.
    let count = 0;
    while (count < arrived.length && end > (arrived[count]?.watermark ?? Infinity) - spec.latenessMs) count++;
    const of = known.get(count) ?? knownFrom(arrived.slice(0, count));
    known.set(count, of);
    return recount(of.facts, of.links, channel, end - spec.widthMs, end);
  };
}

function arrivals(log: readonly WindowLogEntry[]): readonly Arrived[] {
  let watermark = -Infinity;
  const ids = new Set<string>();
  const arrived: Arrived[] = [];
  for (const entry of log) {
    if (entry.type === 'tick') watermark = Math.max(watermark, entry.at);
    else if (!ids.has(entry.id)) {
      ids.add(entry.id);
      arrived.push({ fact: entry, watermark });
    }
  }
  return arrived;
}

function knownFrom(arrived: readonly Arrived[]) {
  const facts = arrived.map(({ fact }) => fact);
  return { facts, links: liveLinks(facts) };
}

function recount(
  facts: readonly Fact[],
  links: readonly LiveLink[],
  channel: string,
  from: number,
  to: number,
): NaiveFigures {
  const visitors = new Set<string>();
  const active = new Set<string>();
  const buyers = new Set<string>();
  const money = { orders: 0, gmv_gross_minor: 0, refunds_minor: 0 };
  for (const fact of facts) {
    if (fact.at < from || fact.at >= to || !isHere(fact, channel)) continue;
    if (fact.type === 'seen') visitors.add(fact.person);
    if (fact.type === 'seen' && fact.active) active.add(fact.person);
    if (fact.type !== 'money') continue;
    if (fact.orders > 0 && fact.person !== null) buyers.add(fact.person);
    money.orders += fact.orders;
    money.gmv_gross_minor += fact.grossMinor;
    money.refunds_minor += fact.refundMinor;
  }
  const related = new Set<string>();
  const capital = new Set<string>();
  const reachable = new Set<string>();
  for (const link of links) {
    if (link.from < to && link.to > from) related.add(link.person);
    if (link.from >= to || to > link.to || !isHere(link, channel)) continue;
    capital.add(link.person);
    if (!hasDeclined(facts, link, to)) reachable.add(link.person);
  }
  return {
    visitors: visitors.size,
    active: active.size,
    active_related: countIn(active, related),
    visitors_related: countIn(visitors, related),
    capital: capital.size,
    capital_reachable: reachable.size,
    buyers: buyers.size,
    ...money,
  };
}

function isHere(of: { readonly channel: string }, channel: string): boolean {
  return channel === ALL_CHANNELS || of.channel === channel;
}

/** The last word before `to` on messages in the link's channel was no. */
function hasDeclined(facts: readonly Fact[], link: LiveLink, to: number): boolean {
  const words = facts
    .filter((fact) => fact.type === 'link' && fact.link === 'REACH')
    .filter((fact) => fact.person === link.person && fact.channel === link.channel && fact.at < to)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const last = words[words.length - 1];
  return last?.type === 'link' && !last.on;
}

function countIn(persons: ReadonlySet<string>, others: ReadonlySet<string>): number {
  let count = 0;
  for (const person of persons) if (others.has(person)) count++;
  return count;
}

function liveLinks(facts: readonly Fact[]): readonly LiveLink[] {
  const toggles = facts
    .filter((fact) => fact.type === 'link')
    .filter(({ link }) => link !== 'REACH')
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const open = new Map<string, LinkEntry>();
  const live: LiveLink[] = [];
  for (const toggle of toggles) {
    const key = JSON.stringify([toggle.person, toggle.channel, toggle.link]);
    const since = open.get(key);
    if (toggle.on && since === undefined) open.set(key, toggle);
    if (toggle.on || since === undefined) continue;
    open.delete(key);
    // On and off at one instant: never live.
    if (since.at < toggle.at) live.push({ ...since, from: since.at, to: toggle.at });
  }
  for (const since of open.values()) live.push({ ...since, from: since.at, to: Infinity });
  return live;
}

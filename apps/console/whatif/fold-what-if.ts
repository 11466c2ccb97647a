/** Two schemes over the same log, folded again side by side: read-only, and without publishing. */
import { compileRules, schemeShare, type Rules, type Scheme, type Tier } from '#domain';
import { refold, type LogCodec, type RefoldOptions } from '#pipeline';
import { EmptyLogError } from '../tiers/fold-tiers.js';
import { dayZoneOf, lastRules } from '../tiers/log-rules.js';
import { parsePeriod, schemeOf } from '../tiers/scheme-text.js';
import { SchemeCount, type SchemeFigures } from './scheme-figures.js';

export interface WhatIfQuestion {
  /** What `parsePeriod` reads. */
  readonly scheme: string;
  /** Of `scheme`; null: the day zone of the log. */
  readonly zone: string | null;
  /** Of `scheme`; null: as in the log. */
  readonly zeroOrderCounts: boolean | null;
  /** The id of a scheme of the log, or what `parsePeriod` reads; null: the first scheme of the log. */
  readonly against: string | null;
  /** Events before it count, ms; null: all. Asked with the zone that the days are counted in. */
  readonly before: (zone: string) => number | null;
  /** Null: all. */
  readonly brand: string | null;
}

export interface TierFlow {
  /** Tier under the scheme compared with. */
  readonly from: number;
  /** Tier under the scheme that was asked for. */
  readonly to: number;
  readonly persons: number;
}

/** Somebody who would stand elsewhere. */
export type MovedPerson = Readonly<{ brand: string; person: string; from: number; to: number }>;

export interface BrandWhatIf {
  readonly brand: string;
  readonly against: SchemeFigures;
  readonly candidate: SchemeFigures;
  /** Pairs that somebody stands in, `from` = `to` included. */
  readonly flows: readonly TierFlow[];
  readonly moved_up: number;
  readonly moved_down: number;
}

export interface WhatIf {
  /** The instant answered for, ms: events before it are counted. Null for a log without events. */
  readonly at: number | null;
  readonly zone: string;
  /** Of this fold, which is never that of the log. */
  readonly generation: number;
  /** In the order of names. */
  readonly brands: readonly BrandWhatIf[];
  /** In the order of brands and persons. */
  readonly moved: readonly MovedPerson[];
}

/** `against` names no scheme of the log, and is none by itself. */
export class UnknownSchemeError extends Error {
  override readonly name = 'UnknownSchemeError';
  constructor(
    readonly scheme: string,
    readonly known: readonly string[],
  ) {
    super(`the log has no scheme ${scheme}; it has ${known.join(', ')}`);
  }
}

/**
 * @throws RangeError           the scheme is none
 * @throws EmptyLogError
 * @throws UnknownSchemeError
 */
export async function foldWhatIf(
  source: { readonly log: RefoldOptions['log']; readonly codec: LogCodec },
  question: WhatIfQuestion,
  onProgress?: RefoldOptions['onProgress'],
): Promise<WhatIf> {
  const stored = await lastRules(source.log, source.codec);
  if (stored === null) throw new EmptyLogError('the log is empty');
  const pair = pairOf(stored, question);
  const rules: Rules = { ...stored, schemes: [pair.against.scheme, pair.candidate.scheme] };
  const zone = question.zone ?? dayZoneOf(stored) ?? 'UTC';
  const before = question.before(zone);
  const { states, lastEventAt, generation } = await refold({
    ...{ log: source.log, codec: source.codec, rules, before },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const at = before ?? (lastEventAt === null ? null : lastEventAt + 1);
  const head = { at, zone, generation };
  if (lastEventAt === null || at === null) return { ...head, brands: [], moved: [] };

  const counts = new Map<string, BrandCount>();
  const moved: MovedPerson[] = [];
  for (const state of states.values()) {
    if (question.brand !== null && state.brand !== question.brand) continue;
    let count = counts.get(state.brand);
    if (count === undefined) {
      count = new BrandCount(state.brand, pair, rules);
      counts.set(state.brand, count);
    }
    // As of T counts what came before T, so it is asked for T − 1.
    const move = count.add(state, at - 1);
    if (move !== null) moved.push({ brand: state.brand, person: state.person, ...move });
  }
  return {
    ...head,
    brands: [...counts.values()]
      .filter(({ isEmpty }) => !isEmpty)
      .map((count) => count.result())
      .sort((a, b) => (a.brand < b.brand ? -1 : 1)),
    moved: moved.sort(compareMoved),
  };
}

/** A scheme with the text it was asked for by; ids have to differ, and the same text may be asked for twice. */
interface NamedScheme {
  readonly text: string;
  readonly scheme: Scheme;
}

interface SchemePair {
  readonly against: NamedScheme;
  readonly candidate: NamedScheme;
}

function pairOf(stored: Rules, { scheme, zone, zeroOrderCounts, against }: WhatIfQuestion): SchemePair {
  const period = parsePeriod(scheme);
  if (period === null) throw new RangeError(`${scheme} is no scheme`);
  const [first] = stored.schemes;
  const storedZone = dayZoneOf(stored) ?? 'UTC';
  const counts = first?.zeroOrderCounts ?? true;
  const candidate = schemeOf('candidate', period, zone ?? storedZone, zeroOrderCounts ?? counts);
  return {
    against: againstOf(stored, against ?? first?.id ?? '', storedZone, counts),
    candidate: { text: scheme, scheme: candidate },
  };
}

function againstOf(stored: Rules, text: string, zone: string, zeroOrderCounts: boolean): NamedScheme {
  const found = stored.schemes.find(({ id }) => id === text);
  // Everybody is compared, whatever brand the log's scheme is for.
  if (found !== undefined) return { text, scheme: { ...found, id: 'against', brand: null } };
  const period = parsePeriod(text);
  if (period === null) {
    throw new UnknownSchemeError(
      text,
      stored.schemes.map(({ id }) => id),
    );
  }
  return { text, scheme: schemeOf('against', period, zone, zeroOrderCounts) };
}

class BrandCount {
  private readonly against: SchemeCount;
  private readonly candidate: SchemeCount;
  private readonly flows = new Map<string, { from: Tier; to: Tier; persons: number }>();

  constructor(
    private readonly brand: string,
    { against, candidate }: SchemePair,
    rules: Rules,
  ) {
    const [one, other] = compileRules(rules).schemes;
    if (one === undefined || other === undefined) throw new RangeError('two schemes are compared');
    this.against = new SchemeCount(against.text, one);
    this.candidate = new SchemeCount(candidate.text, other);
  }

  get isEmpty(): boolean {
    return this.flows.size === 0;
  }

  /** @returns where the person stands, where that differs */
  add(state: Parameters<typeof schemeShare>[0], t: number): { from: number; to: number } | null {
    const was = schemeShare(state, this.against.compiled, t);
    const is = schemeShare(state, this.candidate.compiled, t);
    if (was === null || is === null) return null;
    this.against.add(was);
    this.candidate.add(is);
    const key = `${was.tier} ${is.tier}`;
    const flow = this.flows.get(key) ?? { from: was.tier, to: is.tier, persons: 0 };
    flow.persons += 1;
    this.flows.set(key, flow);
    return was.tier === is.tier ? null : { from: was.tier, to: is.tier };
  }

  result(): BrandWhatIf {
    const flows = [...this.flows.values()].sort((a, b) => a.from - b.from || a.to - b.to);
    const movedBy = (isMoved: (flow: TierFlow) => boolean): number =>
      flows.filter(isMoved).reduce((sum, { persons }) => sum + persons, 0);
    return {
      brand: this.brand,
      against: this.against.figures(),
      candidate: this.candidate.figures(),
      flows,
      moved_up: movedBy(({ from, to }) => to > from),
      moved_down: movedBy(({ from, to }) => to < from),
    };
  }
}

/** By code units, so that the order does not depend on a locale. */
function compareMoved(a: MovedPerson, b: MovedPerson): number {
  if (a.brand !== b.brand) return a.brand < b.brand ? -1 : 1;
  return a.person < b.person ? -1 : a.person > b.person ? 1 : 0;
}

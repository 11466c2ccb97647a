/** Everybody's tier as of an instant, from the log folded again: read-only, and without publishing. */
import { personSummaries, type Rules } from '#domain';
import { refold, type LogCodec, type RefoldOptions } from '#pipeline';
import { dayZoneOf, lastRules } from './log-rules.js';
import { parsePeriod, schemeOf } from './scheme-text.js';
import { compareTierRows, tierRow, type TierRow } from './tier-rows.js';

export interface TiersQuestion {
  /** What `parsePeriod` reads. */
  readonly scheme: string;
  /** Null: the day zone of the log. */
  readonly zone: string | null;
  /** Events before it count, ms; null: all. Asked with the zone that the days are counted in. */
  readonly before: (zone: string) => number | null;
  /** Null: the only one. */
  readonly brand: string | null;
}

export interface FoldedTiers {
  readonly brand: string | null;
  /** In the order of persons; of one brand. */
  readonly rows: readonly TierRow[];
  readonly zone: string;
  /** The instant answered for, ms: events before it are counted. Null for a log without events. */
  readonly at: number | null;
}

/** The log holds several brands and the question names none. */
export class SeveralBrandsError extends Error {
  override readonly name = 'SeveralBrandsError';
  constructor(readonly brands: readonly string[]) {
    super(`the log holds several brands: ${brands.join(', ')}`);
  }
}

/** There is nothing in the log, not even its rules. */
export class EmptyLogError extends Error {
  override readonly name = 'EmptyLogError';
}

/**
 * @throws RangeError           the scheme is none
 * @throws EmptyLogError
 * @throws SeveralBrandsError
 */
export async function foldTiers(
  source: { readonly log: RefoldOptions['log']; readonly codec: LogCodec },
  question: TiersQuestion,
  onProgress?: RefoldOptions['onProgress'],
): Promise<FoldedTiers> {
  const period = parsePeriod(question.scheme);
  if (period === null) throw new RangeError(`${question.scheme} is no scheme`);
  const stored = await lastRules(source.log, source.codec);
  if (stored === null) throw new EmptyLogError('the log is empty');
  const zone = question.zone ?? dayZoneOf(stored) ?? 'UTC';
  const zeroOrderCounts = stored.schemes[0]?.zeroOrderCounts ?? true;
  const rules: Rules = { ...stored, schemes: [schemeOf(question.scheme, period, zone, zeroOrderCounts)] };
  const before = question.before(zone);
  const { states, lastEventAt } = await refold({
    ...{ log: source.log, codec: source.codec, rules, before },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const at = before ?? (lastEventAt === null ? null : lastEventAt + 1);
  if (lastEventAt === null || at === null) return { brand: question.brand, rows: [], zone, at };
  const brands = new Set<string>();
  const rows: TierRow[] = [];
  for (const state of states.values()) {
    if (question.brand !== null && state.brand !== question.brand) continue;
    // As of T counts what came before T, so the summary is asked for T − 1.
    for (const summary of personSummaries(state, rules, at - 1)) {
      brands.add(summary.brand);
      rows.push(tierRow(summary));
    }
  }
  if (brands.size > 1) throw new SeveralBrandsError([...brands].sort());
  return { brand: question.brand ?? [...brands][0] ?? null, rows: rows.sort(compareTierRows), zone, at };
}

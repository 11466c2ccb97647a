/** Everybody's tier at an instant: the log folded again, read-only. */
import { personSummaries, type Rules, type SchemePeriod } from '#domain';
import { refold } from '#pipeline';
import { dayZoneOf, lastRules } from '../simulator/recorded/replay-log.js';
import { parseAt } from './at-option.js';
import { CliError, usageError } from './exit-codes.js';
import { type OpenLog } from './log-access.js';
import { schemeOf } from './scheme-option.js';
import { compareTierRows, tierRow, type TierRow } from './tier-rows.js';

export interface TiersQuestion {
  /** As it was asked for: the scheme's id. */
  readonly scheme: string;
  readonly period: SchemePeriod;
  /** Null: that of the log. */
  readonly zone: string | null;
  /** Null: the last event + 1 ms. */
  readonly at: string | null;
  /** Null: the only one of the log. */
  readonly brand: string | null;
}

/**
 * In the order of persons' ids.
 * @throws CliError   an empty log, a bad instant, or several brands and none named
 */
export async function foldTiers(
  { log, codec }: Pick<OpenLog, 'log' | 'codec'>,
  question: TiersQuestion,
  onProgress: (progress: { readonly records: number; readonly total: number }) => void = () => undefined,
): Promise<TierRow[]> {
  const stored = await lastRules(log, codec);
  if (stored === null) throw new CliError('the log is empty');
  const zone = question.zone ?? dayZoneOf(stored) ?? 'UTC';
  const zeroOrderCounts = stored.schemes[0]?.zeroOrderCounts ?? true;
  const rules: Rules = {
    ...stored,
    schemes: [schemeOf(question.scheme, question.period, zone, zeroOrderCounts)],
  };
  const before = question.at === null ? null : parseAt(question.at, zone);
  const { states, lastEventAt } = await refold({ log, codec, rules, before, onProgress });
  if (lastEventAt === null) return [];
  // As of T counts what came before T, so the fold is asked for T − 1.
  const at = (before ?? lastEventAt + 1) - 1;
  const brands = new Set<string>();
  const rows: TierRow[] = [];
  for (const state of states.values()) {
    if (question.brand !== null && state.brand !== question.brand) continue;
    for (const summary of personSummaries(state, rules, at)) {
      brands.add(summary.brand);
      rows.push(tierRow(summary));
    }
  }
  if (brands.size <= 1) return rows.sort(compareTierRows);
  throw usageError(`the log holds several brands; name one by --brand: ${[...brands].sort().join(', ')}`);
}

/** Which dead letters a command is about, as options of its own. */
import { Command, Option } from 'commander';
import { REJECT_REASONS, type RejectReason, type SourcePosition } from '#domain';
import type { StoredDeadLetter } from '#pipeline';
import { instantFromText } from '../../console/tiers/instant-text.js';
import { usageError } from '../exit-codes.js';
import { letterId } from './letter-id.js';

export interface FilterFlags {
  readonly reason?: readonly RejectReason[];
  readonly topic?: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

export type LetterFilter = (letter: StoredDeadLetter) => boolean;

export function withFilterOptions(command: Command): Command {
  return command
    .addOption(new Option('--reason <reason...>', 'refused for one of these reasons').choices(REJECT_REASONS))
    .option('--topic <topic...>', 'from one of these source topics')
    .option('--from <instant>', 'that arrived then or later: ISO 8601, UTC unless it says otherwise')
    .option('--to <instant>', 'that arrived before then');
}

export function hasFilter({ reason, topic, from, to }: FilterFlags): boolean {
  return [reason, topic, from, to].some((flag) => flag !== undefined);
}

/** @throws CliError (usage)   an instant that is none */
export function letterFilter(flags: FilterFlags): LetterFilter {
  const from = instantOf('--from', flags.from) ?? -Infinity;
  const to = instantOf('--to', flags.to) ?? Infinity;
  const reasons = flags.reason === undefined ? null : new Set<RejectReason>(flags.reason);
  const topics = flags.topic === undefined ? null : new Set(flags.topic);
  return ({ reason, source, arrivedAt }) =>
    (reasons?.has(reason) ?? true) &&
    (topics?.has(source.topic) ?? true) &&
    arrivedAt >= from &&
    arrivedAt < to;
}

export function oneOfThese(positions: readonly SourcePosition[]): LetterFilter {
  const ids = new Set(positions.map(letterId));
  return ({ source }) => ids.has(letterId(source));
}

function instantOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const at = instantFromText(text, 'UTC');
  if (at !== null) return at;
  throw usageError(`${option} ${text}: expected an instant such as 2026-11-11 or 2026-11-11T12:00:00Z`);
}

/** What a run of the chaos is made of: by the environment, so that the same spec is short in `npm test` and long on demand. */

import { FAULT_KINDS, type FaultKind } from './fault-kinds.js';

export interface ChaosOptions {
  /** Of the plan: which faults, in which order, at which moments. The processes themselves keep no order. */
  readonly seed: number;
  readonly faults: number;
  readonly brokers: number;
  /** Which faults there may be. */
  readonly kinds: readonly FaultKind[];
  readonly eventsPerSecond: number;
  /** Few meet often, in one another's way; many for a long and busy run, where states would grow without end. */
  readonly persons: number;
  /** Longest pause before the next fault, ms. */
  readonly pauseMs: number;
  /** Most faults wait until what was sent before the end of the last one has come through, and each is announced. */
  readonly isLong: boolean;
  /** Folder that the report is written to; null: none. */
  readonly reportDirectory: string | null;
}

/** @throws RangeError   a variable that is no such number */
export function chaosOptions(env: Readonly<Record<string, string | undefined>>): ChaosOptions {
  const number = (name: string, otherwise: number, least: number): number => {
    const text = env[name] ?? '';
    const value = text === '' ? otherwise : Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`${name} has to be a whole number from ${least} on, not ${text}`);
    }
    return value;
  };
  const isLong = env['CHAOS_LONG'] === '1';
  const brokers = number('CHAOS_BROKERS', 1, 1);
  return {
    seed: number('CHAOS_SEED', isLong ? Date.now() % 1_000_000 : 5, 0),
    faults: number('CHAOS_FAULTS', isLong ? 30 : 7, 1),
    brokers,
    kinds: kindsOf(env['CHAOS_KINDS'] ?? '', brokers),
    eventsPerSecond: number('CHAOS_EVENTS_PER_SECOND', isLong ? 300 : 150, 10),
    persons: number('CHAOS_PERSONS', 400, 1),
    pauseMs: number('CHAOS_PAUSE_MS', isLong ? 3_000 : 1_200, 0),
    isLong,
    reportDirectory: env['CHAOS_REPORT_DIR'] ?? null,
  };
}

/** @throws RangeError   a name that no fault has */
function kindsOf(text: string, brokers: number): readonly FaultKind[] {
  const possible = FAULT_KINDS.filter((kind) => brokers > 1 || kind !== 'leader of the log killed');
  if (text === '') return possible;
  return text.split(';').map((name) => {
    const found = possible.find((kind) => kind === name.trim());
    if (found === undefined) throw new RangeError(`CHAOS_KINDS: ${name} is none of ${possible.join('; ')}`);
    return found;
  });
}

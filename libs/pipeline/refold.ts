import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  BatchFold,
  DueIndex,
  INITIAL_FRAME,
  type FoldFrame,
  type LogEntry,
  type Relationship,
  type Rules,
} from '#domain';
import type { LogCodec } from './codecs.js';
import { CompactStates } from './compact-states.js';
import type { Log } from './log.js';
import { TOPICS } from './topics.js';

export interface RefoldOptions {
  readonly log: Pick<Log, 'ends' | 'read'>;
  readonly codec: LogCodec;
  /** Fold by these instead of the rules in the log. */
  readonly rules: Rules;
  /** Only events before this instant, ms; null for all. */
  readonly before: number | null;
  readonly onProgress?: (progress: { readonly records: number; readonly total: number }) => void;
}

export interface RefoldedStates {
  readonly size: number;
  get(personKey: string): Relationship | undefined;
  values(): Iterable<Relationship>;
}

export interface Refolded {
  /** One more than the log's: what is folded by other rules is never taken for figures of the log. */
  readonly generation: number;
  /** Guests included. */
  readonly states: RefoldedStates;
  /** Largest event time that was folded, ms; null for an empty log. */
  readonly lastEventAt: number | null;
}

/**
 * Folds the whole relationship log again, read-only and without publishing, up to an instant: the answer to
 * every question about the past. All states are held in memory, most of them packed: about 1 KiB a person with
 * ten orders. Between batches other work of the process gets its turn.
 *
 * @throws LogCorruptError
 */
export async function refold(options: RefoldOptions): Promise<Refolded> {
  const states = new CompactStates(DECODED_MAX);
  const ends = await options.log.ends(TOPICS.relationshipLog);
  const total = ends.reduce((sum, { start, end }) => sum + end - start, 0);
  let records = 0;
  let lastEventAt: number | null = null;
  let generation = 0;
  for (const { partition, start, end } of ends) {
    const fold = new PartitionRefold(states, options.rules);
    for await (const batch of options.log.read({ topic: TOPICS.relationshipLog, partition }, start, end)) {
      const entries = batch.records.map(({ offset, value }) => ({
        offset,
        entry: options.codec.decode(value),
      }));
      fold.apply(entries, options.before);
      records += batch.records.length;
      options.onProgress?.({ records, total });
      await nextTurn();
    }
    generation = Math.max(generation, fold.generation);
    if (fold.lastEventAt !== null) lastEventAt = Math.max(fold.lastEventAt, lastEventAt ?? fold.lastEventAt);
  }
  return { generation, states, lastEventAt };
}

class PartitionRefold {
  lastEventAt: number | null = null;
  #frame: FoldFrame;
  readonly #dues = new DueIndex();

  constructor(
    private readonly states: CompactStates,
    rules: Rules,
  ) {
    // No dues: the past is asked for by an instant, so nothing has to be popped, and nothing may be pruned.
    const patient = { ...rules, duesPerTick: 0, refundHorizonDays: FOR_EVER_DAYS };
    this.#frame = { ...INITIAL_FRAME, rules: patient };
  }

  get generation(): number {
    return this.#frame.generation;
  }

  apply(
    entries: readonly { readonly offset: number; readonly entry: LogEntry }[],
    before: number | null,
  ): void {
    const fold = new BatchFold({ load: (key) => this.states.get(key), dues: this.#dues, frame: this.#frame });
    for (const { offset, entry } of entries) {
      switch (entry.type) {
        case 'rulesSet':
          break;
        case 'tick':
          if (before === null || entry.at < before) fold.apply(entry, offset);
          break;
        case 'epochRaised':
          fold.apply({ ...entry, generation: entry.generation + 1 }, offset);
          break;
        case 'credit':
          fold.apply(entry, offset);
          break;
        default:
          if (before !== null && entry.at >= before) break;
          fold.apply(entry, offset);
          this.lastEventAt = Math.max(entry.at, this.lastEventAt ?? entry.at);
      }
    }
    const result = fold.result();
    for (const [key, state] of result.states) {
      if (state === null) this.states.delete(key);
      else this.states.set(key, state);
    }
    this.#frame = result.frame;
  }
}

/** States held decoded; with ten orders each about 400 MB. */
const DECODED_MAX = 50_000;
const FOR_EVER_DAYS = 366 * 1_000;

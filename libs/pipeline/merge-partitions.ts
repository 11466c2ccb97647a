/**
 * The partitions of a log as one stream, from which a log of another number of partitions can be made. Pure: it reads
 * and yields, and holds nothing but what it was given last of each partition.
 */
import { personKey, type LogEntry, type RulesSet, type Tick } from '#domain';

export interface MergeEntry {
  readonly entry: LogEntry;
  /** The entry's bytes, as long as its batch lives. */
  readonly value: Buffer;
}

/** What the new partitions get, in this order. */
export type Merged =
  /** For the partition of this key. */
  | { readonly type: 'person'; readonly key: string; readonly value: Buffer }
  /** For every partition. */
  | { readonly type: 'control'; readonly entry: Tick | RulesSet };

/**
 * Merges by watermark. A partition is read on only while its own watermark is the smallest, so each of its entries
 * stands behind the same tick as before: what was late is late again, what was not is not. A person's entries come
 * from one partition and keep their order.
 *
 * A tick is yielded once all partitions have reached it, and a partition that is at its end holds nobody up: the
 * ticks of the others are bounded by what intake had read of everything, so they hold for it, too. Repeated ticks of
 * one time, which a partition has where very many were due at once, are yielded as they come.
 */
export async function* mergePartitions(
  partitions: readonly AsyncIterable<readonly MergeEntry[]>[],
): AsyncGenerator<Merged> {
  const sources = partitions.map((batches) => new Source(batches));
  const rules = new RulesSequence();
  let watermark = -Infinity;
  try {
    for (;;) {
      const source = slowestOf(sources);
      if (source === null) return;
      yield* upToItsNextTick(source, rules, watermark);
      const next = slowestOf(sources)?.tick ?? null;
      if (next === null || next.at <= watermark) continue;
      watermark = next.at;
      yield { type: 'control', entry: next };
    }
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

async function* upToItsNextTick(
  source: Source,
  rules: RulesSequence,
  watermark: number,
): AsyncGenerator<Merged> {
  for (;;) {
    const next = source.take() ?? (await source.fetch());
    if (next === null) return;
    const { entry, value } = next;
    switch (entry.type) {
      case 'epochRaised':
        break;
      case 'rulesSet':
        if (rules.isNew(entry, source)) yield { type: 'control', entry };
        break;
      case 'tick':
        if (entry.at > (source.tick?.at ?? -Infinity)) {
          source.tick = entry;
          return;
        }
        if (watermark > -Infinity) yield { type: 'control', entry: { ...entry, at: watermark } };
        break;
      default:
        yield { type: 'person', key: personKey(entry.brand, entry.person), value };
    }
  }
}

/** Null: all are at their ends. */
function slowestOf(sources: readonly Source[]): Source | null {
  let slowest: Source | null = null;
  for (const source of sources) {
    if (source.isEnded) continue;
    if (slowest === null || (source.tick?.at ?? -Infinity) < (slowest.tick?.at ?? -Infinity))
      slowest = source;
  }
  return slowest;
}

class Source {
  /** The last that was read; null before the first. */
  tick: Tick | null = null;
  isEnded = false;
  /** How many of the rules of the log this partition has had. */
  rulesSeen = 0;
  readonly #batches: AsyncIterator<readonly MergeEntry[]>;
  #batch: readonly MergeEntry[] = [];
  #next = 0;

  constructor(batches: AsyncIterable<readonly MergeEntry[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** Nobody reads on. */
  async close(): Promise<void> {
    await this.#batches.return?.();
  }

  /** Null: `fetch` has to be asked. */
  take(): MergeEntry | null {
    return this.#batch[this.#next++] ?? null;
  }

  /** Null at the end. */
  async fetch(): Promise<MergeEntry | null> {
    for (;;) {
      const result = await this.#batches.next();
      if (result.done === true) {
        this.isEnded = true;
        return null;
      }
      this.#batch = result.value;
      this.#next = 0;
      const first = this.take();
      if (first !== null) return first;
    }
  }
}

/** New rules are written to every partition: the first to be read of them counts, the others repeat it. */
class RulesSequence {
  readonly #all: string[] = [];

  isNew({ rulesJson }: RulesSet, source: Source): boolean {
    // A partition may have missed some, where the process died that was writing them.
    const repeated = this.#all.indexOf(rulesJson, source.rulesSeen);
    if (repeated >= 0) {
      source.rulesSeen = repeated + 1;
      return false;
    }
    this.#all.push(rulesJson);
    source.rulesSeen = this.#all.length;
    return true;
  }
}

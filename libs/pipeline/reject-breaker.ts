/** Stops a source topic when too much of what came from it lately is no event: more likely than not the fault is not theirs. */
import type { TopicPartition } from './log.js';

export interface RejectBreakerSettings {
  /** Share of a topic's recent records, in per cent, beyond which it is stopped; 0: no topic ever is. */
  readonly rejectedPercentMax: number;
  /** So many records are recent; before there were as many, a topic is not stopped. */
  readonly recentRecords: number;
  /** How often a stopped topic is judged again, ms. */
  readonly retryMs: number;
  /** Never stopped, whatever comes. */
  readonly exemptTopics: ReadonlySet<string>;
}

export const NO_BREAKER: RejectBreakerSettings = {
  rejectedPercentMax: 0,
  recentRecords: 1,
  retryMs: 1_000,
  exemptTopics: new Set(),
};

export interface StoppedTopic {
  readonly topic: string;
  /** ms. */
  readonly since: number;
  /** Of the records that are held now. */
  readonly rejected: number;
  readonly records: number;
}

interface Counts {
  readonly rejected: number;
  readonly records: number;
}

/**
 * One a process. A batch that stops its topic is not committed but held by its partition, as is what comes from the
 * topic's other partitions; they judge it again from time to time, and go on when, of all that is held, no more
 * than the share is refused.
 */
export class RejectBreaker {
  readonly #topics = new Map<string, TopicWatch>();

  constructor(
    readonly settings: RejectBreakerSettings,
    private readonly now: () => number,
  ) {}

  /**
   * Whether a judged batch may be committed. If not, its partition has to hold it and ask again.
   * @param isRejected   of each record, in order
   */
  admits({ topic, partition }: TopicPartition, isRejected: readonly boolean[]): boolean {
    const { settings } = this;
    if (settings.rejectedPercentMax === 0 || settings.exemptTopics.has(topic)) return true;
    if (isRejected.length === 0) return true;
    let watch = this.#topics.get(topic);
    if (watch === undefined) {
      watch = new TopicWatch(settings);
      this.#topics.set(topic, watch);
    }
    return watch.admits(partition, isRejected, this.now());
  }

  /** The partition is not ours any more, and with it what it has held. */
  forget({ topic, partition }: TopicPartition): void {
    this.#topics.get(topic)?.forget(partition);
  }

  isStopped(topic: string): boolean {
    return (this.#topics.get(topic)?.since ?? null) !== null;
  }

  stopped(): readonly StoppedTopic[] {
    return [...this.#topics].flatMap(([topic, watch]) => {
      const { since, held } = watch;
      return since === null ? [] : [{ topic, since, ...held }];
    });
  }
}

class TopicWatch {
  /** Since when it is stopped, ms. */
  since: number | null = null;
  /** A ring of what became of the last records: 1 is rejected. */
  readonly #recent: Uint8Array;
  #count = 0;
  #rejected = 0;
  readonly #held = new Map<number, Counts>();

  constructor(private readonly settings: RejectBreakerSettings) {
    this.#recent = new Uint8Array(settings.recentRecords);
  }

  get held(): Counts {
    let [rejected, records] = [0, 0];
    for (const one of this.#held.values()) {
      rejected += one.rejected;
      records += one.records;
    }
    return { rejected, records };
  }

  admits(partition: number, isRejected: readonly boolean[], now: number): boolean {
    if (this.since === null && !this.#isTooMuch(isRejected)) return true;
    this.since ??= now;
    const rejected = isRejected.reduce((sum, one) => sum + Number(one), 0);
    const isKnown = this.#held.has(partition);
    this.#held.set(partition, { rejected, records: isRejected.length });
    // What has stopped it is held once at least, also where the share of that batch alone is small.
    const isFirst = this.#held.size === 1 && !isKnown;
    if (isFirst || this.#exceeds(this.held)) return false;
    this.#goOn();
    return true;
  }

  forget(partition: number): void {
    this.#held.delete(partition);
    if (this.since !== null && this.#held.size === 0) this.#goOn();
  }

  /** Takes them for recent, up to the one that is too much. */
  #isTooMuch(isRejected: readonly boolean[]): boolean {
    const { length } = this.#recent;
    for (const one of isRejected) {
      const at = this.#count % length;
      this.#rejected += Number(one) - (this.#recent[at] ?? 0);
      this.#recent[at] = Number(one);
      this.#count += 1;
      if (this.#count >= length && this.#exceeds({ rejected: this.#rejected, records: length })) return true;
    }
    return false;
  }

  #exceeds({ rejected, records }: Counts): boolean {
    return rejected * 100 > this.settings.rejectedPercentMax * records;
  }

  #goOn(): void {
    this.since = null;
    this.#held.clear();
    this.#recent.fill(0);
    this.#count = 0;
    this.#rejected = 0;
  }
}

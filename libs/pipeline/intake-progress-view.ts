import type { IntakeProgressCodec } from './codecs.js';
import type { Log, TopicPartition } from './log.js';
import { asError } from './thrown.js';
import { TOPICS } from './topics.js';

/**
 * How far intake has read every source partition, followed live from the compacted topic `intake-progress`.
 * The minimum bounds every tick: an intake that lags or is down holds time back.
 */
export class IntakeProgressView {
  readonly #readTo = new Map<string, number>();
  #sources: readonly string[] = [];
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly log: Log,
    private readonly codec: IntakeProgressCodec,
    private readonly sourceTopics: readonly string[],
    private readonly onError: (error: Error) => void,
  ) {}

  async start(): Promise<void> {
    await this.refreshSources();
    const ends = await this.log.ends(TOPICS.intakeProgress);
    this.#running = Promise.all(
      ends.map(({ partition }) => this.#follow({ topic: TOPICS.intakeProgress, partition })),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /**
   * The instant (ms, broker time) up to which all source partitions have been read; null while one of them has
   * never been reported.
   */
  readTo(): number | null {
    let least = Infinity;
    for (const source of this.#sources) {
      const at = this.#readTo.get(source);
      if (at === undefined) return null;
      least = Math.min(least, at);
    }
    return Number.isFinite(least) ? least : null;
  }

  /** Source partitions may be added while we run: a new one holds time back until intake reports it. */
  async refreshSources(): Promise<void> {
    const sources: string[] = [];
    for (const topic of this.sourceTopics) {
      for (const { partition } of await this.log.ends(topic)) sources.push(`${topic}|${partition}`);
    }
    this.#sources = sources;
  }

  async #follow(input: TopicPartition): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        for await (const batch of this.log.tail(input, 0, this.#stop.signal)) {
          for (const { value } of batch.records) if (value !== null) this.#note(value);
        }
      } catch (error) {
        this.onError(asError(error));
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #note(value: Buffer): void {
    const { topic, partition, readTo } = this.codec.decode(value);
    const key = `${topic}|${partition}`;
    // A heartbeat of a former owner may arrive after a newer record: progress never goes back.
    this.#readTo.set(key, Math.max(readTo, this.#readTo.get(key) ?? 0));
  }
}

const RETRY_MS = 1_000;

/** Reads the tier changes as a subscriber would, and notes when each probe came through. */
import type { TierChangedCodec } from '#contracts';
import { TOPICS, type Log } from '#pipeline';

export class ProbeWatch {
  /** When the tier change of an event was first seen, ms. */
  readonly seen = new Map<string, number>();
  readonly #end = new AbortController();
  #tails: readonly Promise<void>[] = [];

  constructor(
    private readonly log: Log,
    private readonly codec: TierChangedCodec,
    private readonly partitions: number,
  ) {}

  start(): void {
    this.#tails = Array.from({ length: this.partitions }, (_, partition) => this.#tail(partition));
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.allSettled(this.#tails);
  }

  async #tail(partition: number): Promise<void> {
    const input = { topic: TOPICS.tierChanges, partition };
    for await (const { records } of this.log.tail(input, 0, this.#end.signal)) {
      const now = Date.now();
      for (const { value } of records) {
        const id = value === null ? null : this.codec.decode(value).causeEventId;
        if (id !== null && !this.seen.has(id)) this.seen.set(id, now);
      }
    }
  }
}

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TierChanged } from '#domain';
import { TOPICS, type Log, type TierChangedCodec } from '#pipeline';
import { tierChangeAnswer, type TierChangeAnswer } from '../api/tier-change-answer.js';

export interface FeedItem {
  readonly sequence: number;
  readonly brand: string;
  readonly change: TierChangeAnswer;
}

export interface FeedParts {
  readonly log: Log;
  readonly codec: TierChangedCodec;
  readonly onError: (error: unknown) => void;
}

/** Kept per brand for pages that come, or come back. */
const RECENT_MAX = 200;
/** Read back in each partition at start, so that the first page is not empty. */
const LOOK_BACK = 200;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 10_000;

/** Tier changes as they are published, straight from the topic. */
export class TierFeed {
  /** Tells the sequence numbers of this process from those of the one before. */
  private readonly run = randomBytes(4).toString('hex');
  private readonly recent = new Map<string, FeedItem[]>();
  private readonly listeners = new Map<(items: readonly FeedItem[]) => void, string>();
  private readonly stopping = new AbortController();
  private readonly tails: Promise<void>[] = [];
  private sequence = 0;

  constructor(private readonly parts: FeedParts) {}

  /** Resolves once the tails run; what comes afterwards is heard. */
  async start(): Promise<void> {
    for (const { partition, start, end } of await this.parts.log.ends(TOPICS.tierChanges)) {
      this.tails.push(this.follow(partition, Math.max(start, end - LOOK_BACK)));
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.tails);
  }

  /** @returns how to end it */
  subscribe(brand: string, listener: (items: readonly FeedItem[]) => void): () => void {
    this.listeners.set(listener, brand);
    return () => this.listeners.delete(listener);
  }

  /** The newest ones of a brand in order, at most so many; only those after `lastEventId` where it is one of ours. */
  since(brand: string, lastEventId: string | null, itemsMax: number): readonly FeedItem[] {
    const items = this.recent.get(brand) ?? [];
    const [, run, digits] = /^([0-9a-f]+)-(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
    const after = run === this.run ? Number(digits) : 0;
    return items.filter(({ sequence }) => sequence > after).slice(-itemsMax);
  }

  eventId(item: FeedItem): string {
    return `${this.run}-${item.sequence}`;
  }

  private async follow(partition: number, from: number): Promise<void> {
    const { signal } = this.stopping;
    let position = from;
    for (let pauseMs = RETRY_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX)) {
      try {
        const input = { topic: TOPICS.tierChanges, partition };
        for await (const batch of this.parts.log.tail(input, position, signal)) {
          this.hear(batch.records.flatMap(({ value }) => (value === null ? [] : [this.decode(value)])));
          position = batch.nextOffset;
          pauseMs = RETRY_MS;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.parts.onError(error);
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private decode(value: Buffer): TierChanged {
    return this.parts.codec.decode(value);
  }

  private hear(changes: readonly TierChanged[]): void {
    const heard = new Map<string, FeedItem[]>();
    for (const change of changes) {
      const { brand } = change;
      const item = { sequence: ++this.sequence, brand, change: tierChangeAnswer(change) };
      const items = heard.get(brand);
      if (items === undefined) heard.set(brand, [item]);
      else items.push(item);
    }
    for (const [brand, items] of heard) {
      const kept = [...(this.recent.get(brand) ?? []), ...items.slice(-RECENT_MAX)];
      this.recent.set(brand, kept.slice(-RECENT_MAX));
      for (const [listener, listened] of this.listeners) if (listened === brand) listener(items);
    }
  }
}

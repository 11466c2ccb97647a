import type { EventStream } from './event-stream.js';
import type { FeedItem, TierFeed } from './tier-feed.js';
import type { PageView } from './figure-rounds.js';

/** A burst becomes one event with the newest of it. */
const GATHER_MS = 120;
const ITEMS_MAX = 40;

/** The tier changes of one page: those of its brand and scheme, gathered for a moment, the newest if there are many. */
export class PageFeed {
  private pending: FeedItem[] = [];
  private skipped = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly feed: TierFeed,
    private readonly stream: EventStream,
    private readonly view: PageView,
  ) {}

  /** @param lastEventId   where the page was before it lost its connection */
  start(lastEventId: string | null): void {
    const { brand } = this.view;
    this.hear(this.feed.since(brand, lastEventId, Infinity));
    this.flush();
    this.stream.onClose(this.feed.subscribe(brand, (items) => this.hear(items)));
    this.stream.onClose(() => {
      if (this.timer !== null) clearTimeout(this.timer);
    });
  }

  private hear(items: readonly FeedItem[]): void {
    const wanted = items.filter(({ change }) => change.scheme_id === this.view.schemeId);
    if (wanted.length === 0) return;
    this.pending.push(...wanted);
    const excess = this.pending.length - ITEMS_MAX;
    if (excess > 0) {
      this.pending = this.pending.slice(excess);
      this.skipped += excess;
    }
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const newest = this.pending.at(-1);
    if (newest === undefined) return;
    const { skipped, pending } = this;
    this.pending = [];
    this.skipped = 0;
    const data = JSON.stringify({ skipped, changes: pending.map(({ change }) => change) });
    this.stream.send('tier-changes', data, this.feed.eventId(newest));
  }
}

import { ApiProblem } from '../http/api-problem.js';
import { EventStream, type StreamTarget } from './event-stream.js';
import type { FigureRounds, PageView } from './figure-rounds.js';
import { PageFeed } from './page-feed.js';
import type { TierFeed } from './tier-feed.js';

export interface LiveParts {
  readonly rounds: FigureRounds;
  readonly feed: TierFeed;
  /** JSON of the status. */
  readonly status: () => Promise<string>;
  readonly pagesMax: number;
}

const STATUS_MS = 2_000;

/** The pages that are open. */
export class LivePages {
  private readonly streams = new Set<EventStream>();
  private timer: NodeJS.Timeout | null = null;
  private telling: Promise<void> = Promise.resolve();
  private isTelling = false;

  constructor(private readonly parts: LiveParts) {}

  get count(): number {
    return this.streams.size;
  }

  start(): void {
    this.timer = setInterval(() => this.tellStatus(), STATUS_MS);
  }

  /** @throws ApiProblem 503 when there are too many already */
  assertRoom(): void {
    const { pagesMax } = this.parts;
    if (this.streams.size >= pagesMax) throw new ApiProblem(503, `${pagesMax} pages are open already`);
  }

  open(target: StreamTarget, view: PageView, lastEventId: string | null): EventStream {
    const stream = new EventStream(target);
    this.streams.add(stream);
    stream.onClose(() => this.streams.delete(stream));
    void this.parts.status().then(
      (status) => stream.send('status', status),
      () => undefined,
    );
    stream.onClose(this.parts.rounds.subscribe({ view, onBoard: (json) => stream.send('figures', json) }));
    new PageFeed(this.parts.feed, stream, view).start(lastEventId);
    return stream;
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    for (const stream of [...this.streams]) {
      stream.send('bye', '{}');
      stream.close();
    }
    await this.telling;
  }

  private tellStatus(): void {
    if (this.isTelling || this.streams.size === 0) return;
    this.isTelling = true;
    this.telling = this.parts
      .status()
      .then((status) => {
        for (const stream of this.streams) stream.send('status', status);
      })
      .catch(() => undefined)
      .finally(() => {
        this.isTelling = false;
      });
  }
}

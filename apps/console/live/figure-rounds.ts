import { type ClickHouse, ClickHouseFailure } from '#clickhouse';
import { ALL_CHANNELS } from '#domain';
import { boardAnswer, periodAnswer } from '../figures/answer-figures.js';
import type { FiguresAnswer, PeriodAnswer } from '../figures/answers.js';
import { foldProgress, type FoldProgress } from '../figures/fold-progress.js';
import { periodKey, periodRows, sumsByKey, type PeriodSum } from '../figures/period-rows.js';
import { latestWindowBoard, type WindowBoard } from '../figures/window-board.js';

/** What a page shows. */
export interface PageView {
  readonly brand: string;
  readonly window: string;
  readonly schemeId: string;
}

/** Everything on a page that is a figure, read in one go. */
export interface Board {
  readonly brand: string;
  readonly window: string;
  readonly scheme_id: string;
  /** `all` first, then the channels in order; each as `GET /figures` answers it. */
  readonly figures: readonly FiguresAnswer[];
  /** Of every scheme of the brand, all channels. */
  readonly periods: readonly PeriodAnswer[];
}

export interface BoardSubscriber {
  readonly view: PageView;
  /** Called with the JSON of a `Board` when it has changed. */
  onBoard(json: string): void;
}

export interface RoundParts {
  readonly clickhouse: ClickHouse;
  /** False while ClickHouse is known to be away: then nothing is asked of it. */
  readonly isThere: () => boolean;
  readonly partitionsTotal: number;
  readonly everyMs: number;
  readonly onBug: (error: unknown) => void;
}

/** A round may take at most this share of the time, so that a slow machine is not busy with us alone. */
const DUTY = 1 / 2;

/**
 * Asks ClickHouse about once a second for what the open pages show, once for all pages of a brand, and tells each
 * page what has changed. While nobody looks it asks nothing.
 */
export class FigureRounds {
  private readonly subscribers = new Map<BoardSubscriber, string | null>();
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private isStopped = false;

  constructor(private readonly parts: RoundParts) {}

  start(): void {
    this.schedule(this.parts.everyMs);
  }

  /** @returns how to end it */
  subscribe(subscriber: BoardSubscriber): () => void {
    this.subscribers.set(subscriber, null);
    // Who has just come does not wait for the next round.
    if (!this.isRunning) this.schedule(0);
    return () => this.subscribers.delete(subscriber);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }

  private schedule(inMs: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.isRunning = true;
      this.running = this.timedRound();
    }, inMs);
  }

  private async timedRound(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.round();
    } catch (error) {
      // That ClickHouse is away the pages learn from the status.
      if (!(error instanceof ClickHouseFailure && error.retryable)) this.parts.onBug(error);
    }
    this.isRunning = false;
    const tookMs = performance.now() - startedAt;
    this.schedule(Math.max(this.parts.everyMs - tookMs, tookMs * (1 / DUTY - 1)));
  }

  private async round(): Promise<void> {
    const { clickhouse } = this.parts;
    if (this.subscribers.size === 0 || !this.parts.isThere()) return;
    const progress = await foldProgress(clickhouse);
    if (progress === null) return;
    for (const [brand, windows] of viewsOf(this.subscribers.keys())) {
      const figures = await this.read(brand, windows, progress);
      for (const [subscriber, before] of this.subscribers) {
        if (subscriber.view.brand !== brand) continue;
        const json = figures.boardOf(subscriber.view);
        if (json === null || json === before) continue;
        this.subscribers.set(subscriber, json);
        subscriber.onBoard(json);
      }
    }
  }

  private async read(
    brand: string,
    windows: ReadonlySet<string>,
    progress: FoldProgress,
  ): Promise<BrandFigures> {
    const { clickhouse, partitionsTotal: total } = this.parts;
    const { generation } = progress;
    const boards = new Map<string, WindowBoard>();
    const readBoard = async (window: string): Promise<void> => {
      const board = await latestWindowBoard(clickhouse, { brand, window }, progress);
      if (board !== null) boards.set(window, board);
    };
    const [rows] = await Promise.all([
      periodRows(clickhouse, { brand, keep: 'newest', generation }),
      ...[...windows].map(readBoard),
    ]);
    return new BrandFigures(brand, boards, sumsByKey(rows, progress), { total, generation });
  }
}

/** What was read for a brand, and the boards made of it, each once however many pages show it. */
class BrandFigures {
  private readonly made = new Map<string, string | null>();

  constructor(
    private readonly brand: string,
    private readonly boards: ReadonlyMap<string, WindowBoard>,
    private readonly periods: ReadonlyMap<string, PeriodSum>,
    private readonly log: { readonly total: number; readonly generation: number },
  ) {}

  /** Null while there is nothing to show. */
  boardOf({ window, schemeId }: PageView): string | null {
    const key = `${window}\0${schemeId}`;
    let json = this.made.get(key);
    if (json === undefined) {
      const board = this.boards.get(window);
      json = board === undefined ? null : JSON.stringify(this.make(window, schemeId, board));
      this.made.set(key, json);
    }
    return json;
  }

  private make(window: string, schemeId: string, board: WindowBoard): Board {
    const { brand, log } = this;
    const sums = [...this.periods.values()];
    const others = new Set([...board.channels.keys(), ...sums.map(({ channel }) => channel)]);
    others.delete(ALL_CHANNELS);
    const figures = [ALL_CHANNELS, ...[...others].sort()].map((channel) => {
      const sum = this.periods.get(periodKey(schemeId, channel));
      const period = sum === undefined ? null : periodAnswer(sum, log);
      return boardAnswer({ brand, channel, window, partitionsTotal: log.total }, board, period);
    });
    const ofAll = sums.filter(({ channel }) => channel === ALL_CHANNELS);
    return {
      ...{ brand, window, scheme_id: schemeId, figures },
      periods: ofAll.map((sum) => periodAnswer(sum, log)).sort(byScheme),
    };
  }
}

function byScheme(left: PeriodAnswer, right: PeriodAnswer): number {
  return left.scheme_id < right.scheme_id ? -1 : 1;
}

function viewsOf(subscribers: Iterable<BoardSubscriber>): ReadonlyMap<string, ReadonlySet<string>> {
  const views = new Map<string, Set<string>>();
  for (const { view } of subscribers) {
    const windows = views.get(view.brand);
    if (windows === undefined) views.set(view.brand, new Set([view.window]));
    else windows.add(view.window);
  }
  return views;
}

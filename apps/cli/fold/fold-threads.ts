/** The fold in threads of its own, each with a share of the partitions: the embedded log is all of one machine. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ClickHouse } from '#clickhouse';
import { messageOf } from '#pipeline';
import type { AskClickHouse, FoldTask, FromFoldThread, ToFoldThread } from './fold-messages.js';
import type { Folding, FoldSettings, FoldState } from './folding.js';

const FOLD_THREAD = new URL('./fold-thread.js', import.meta.url);

export interface FoldThreadsParts {
  readonly dataDir: string;
  readonly partitions: number;
  readonly clickhouse: ClickHouse;
  readonly warn: (text: string) => void;
}

export class FoldThreads implements Folding {
  private constructor(private readonly threads: readonly FoldThread[]) {}

  /** As many threads as there are processors, if there are partitions for them. */
  static async start(parts: FoldThreadsParts, settings: FoldSettings): Promise<FoldThreads> {
    const of = Math.max(1, Math.min(parts.partitions, availableParallelism()));
    const tasks = Array.from({ length: of }, (_, index) => ({
      ...{ dataDir: parts.dataDir, index, of, settings },
    }));
    const threads = tasks.map((task) => new FoldThread(task, parts));
    try {
      await Promise.all(threads.map((thread) => thread.started));
    } catch (error) {
      await Promise.all(threads.map((thread) => thread.stop(false)));
      throw error;
    }
    return new FoldThreads(threads);
  }

  state(): FoldState {
    const states = this.threads.map((thread) => thread.state);
    return {
      positions: new Map(states.flatMap(({ positions }) => [...positions])),
      rowsLeft: states.reduce((sum, { rowsLeft }) => sum + rowsLeft, 0),
      isFinished: states.every(({ isFinished }) => isFinished),
      failure: states.find(({ failure }) => failure !== null)?.failure ?? null,
    };
  }

  finish(): void {
    for (const thread of this.threads) thread.finish();
  }

  async stop(keepsStates: boolean): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.stop(keepsStates)));
  }
}

/** This side of one thread. */
class FoldThread {
  readonly started: Promise<void>;
  private readonly worker: Worker;
  private readonly ended: Promise<void>;
  private reported: FoldState = { positions: new Map(), rowsLeft: 0, isFinished: false, failure: null };
  private isStopping = false;

  constructor(
    task: FoldTask,
    private readonly parts: FoldThreadsParts,
  ) {
    const worker = new Worker(FOLD_THREAD, { workerData: task });
    this.worker = worker;
    this.ended = once(worker, 'exit').then(
      () => this.over(null),
      (error: unknown) => this.over(error),
    );
    this.started = new Promise((resolve, reject) => {
      worker.on('message', (message: FromFoldThread) => {
        if (message.type === 'started') resolve();
        else this.heard(message);
      });
      void this.ended.then(() => reject(new Error(this.reported.failure ?? 'a thread has ended')));
    });
  }

  get state(): FoldState {
    return this.reported;
  }

  finish(): void {
    this.tell({ type: 'finish' });
  }

  stop(keepsStates: boolean): Promise<void> {
    this.isStopping = true;
    this.tell({ type: 'stop', keepsStates });
    return this.ended;
  }

  private heard(message: Exclude<FromFoldThread, { type: 'started' }>): void {
    switch (message.type) {
      case 'state':
        this.reported = message.state;
        return;
      case 'clickHouse':
        void this.asked(message.ask).then(
          (columns) => this.tell({ type: 'answer', id: message.id, columns }),
          (error: unknown) => this.tell({ type: 'refusal', id: message.id, error: messageOf(error) }),
        );
        return;
      case 'warning':
        this.parts.warn(message.text);
    }
  }

  private async asked(ask: AskClickHouse): Promise<ReadonlyMap<string, string> | null> {
    const { clickhouse } = this.parts;
    if (ask.what === 'columns') return clickhouse.columnTypes(ask.table);
    await clickhouse.insertEncoded(ask.insert);
    return null;
  }

  /** Whoever waits for it has to learn that it is gone. */
  private over(error: unknown): void {
    if (!this.isStopping || error !== null) {
      const failure = error === null ? 'a thread that folds has ended' : messageOf(error);
      this.reported = { ...this.reported, failure };
    }
  }

  private tell(message: ToFoldThread): void {
    this.worker.postMessage(message);
  }
}

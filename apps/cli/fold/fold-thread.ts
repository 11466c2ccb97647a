/** What runs in a thread that folds some of the partitions. */
import { parentPort, workerData } from 'node:worker_threads';
import { GuestFolder } from '#data-folder';
import type { FigureRow, FigureSink } from '#pipeline';
import { FoldHere } from './fold-here.js';
import type { FoldTask, FromFoldThread, ToFoldThread } from './fold-messages.js';

const STATE_MS = 50;

if (parentPort === null) throw new Error('this module is for a worker thread');
const port = parentPort;
const tell = (message: FromFoldThread): void => port.postMessage(message);

/** ClickHouse is in another thread. */
class DistantSink implements FigureSink {
  private readonly waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  private sent = 0;

  write(rows: readonly FigureRow[]): Promise<void> {
    const id = ++this.sent;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      tell({ type: 'rows', id, rows });
    });
  }

  stored(id: number, error: string | null): void {
    const found = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === null) found?.resolve();
    else found?.reject(new Error(error));
  }
}

const { dataDir, index, of, settings } = workerData as FoldTask;
const share = { index, of };
const folder = await GuestFolder.open(dataDir, share);
const sink = new DistantSink();
const fold = await FoldHere.start(
  {
    log: folder.log,
    codecs: folder.codecs,
    openStateStore: (name) => folder.openStateStore(name),
    sink,
    warn: (text) => tell({ type: 'warning', text }),
    share,
  },
  settings,
);
const reporting = setInterval(() => tell({ type: 'state', state: fold.state() }), STATE_MS);

port.on('message', (message: ToFoldThread) => {
  switch (message.type) {
    case 'stored':
      sink.stored(message.id, message.error);
      return;
    case 'finish':
      void fold.finishing().then(() => {
        tell({ type: 'state', state: fold.state() });
        // The states of these partitions are kept while others are still folded, archived or asked for.
        if (fold.state().isFinished) void fold.stop(true);
      });
      return;
    case 'stop':
      clearInterval(reporting);
      void fold
        .stop(message.keepsStates)
        .then(() => folder.close())
        // Nothing is left that would keep the thread.
        .finally(() => port.close());
  }
});
tell({ type: 'started' });

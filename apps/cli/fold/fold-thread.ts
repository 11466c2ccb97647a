/** What runs in a thread that folds some of the partitions. */
import { parentPort, workerData } from 'node:worker_threads';
import { ClickHouseFigureSink, RowEncoder, type EncodedInsert } from '#clickhouse';
import { GuestFolder } from '#data-folder';
import { FoldHere } from './fold-here.js';
import type { AskClickHouse, FoldTask, FromFoldThread, ToFoldThread } from './fold-messages.js';

const STATE_MS = 50;

if (parentPort === null) throw new Error('this module is for a worker thread');
const port = parentPort;
const tell = (message: FromFoldThread, moved: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, moved);

type Columns = ReadonlyMap<string, string>;

interface Waiting {
  readonly resolve: (columns: Columns | null) => void;
  readonly reject: (error: Error) => void;
}

/** ClickHouse is in another thread. Rows go there as bytes, which takes half of what the rows themselves would. */
class DistantClickHouse {
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;

  async insertEncoded(insert: EncodedInsert): Promise<void> {
    // The memory of a copy changes hands; a buffer's own slice would not be one.
    const copy = new Uint8Array(insert.bytes);
    await this.ask({ what: 'insert', insert: { ...insert, bytes: copy } }, [copy.buffer]);
  }

  async columnTypes(table: string): Promise<Columns> {
    return (await this.ask({ what: 'columns', table }, [])) ?? new Map();
  }

  answered(id: number, columns: Columns | null): void {
    this.taken(id)?.resolve(columns);
  }

  refused(id: number, error: string): void {
    this.taken(id)?.reject(new Error(error));
  }

  private ask(ask: AskClickHouse, moved: readonly ArrayBuffer[]): Promise<Columns | null> {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      tell({ type: 'clickHouse', id, ask }, moved);
    });
  }

  private taken(id: number): Waiting | undefined {
    const found = this.waiting.get(id);
    this.waiting.delete(id);
    return found;
  }
}

const { dataDir, index, of, settings } = workerData as FoldTask;
const share = { index, of };
const folder = await GuestFolder.open(dataDir, share);
const clickhouse = new DistantClickHouse();
const fold = await FoldHere.start(
  {
    log: folder.log,
    codecs: folder.codecs,
    openStateStore: (name) => folder.openStateStore(name),
    sink: new ClickHouseFigureSink(new RowEncoder(clickhouse)),
    warn: (text) => tell({ type: 'warning', text }),
    share,
  },
  settings,
);
const reporting = setInterval(() => tell({ type: 'state', state: fold.state() }), STATE_MS);

port.on('message', (message: ToFoldThread) => {
  switch (message.type) {
    case 'answer':
      clickhouse.answered(message.id, message.columns);
      return;
    case 'refusal':
      clickhouse.refused(message.id, message.error);
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

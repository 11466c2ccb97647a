/** What a thread that folds and the thread that has ClickHouse tell each other. */
import type { FigureRow } from '#pipeline';
import type { FoldSettings, FoldState } from './folding.js';

/** With what a thread is started. */
export interface FoldTask {
  readonly dataDir: string;
  /** Of `of` threads, the one that folds the partitions p with p mod `of` = `index`. */
  readonly index: number;
  readonly of: number;
  readonly settings: FoldSettings;
}

export type ToFoldThread =
  | { readonly type: 'stored'; readonly id: number; readonly error: string | null }
  | { readonly type: 'finish' }
  | { readonly type: 'stop'; readonly keepsStates: boolean };

export type FromFoldThread =
  | { readonly type: 'started' }
  | { readonly type: 'state'; readonly state: FoldState }
  | { readonly type: 'rows'; readonly id: number; readonly rows: readonly FigureRow[] }
  | { readonly type: 'warning'; readonly text: string };

/** What a thread that folds and the thread that has ClickHouse tell each other. */
import type { EncodedInsert } from '#clickhouse';
import type { FoldSettings, FoldState } from './folding.js';

/** With what a thread is started. */
export interface FoldTask {
  readonly dataDir: string;
  /** Of `of` threads, the one that folds the partitions p with p mod `of` = `index`. */
  readonly index: number;
  readonly of: number;
  readonly settings: FoldSettings;
}

/** What a thread asks of ClickHouse; every question has an id. */
export type AskClickHouse =
  | { readonly what: 'insert'; readonly insert: EncodedInsert }
  | { readonly what: 'columns'; readonly table: string };

export type ToFoldThread =
  | { readonly type: 'answer'; readonly id: number; readonly columns: ReadonlyMap<string, string> | null }
  | { readonly type: 'refusal'; readonly id: number; readonly error: string }
  | { readonly type: 'finish' }
  | { readonly type: 'stop'; readonly keepsStates: boolean };

export type FromFoldThread =
  | { readonly type: 'started' }
  | { readonly type: 'state'; readonly state: FoldState }
  | { readonly type: 'clickHouse'; readonly id: number; readonly ask: AskClickHouse }
  | { readonly type: 'warning'; readonly text: string };

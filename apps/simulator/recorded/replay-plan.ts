/** What a replay is told, what it writes to, and what it says. */
import type { SourceTouchpoint } from '#domain';
import type { DeadLetterCodec, Log, LogCodec } from '#pipeline';
import type { RulesWish } from './replay-log.js';
import type { ReadingOptions, SequencingOptions, SourceFile } from './replay-options.js';
import type { PaceClock, ReplaySpeed } from './replay-pace.js';
import type { SequenceCounts } from './row-judge.js';
import type { SortedRows, SortProgress } from './sorted-rows.js';

export interface ReplayPlan {
  readonly files: readonly SourceFile[];
  readonly reading: ReadingOptions;
  readonly sequencing: SequencingOptions;
  readonly wish: RulesWish;
  readonly speed: ReplaySpeed;
  /** Replaces person ids; null keeps those of the files. */
  readonly pseudonyms: {
    readonly pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint;
    readonly keyHash: string;
  } | null;
  /** For what memory does not hold; removed at the end. */
  readonly sortDirectory: string;
  readonly runRowsMax?: number;
  /** Rows per transaction. */
  readonly batchRowsMax?: number;
  readonly clock?: PaceClock;
}

export interface ReplayTarget {
  readonly log: Log;
  readonly logCodec: LogCodec;
  readonly deadLetterCodec: DeadLetterCodec;
  /** UUID for a log that is new. */
  readonly newLogId: string;
}

export type ReplayProgress =
  | ({ readonly phase: 'read' } & SortProgress)
  | { readonly phase: 'write'; readonly rowsDone: number; readonly rows: number; readonly at: number };

export interface ReplayObserver {
  /**
   * The log is set up, and nothing of this run has been written: who folds live may start.
   * @param rows   that there are, those of former runs included
   */
  readonly ready?: (rows: number) => Promise<void>;
  readonly progress?: (progress: ReplayProgress) => void;
  /** Of a row that cannot be read, and of one that admission refuses. */
  readonly reject?: (source: string, row: number, reason: string, detail: string) => void;
}

export interface ReplayReport {
  /** Group under which the position is kept. */
  readonly group: string;
  /** `unchanged`: this replay had been written to its end before. `stopped`: a signal came; go on by the same replay. */
  readonly status: 'replayed' | 'resumed' | 'unchanged' | 'stopped';
  readonly rowsRead: number;
  readonly rejected: SortedRows['rejected'];
  readonly ignored: SortedRows['ignored'];
  readonly counts: SequenceCounts;
}

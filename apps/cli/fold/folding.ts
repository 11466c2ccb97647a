/** As the running services are called, so that they go on where a replay has stopped and the other way round. */
export const RELATIONSHIP_GROUP = 'relationship';
export const ARCHIVE_GROUP = 'archive';
export const INTAKE_GROUP = 'intake';

/** Where a fold stands. */
export interface FoldState {
  /** Next offset to fold, by partition. A partition whose states are being opened is missing. */
  readonly positions: ReadonlyMap<number, number>;
  /** Rows that ClickHouse has not acknowledged. */
  readonly rowsLeft: number;
  /** After `finish`: all of the log is folded, and ClickHouse has acknowledged every row of it. */
  readonly isFinished: boolean;
  /** Why it has given up; null while it has not. */
  readonly failure: string | null;
}

/** Somebody who folds the relationship log, here or in other threads. */
export interface Folding {
  state(): FoldState;
  /**
   * Nothing more comes to the log: what has changed becomes rows as soon as all is folded, not when their interval is
   * over. Returns at once; `state` says when ClickHouse has them.
   */
  finish(): void;
  /**
   * @param keepsStates   false: at once. What was folded since the last checkpoint is folded again by whoever goes
   *   on, as after a kill; writing it down would take longer than a person waits who has pressed Ctrl-C.
   */
  stop(keepsStates: boolean): Promise<void>;
}

export interface FoldSettings {
  /** Somebody looks at the figures while they move: rows are written at once. */
  readonly isWatched: boolean;
  /** Decoded states kept in memory per partition. */
  readonly cachedStatesMax: number;
  readonly outboxRowsMax: number;
  readonly batchRecordsMax: number;
}

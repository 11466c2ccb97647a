export interface RelationshipSettings {
  /** Rows of the outbox per insert. */
  readonly rowsPerInsertMax: number;
  /**
   * A partition whose outbox holds more rows than this stops reading until the sink has caught up. A row takes
   * about 500 bytes of memory, and as much in the store.
   */
  readonly outboxRowsMax: number;
  /** How often changed figures become rows when the partition has caught up, ms. */
  readonly flushIntervalMs: number;
  /** The same while it is catching up: rows of one key then replace each other before they are sent. */
  readonly catchUpFlushIntervalMs: number;
  /** How often corrections to closed window ends are written, ms. */
  readonly correctionIntervalMs: number;
  /** How often the store is brought up to date, ms; bounds what a restart has to fold again. */
  readonly checkpointIntervalMs: number;
  /** It comes earlier when so many records have been folded since the last: a restart folds them again. */
  readonly checkpointRecordsMax: number;
  /**
   * A checkpoint comes earlier when this many states wait for it. It is one synchronous write, so this bounds
   * how long the process stands still; smaller makes no write rarer, since beyond some thousand states nearly
   * every one of them is another person.
   */
  readonly dirtyStatesMax: number;
  /** How long a partition that leaves this member tries to send its rows; the rest goes with its store, ms. */
  readonly drainMs: number;
  /** How often each partition gets a snapshot, where there is a place for them, ms. */
  readonly snapshotIntervalMs: number;
  /** It gets one earlier when so many records have been folded since the last: a restore folds them again. */
  readonly snapshotRecordsMax: number;
  /** How many snapshots of a partition stay. */
  readonly snapshotsKept: number;
}

export const DEFAULT_RELATIONSHIP_SETTINGS: RelationshipSettings = {
  rowsPerInsertMax: 10_000,
  outboxRowsMax: 250_000,
  flushIntervalMs: 1_000,
  catchUpFlushIntervalMs: 10_000,
  correctionIntervalMs: 10_000,
  checkpointIntervalMs: 20_000,
  checkpointRecordsMax: 50_000,
  dirtyStatesMax: 20_000,
  drainMs: 1_500,
  snapshotIntervalMs: 300_000,
  snapshotRecordsMax: 100_000,
  snapshotsKept: 2,
};

/** A fold that runs through months between two flushes would pile up window ends: a flush comes earlier then. */
export const WINDOW_PAGES_MORE_MAX = 4_096;

/** A fold that has closed so many window ends ends, so that their rows can leave before there are more. */
export const WINDOW_ROWS_DUE_MAX = 50_000;

/**
 * The import of recorded data beside what a log has already: everything is read and sorted by person, then written in
 * small transactions, each with the number of rows done. No tick is written: time is the log's own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AdmissionLimits, SourceTouchpoint } from '#domain';
import {
  commitTransaction,
  type Log,
  type LogCodec,
  type OutgoingRecord,
  type TransactionalWriter,
} from '#pipeline';
import { ImportPace, type LiveLag, type PaceState } from './import-pace.js';
import { ImportThrottle } from './import-throttle.js';
import { compareBySubject, type RecordedRow } from './recorded-row.js';
import { recordedGroup } from './replay-identity.js';
import { timeOfAll } from './replay-log.js';
import type { ReadingOptions, SequencingOptions, SourceFile } from './replay-options.js';
import { WALL_CLOCK, type PaceClock } from './replay-pace.js';
import { NothingToReplayError } from './replay.js';
import { REPLAY_POSITION } from './replay-run.js';
import { RowJudge, type AcceptedRow, type SequenceCounts } from './row-judge.js';
import { sortRows, type SortedRows, type SortProgress } from './sorted-rows.js';

/** Rows of one transaction at most: those that are refused are not written, and have to be counted too. */
const BATCH_ROWS_MAX = 5_000;

export interface ImportPlan {
  readonly files: readonly SourceFile[];
  readonly reading: ReadingOptions;
  readonly sequencing: SequencingOptions;
  /** As intake judges. */
  readonly limits: AdmissionLimits;
  /** Replaces person ids; null where they stay, or where intake does it. */
  readonly pseudonyms: {
    readonly pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint;
    readonly keyHash: string;
  } | null;
  /** Records per second at most; Infinity for no cap. */
  readonly rateMax: number;
  /** Records that the live path may have still to go through. */
  readonly lagMax: number;
  /** For what memory does not hold; removed at the end. */
  readonly sortDirectory: string;
  readonly runRowsMax?: number;
  readonly clock?: PaceClock;
}

export interface ImportTarget {
  readonly log: Log;
  readonly logCodec: LogCodec;
  /** Of the live path beside the import; null where nobody is live, and so nobody makes time pass. */
  readonly liveLag: (() => Promise<LiveLag>) | null;
  /** What is written of a row that intake would admit. */
  recordOf(accepted: AcceptedRow): OutgoingRecord;
}

export type ImportProgress =
  | ({ readonly phase: 'read' } & SortProgress)
  | ({ readonly phase: 'write'; readonly rowsDone: number; readonly rows: number } & PaceState);

export interface ImportObserver {
  /**
   * The log can be imported into, and nothing of this run has been written.
   * @param rows   that there are, those of former runs included
   */
  readonly ready?: (rows: number) => Promise<void>;
  readonly progress?: (progress: ImportProgress) => void;
  readonly reject?: (source: string, row: number, reason: string, detail: string) => void;
}

export interface ImportReport {
  /** Group under which the position is kept. */
  readonly group: string;
  readonly status: 'imported' | 'resumed' | 'unchanged' | 'stopped';
  readonly rowsRead: number;
  readonly rejected: SortedRows['rejected'];
  readonly ignored: SortedRows['ignored'];
  readonly counts: SequenceCounts;
}

/** The log has no time yet: what is imported would be folded as if it lay ahead. */
export class NoTimeYetError extends Error {
  override readonly name = 'NoTimeYetError';
}

/** Nobody makes time pass in this log, and the files reach beyond it. */
export class AheadOfLogError extends Error {
  override readonly name = 'AheadOfLogError';
  constructor(lastAt: number, time: number) {
    super(
      `the files go on to ${new Date(lastAt).toISOString()}, but this log is at ${new Date(time).toISOString()}, and ` +
        'an import moves no time: bring in by `gravity replay` what is newer, and import what is older',
    );
  }
}

/**
 * @param openTarget   called once everything has been read and sorted: before that nothing is touched
 * @throws UnreadableFileError | MissingColumnError | NothingToReplayError   before anything is written
 * @throws NoTimeYetError | AheadOfLogError   before anything is written
 * @throws LivePathSilentError   what was sent stays; the same import goes on from there
 * @throws the signal's reason   aborted while the files were read: nothing is written then either
 * @throws OwnershipLostError   another process imports the same files
 */
export async function importRows(
  plan: ImportPlan,
  openTarget: () => Promise<ImportTarget>,
  observer: ImportObserver,
  signal: AbortSignal,
): Promise<ImportReport> {
  const clock = plan.clock ?? WALL_CLOCK;
  const { files, reading, sequencing, sortDirectory: directory, limits, runRowsMax } = plan;
  const rows = await sortRows({
    ...{ files, options: reading, brand: sequencing.brand, directory, signal },
    latestAt: clock.now() + limits.aheadMaxMs,
    compare: compareBySubject,
    ...(runRowsMax === undefined ? {} : { runRowsMax }),
    onProgress: (progress) => observer.progress?.({ phase: 'read', ...progress }),
    onReject: (source, row, reason, detail) => observer.reject?.(source, row, reason, detail),
  });
  try {
    if (rows.rows === 0) throw new NothingToReplayError(rows, 'imported');
    const keyHash = plan.pseudonyms?.keyHash ?? null;
    const group = recordedGroup('import', rows.contentHash, reading, sequencing, keyHash);
    const target = await openTarget();
    const writer = await target.log.writer(group, REPLAY_POSITION);
    try {
      return await new ImportRun(plan, target, observer, rows, group, writer, clock).run(signal);
    } finally {
      await writer.close();
    }
  } finally {
    rows.dispose();
  }
}

class ImportRun {
  private readonly judge: RowJudge;
  private readonly pace: ImportPace;
  private records: OutgoingRecord[] = [];
  private committed = 0;

  constructor(
    private readonly plan: ImportPlan,
    private readonly target: ImportTarget,
    private readonly observer: ImportObserver,
    private readonly rows: SortedRows,
    private readonly group: string,
    private readonly writer: TransactionalWriter,
    clock: PaceClock,
  ) {
    const { sequencing, files, limits, rateMax, lagMax } = plan;
    this.judge = new RowJudge({
      ...sequencing,
      sourceNames: files.map(({ name }) => name),
      origin: 'BACKFILL',
      limits,
      pseudonymise: plan.pseudonyms?.pseudonymise ?? ((event) => event),
      arrivedAt: clock.now,
    });
    const isAlone = target.liveLag === null;
    const throttle = new ImportThrottle({ rateMax, lagMax: isAlone ? Infinity : lagMax });
    this.pace = new ImportPace(throttle, target.liveLag, clock);
  }

  /** The position counts the rows done, and one more for the end. */
  async run(signal: AbortSignal): Promise<ImportReport> {
    const done = await this.target.log.committed(this.group, REPLAY_POSITION);
    const { rowsRead, rejected, ignored } = this.rows;
    const isFinished = done !== null && done > this.rows.rows;
    if (!isFinished) await this.assertTime();
    await this.observer.ready?.(this.rows.rows);
    this.committed = done ?? 0;
    const isWhole = await this.write(signal);
    const written = done === null ? 'imported' : 'resumed';
    const status = isFinished ? 'unchanged' : isWhole ? written : 'stopped';
    return { group: this.group, status, rowsRead, rejected, ignored, counts: this.judge.counts() };
  }

  private async assertTime(): Promise<void> {
    const { log, logCodec, liveLag } = this.target;
    const time = await timeOfAll(log, logCodec);
    if (time === null) throw new NoTimeYetError('no time has passed in this log yet');
    const { lastAt } = this.rows;
    if (liveLag !== null || lastAt === null || lastAt <= time + this.plan.limits.aheadMaxMs) return;
    throw new AheadOfLogError(lastAt, time);
  }

  /** Answers false when it was stopped before the end. */
  private async write(signal: AbortSignal): Promise<boolean> {
    const done = this.committed;
    let index = 0;
    for (const row of this.rows.inOrder()) {
      index += 1;
      const accepted = this.acceptedOf(row);
      // Walked over without a trace, so that the counts are of the whole.
      if (index <= done) continue;
      for (const one of accepted) this.records.push(this.target.recordOf(one));
      const isFull = this.records.length >= this.pace.pieceMax || index - this.committed >= BATCH_ROWS_MAX;
      if (isFull && !(await this.commit(index, signal))) return false;
    }
    return done > this.rows.rows || (await this.commit(this.rows.rows + 1, signal));
  }

  /** What intake would refuse is not sent: a bad file shall not stop the topic that live traffic comes by. */
  private acceptedOf(row: RecordedRow): readonly AcceptedRow[] {
    const accepted: AcceptedRow[] = [];
    for (const judged of this.judge.judge(row)) {
      if (judged.type === 'touchpoint') accepted.push(judged);
      else {
        const name = this.plan.files[row.source]?.name ?? '';
        this.observer.reject?.(name, row.row, judged.reason, judged.detail);
      }
    }
    return accepted;
  }

  private async commit(position: number, signal: AbortSignal): Promise<boolean> {
    const { records, rows } = this;
    this.records = [];
    const report = (rowsDone: number): void =>
      this.observer.progress?.({ phase: 'write', rowsDone, rows: rows.rows, ...this.pace.state() });
    if (!(await this.pace.pass(records.length, signal, () => report(this.committed)))) return false;
    await commitTransaction(this.target.log, this.writer, this.group, records, {
      ...REPLAY_POSITION,
      offset: position,
    });
    this.committed = position;
    report(Math.min(position, rows.rows));
    // Who folds and archives beside this has a turn; the embedded log itself waits for nothing.
    await nextTurn();
    return true;
  }
}

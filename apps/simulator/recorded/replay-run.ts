/** Sorted rows into the log, in batches of one transaction each, from where the same replay stopped. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AdmissionLimits } from '#domain';
import { commitTransaction, TOPICS, type OutgoingRecord, type TransactionalWriter } from '#pipeline';
import type { RecordedRow } from './recorded-row.js';
import { OlderThanLogError, prepareLog, type LogState } from './replay-log.js';
import { ReplayPace, type PaceClock } from './replay-pace.js';
import type { ReplayObserver, ReplayPlan, ReplayReport, ReplayTarget } from './replay-plan.js';
import { inEveryPartition, recordsOf, type PartitionCounts } from './replay-records.js';
import { ReplaySequencer, type Sequenced } from './replay-sequencer.js';
import type { SortedRows } from './sorted-rows.js';

const BATCH_ROWS_MAX = 5_000;
/** A paced replay commits what it has before it waits longer than this, ms. */
const WAIT_UNCOMMITTED_MS = 50;
/** Where the position is committed: Kafka keeps none for a topic that does not exist. */
export const REPLAY_POSITION = { topic: TOPICS.intakeProgress, partition: 0 } as const;

export class ReplayRun {
  private records: OutgoingRecord[] = [];
  private partitions: PartitionCounts = { relationshipLog: 0, deadLetters: 0 };

  constructor(
    private readonly plan: ReplayPlan,
    private readonly target: ReplayTarget,
    private readonly observer: ReplayObserver,
    private readonly rows: SortedRows,
    private readonly group: string,
    private readonly writer: TransactionalWriter,
    private readonly limits: AdmissionLimits,
    private readonly clock: PaceClock,
  ) {}

  /** The position counts the rows done, and one more for the end. */
  async run(signal: AbortSignal): Promise<ReplayReport> {
    const { log, logCodec } = this.target;
    const done = await log.committed(this.group, REPLAY_POSITION);
    this.partitions = {
      relationshipLog: (await log.ends(TOPICS.relationshipLog)).length,
      deadLetters: (await log.ends(TOPICS.deadLetters)).length,
    };
    const setup = { newLogId: this.target.newLogId, now: this.clock.now };
    const state = await prepareLog(log, logCodec, this.plan.wish, this.rows.lastAt, done !== null, setup);
    const finished = done !== null && done > this.rows.rows;
    if (!finished) this.assertNewer(state, done ?? 0);
    if (done === null) await this.begin(state);
    await this.observer.ready?.(this.rows.rows);

    const sequencer = this.sequencer(state);
    const stopped = await this.write(sequencer, done ?? 0, finished, signal);
    const status = finished ? 'unchanged' : stopped ? 'stopped' : done === null ? 'replayed' : 'resumed';
    const { rowsRead, rejected, ignored } = this.rows;
    return { group: this.group, status, rowsRead, rejected, ignored, counts: sequencer.counts() };
  }

  private sequencer(state: LogState): ReplaySequencer {
    return new ReplaySequencer({
      ...this.plan.sequencing,
      sourceNames: this.plan.files.map(({ name }) => name),
      rules: state.rules,
      lastTickAt: state.watermark,
      limits: this.limits,
      pseudonymise: this.plan.pseudonyms?.pseudonymise ?? ((event) => event),
      now: this.clock.now,
    });
  }

  /** @throws OlderThanLogError   the first event that would be written lies before the log's time */
  private assertNewer(state: LogState, done: number): void {
    if (state.watermark === null) return;
    const sequencer = this.sequencer(state);
    let index = 0;
    for (const row of this.rows.inOrder()) {
      index++;
      if (index <= done) continue;
      const event = sequencer.next(row).find(({ type }) => type === 'touchpoint');
      if (event === undefined) continue;
      if (event.at < state.watermark) throw new OlderThanLogError(event.at, state.watermark);
      return;
    }
  }

  private async begin(state: LogState): Promise<void> {
    if (state.newRules !== null) {
      const rulesSet = {
        type: 'rulesSet',
        rulesJson: JSON.stringify(state.newRules),
        arrivedAt: this.clock.now(),
      } as const;
      this.records = inEveryPartition(rulesSet, this.target.logCodec, this.partitions);
    }
    await this.commit(0);
  }

  /** Answers true when it was stopped before the end. */
  private async write(
    sequencer: ReplaySequencer,
    done: number,
    finished: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const pace = new ReplayPace(this.plan.speed, this.clock);
    const batchRowsMax = this.plan.batchRowsMax ?? BATCH_ROWS_MAX;
    let index = 0;
    let committed = done;
    for (const row of this.rows.inOrder()) {
      index++;
      if (index <= done || finished) {
        // Walked over without a trace, so that what follows is what would have followed.
        this.tellRejects(row, sequencer.next(row));
        continue;
      }
      const waitMs = pace.dueInMs(row.at);
      // Only whole rows are committed, so the wait comes before the first entry of a row.
      if (waitMs > WAIT_UNCOMMITTED_MS && index - 1 > committed) {
        committed = await this.commitRows(index - 1, row.at);
      }
      await pace.wait(waitMs, signal);
      if (signal.aborted) {
        await this.commitRows(index - 1, row.at);
        return true;
      }
      const items = sequencer.next(row);
      this.tellRejects(row, items);
      for (const item of items) this.records.push(...recordsOf(item, this.target, this.partitions));
      if (index - committed >= batchRowsMax) committed = await this.commitRows(index, row.at);
    }
    if (finished) return false;
    for (const item of sequencer.end()) this.records.push(...recordsOf(item, this.target, this.partitions));
    await this.commitRows(this.rows.rows + 1, sequencer.counts().lastAt ?? 0);
    return false;
  }

  private tellRejects(row: RecordedRow, items: readonly Sequenced[]): void {
    for (const item of items) {
      if (item.type !== 'reject') continue;
      const name = this.plan.files[row.source]?.name ?? '';
      this.observer.reject?.(name, row.row, item.reason, item.detail);
    }
  }

  private async commitRows(position: number, at: number): Promise<number> {
    await this.commit(position);
    const rows = this.rows.rows;
    this.observer.progress?.({ phase: 'write', rowsDone: Math.min(position, rows), rows, at });
    return position;
  }

  private async commit(position: number): Promise<void> {
    const records = this.records;
    this.records = [];
    await commitTransaction(this.target.log, this.writer, this.group, records, {
      ...REPLAY_POSITION,
      offset: position,
    });
    // Who folds and archives beside this has a turn; the embedded log itself waits for nothing.
    await nextTurn();
  }
}

import type { IntakeProgressView } from './intake-progress-view.js';
import {
  CommitUnknownError,
  OwnershipLostError,
  type Assignment,
  type BatchControl,
  type RecordBatch,
  type TopicPartition,
  type TransactionalWriter,
} from './log.js';
import { nextTicks } from './next-ticks.js';
import {
  openPartition,
  type OpenedPartition,
  type OpenPorts,
  type PartitionOrigin,
} from './open-partition.js';
import type { PumpReport } from './outbox.js';
import type { PartitionState } from './partition-state.js';
import { processBatch, tickRecord, type BatchPorts, type BatchReport } from './process-batch.js';
import type { RelationshipSettings } from './relationship-settings.js';
import { RowPump } from './row-pump.js';
import type { FigureSink } from './rows.js';
import { SerialQueue } from './serial-queue.js';
import type { SnapshotObserver, SnapshotTaker } from './snapshot-taker.js';
import type { FrozenPartition } from './state-store.js';

export interface RelationshipPorts extends Omit<BatchPorts, 'writer'>, OpenPorts {
  readonly sink: FigureSink;
  /** Bounds the ticks. Null: the ticks are in the log already, nobody here may move time on. */
  readonly progress: Pick<IntakeProgressView, 'readTo'> | null;
}

/** Told what happens, for metrics and logs. */
export interface RelationshipObserver {
  opened(input: TopicPartition, state: PartitionState, opening: Opening): void;
  batch(input: TopicPartition, report: BatchReport, lag: number, state: PartitionState): void;
  pumped(input: TopicPartition, report: PumpReport, outboxRows: number): void;
  checkpointed(input: TopicPartition, durationMs: number): void;
  closed(input: TopicPartition): void;
  readonly snapshots: SnapshotObserver;
}

/** Where the state came from, and how long that took. */
export interface Opening extends PartitionOrigin {
  readonly durationMs: number;
}

export interface OwnedParts {
  readonly ports: RelationshipPorts;
  readonly settings: RelationshipSettings;
  readonly observer: RelationshipObserver;
  /** Null where no snapshots are taken. */
  readonly snapshots: SnapshotTaker | null;
  /** Null where nobody can be told of a loss outside of a batch. */
  readonly assignment: Assignment | null;
}

/** Records behind the end of the log from which on a partition counts as catching up. */
const CATCHING_UP_RECORDS = 20_000;
/** Ticks appended at once; after a long standstill there is one for every midnight of it. */
const TICKS_PER_APPEND_MAX = 100;
/** How long a checkpoint waits for the rows that could spare the store, ms. */
const ROWS_FIRST_MS = 1_000;
/** States are encoded between two batches when this part of the way to the next checkpoint lies behind, */
const AHEAD_FROM = 0.8;
/** so many at a time: some milliseconds. */
const STATES_AHEAD = 250;
/** Its multiples, without what is before the point, lie well spread however many there are. */
const GOLDEN_RATIO = 0.618_034;

/** One partition of the relationship log in the hands of this member, from its assignment to its end. */
export class OwnedPartition {
  /** Batches and ticks share one writer, whose commits come one after the other. */
  readonly #commits = new SerialQueue();
  readonly #rows: RowPump;
  #loss: OwnershipLostError | null = null;
  #isClosed = false;
  #lag: number;
  /** Time of the last tick appended here; it may not have been read back yet. */
  #tickedTo: number;
  /** Ticks that may be in the log or not: a gap would be crossed by the next one, so they are appended again. */
  #unansweredTicks: readonly number[] = [];
  /** Where the partition stood when a tick was appended for those who are still due. */
  #continuedAt = -1;
  #flushedAt: number;
  #correctedAt: number;
  #checkpointedAt: number;
  /** Rows that are on their way to the sink before a checkpoint. */
  #rowsFirst: { readonly since: number; isDone: boolean } | null = null;

  private constructor(
    readonly input: TopicPartition,
    private readonly opened: OpenedPartition,
    private readonly batchPorts: BatchPorts & { readonly writer: TransactionalWriter },
    private readonly parts: OwnedParts,
  ) {
    const { ports, settings, observer } = parts;
    this.#rows = new RowPump(opened.state.outbox, ports.sink, settings, ports.now, (report, left) =>
      observer.pumped(input, report, left),
    );
    const now = ports.now();
    this.#lag = Math.max(0, opened.end - opened.state.position);
    this.#tickedTo = opened.state.frame.watermark;
    this.#flushedAt = now;
    this.#correctedAt = now;
    // Partitions that were opened together must not stand still together.
    this.#checkpointedAt = now - settings.checkpointIntervalMs * ((input.partition * GOLDEN_RATIO) % 1);
  }

  /** @throws ForeignLogError */
  static async open(input: TopicPartition, parts: OwnedParts): Promise<OwnedPartition> {
    const { ports, observer } = parts;
    const startedAt = ports.now();
    // Opening the writer fences a former owner; only then is the committed position final.
    const writer = await ports.log.writer(ports.group, input);
    try {
      const opened = await openPartition(input, ports);
      const owned = new OwnedPartition(input, opened, { ...ports, writer }, parts);
      observer.opened(input, opened.state, { ...opened.origin, durationMs: ports.now() - startedAt });
      return owned;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  get state(): PartitionState {
    return this.opened.state;
  }

  /** False once it has been lost or closed: its memory is worthless. */
  get isHeld(): boolean {
    return !this.#isClosed;
  }

  /** All of the batch is folded and committed when this resolves. @throws OwnershipLostError */
  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    for (const part of splitAt(batch, this.state.mutedTo)) {
      do {
        const report = await this.#commit(() =>
          processBatch(part, this.state, this.batchPorts, () => control.heartbeat()),
        );
        if (report.continued) this.#continuedAt = this.state.position;
        this.#lag = Math.max(0, part.endOffset - this.state.position);
        this.parts.observer.batch(this.input, report, this.#lag, this.state);
        await control.heartbeat();
        this.#assertHeld();
        this.#maintainStore();
        await this.#rows.waitForRoom(control);
      } while (this.state.position < part.nextOffset);
    }
  }

  /** What time alone asks for: rows, checkpoints, ticks. */
  async maintain(): Promise<void> {
    if (this.#isClosed) return;
    this.#maintainStore();
    // Not awaited: nothing waits for a snapshot.
    void this.parts.snapshots?.maintain(this);
    await this.#tick();
  }

  get partition(): number {
    return this.input.partition;
  }

  get position(): number {
    return this.state.position;
  }

  freeze(): FrozenPartition | null {
    return this.state.freeze();
  }

  /** What has changed becomes rows and is sent now, whatever the intervals say. Never rejects. */
  async flush(): Promise<void> {
    if (this.#isClosed) return;
    this.#flush(true, this.parts.ports.now());
    await this.#rows.sendAll();
  }

  /** The partition leaves this member in good order. */
  async leave(): Promise<void> {
    if (this.#isClosed) return;
    try {
      this.state.checkpoint();
      await this.#rows.drain();
    } finally {
      await this.close();
    }
  }

  /** Drops the partition's memory as it is. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rows.stop();
    this.state.close();
    this.parts.snapshots?.forget(this.partition);
    this.parts.observer.closed(this.input);
    await this.batchPorts.writer.close();
  }

  #maintainStore(): void {
    const { settings, ports } = this.parts;
    const now = ports.now();
    const isCatchingUp = this.#lag > CATCHING_UP_RECORDS;
    const flushEvery = isCatchingUp ? settings.catchUpFlushIntervalMs : settings.flushIntervalMs;
    // All partitions at about the same instants: what they write then goes into the same inserts.
    if (this.state.isFull || isNextStep(this.#flushedAt, now, flushEvery)) {
      const corrections = isNextStep(this.#correctedAt, now, settings.correctionIntervalMs);
      this.#flush(corrections, now);
      // Not awaited: no batch waits for a sink.
      void this.#rows.sendAll();
    }
    // Of the way to the next checkpoint, whatever brings it.
    const passed = Math.max(
      share(now - this.#checkpointedAt, settings.checkpointIntervalMs),
      share(this.state.recordsSinceCheckpoint, settings.checkpointRecordsMax),
      share(this.state.dirtyStates, settings.dirtyStatesMax),
    );
    // All states at once would be most of the time for which the process stands still.
    if (passed >= AHEAD_FROM) this.state.prepareCheckpoint(STATES_AHEAD);
    if (passed >= 1) this.#checkpoint(now);
  }

  #flush(corrections: boolean, now: number): void {
    this.state.flush(corrections);
    this.#flushedAt = now;
    if (corrections) this.#correctedAt = now;
  }

  /**
   * Rows that the sink has need not go through the store, which would cost more than the states do: they are sent
   * first, and the checkpoint waits for them a little.
   */
  #checkpoint(now: number): void {
    const { settings, ports, observer } = this.parts;
    if (this.#rowsFirst === null) {
      this.#flush(true, now);
      const rows = { since: now, isDone: this.state.outbox.size === 0 };
      this.#rowsFirst = rows;
      void this.#rows.sendAll().then(() => (rows.isDone = true));
    }
    const { since, isDone } = this.#rowsFirst;
    const isUrgent = this.state.dirtyStates >= 2 * settings.dirtyStatesMax || now - since >= ROWS_FIRST_MS;
    if (!isDone && !isUrgent) return;
    this.#rowsFirst = null;
    const started = ports.now();
    const isWritten = this.state.checkpoint();
    this.#checkpointedAt = ports.now();
    if (isWritten) observer.checkpointed(this.input, this.#checkpointedAt - started);
  }

  async #tick(): Promise<void> {
    const { state, input, batchPorts } = this;
    const { at, isContinuation } = this.#ticksDue();
    const last = at.at(-1);
    if (last === undefined) return;
    const { position } = state;
    const records = at.map((instant) => tickRecord(input, instant, batchPorts));
    try {
      await this.#commit(() => batchPorts.writer.commit({ records, positions: [] }));
    } catch (error) {
      // Revoked in the meantime: the next owner appends them.
      if (this.#isClosed && this.#loss === null) return;
      // Nobody else tells the consumer: silence may be all that comes on this partition.
      if (error instanceof OwnershipLostError) this.parts.assignment?.lost(error);
      if (error instanceof CommitUnknownError) this.#unansweredTicks = at;
      throw error;
    }
    this.#unansweredTicks = [];
    if (isContinuation) this.#continuedAt = position;
    else this.#tickedTo = last;
  }

  /** The instants of the ticks to be appended now; of one time again where persons are still due. */
  #ticksDue(): { readonly at: readonly number[]; readonly isContinuation: boolean } {
    const { state } = this;
    const { rules, watermark, logId } = state.frame;
    // Behind the end there may be ticks that have not been read; far behind it they would only pile up.
    const isBehind = state.position < this.opened.end || this.#lag > CATCHING_UP_RECORDS;
    if (isBehind || rules === null || logId === null) return { at: [], isContinuation: false };
    if (state.moreDue && this.#lag === 0 && this.#continuedAt !== state.position) {
      return { at: [watermark], isContinuation: true };
    }
    const again = this.#unansweredTicks;
    if ((again.at(-1) ?? 0) > watermark) return { at: again, isContinuation: false };
    const readTo = this.parts.ports.progress?.readTo() ?? null;
    if (readTo === null) return { at: [], isContinuation: false };
    const ticks = nextTicks(rules, Math.max(watermark, this.#tickedTo), readTo);
    return { at: ticks.slice(0, TICKS_PER_APPEND_MAX), isContinuation: false };
  }

  /** One commit at a time; ownership lost means that the memory of the partition is worthless. */
  #commit<T>(work: () => Promise<T>): Promise<T> {
    return this.#commits.run(async () => {
      this.#assertHeld();
      try {
        return await work();
      } catch (error) {
        if (error instanceof OwnershipLostError) {
          this.#loss = error;
          await this.close();
        }
        throw error;
      }
    });
  }

  #assertHeld(): void {
    if (!this.#isClosed) return;
    const { topic, partition } = this.input;
    throw this.#loss ?? new OwnershipLostError(`${topic}-${partition} is not assigned here any more`);
  }
}

/** Whether a step of the clock lies between the two instants; always, where it has none. */
function isNextStep(before: number, now: number, stepMs: number): boolean {
  return stepMs === 0 || Math.floor(now / stepMs) > Math.floor(before / stepMs);
}

/** Of nothing, all. */
function share(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

/** A batch across the end of the muted stretch is folded in two parts. */
function splitAt(batch: RecordBatch, mutedTo: number): readonly RecordBatch[] {
  const first = batch.records[0];
  if (first === undefined || first.offset >= mutedTo || batch.nextOffset <= mutedTo) return [batch];
  const muted = batch.records.filter(({ offset }) => offset < mutedTo);
  const live = batch.records.filter(({ offset }) => offset >= mutedTo);
  return [
    { ...batch, records: muted, nextOffset: mutedTo },
    { ...batch, records: live },
  ];
}

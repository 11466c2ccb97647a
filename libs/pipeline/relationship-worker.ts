import { type IntakeProgressView } from './intake-progress-view.js';
import {
  OwnershipLostError,
  type BatchControl,
  type ConsumerHandler,
  type RecordBatch,
  type TopicPartition,
} from './log.js';
import { nextTicks } from './next-ticks.js';
import { openPartition, type OpenPorts } from './open-partition.js';
import { type PumpReport } from './outbox.js';
import { type PartitionState } from './partition-state.js';
import { processBatch, tickRecord, type BatchPorts, type BatchReport } from './process-batch.js';
import { type FigureSink } from './rows.js';
import { SerialQueue } from './serial-queue.js';

export interface RelationshipSettings {
  /** Rows of the outbox per insert. */
  readonly rowsPerInsertMax: number;
  /** A partition whose outbox holds more rows than this stops reading until the sink has caught up. */
  readonly outboxRowsMax: number;
  /** How often changed figures become rows when the partition has caught up, ms. */
  readonly flushIntervalMs: number;
  /** The same while it is catching up: rows of one key then replace each other before they are sent. */
  readonly catchUpFlushIntervalMs: number;
  /** How often corrections to closed window ends are written, ms. */
  readonly correctionIntervalMs: number;
  /** How often the store is brought up to date, ms; bounds what a restart has to fold again. */
  readonly checkpointIntervalMs: number;
  /** A checkpoint comes earlier when this many states wait for it. */
  readonly dirtyStatesMax: number;
  /** How long a partition that leaves this member tries to send its rows; the rest goes with its store, ms. */
  readonly drainMs: number;
}

export const DEFAULT_RELATIONSHIP_SETTINGS: RelationshipSettings = {
  rowsPerInsertMax: 10_000,
  outboxRowsMax: 1_000_000,
  flushIntervalMs: 1_000,
  catchUpFlushIntervalMs: 10_000,
  correctionIntervalMs: 10_000,
  checkpointIntervalMs: 10_000,
  dirtyStatesMax: 200_000,
  drainMs: 1_500,
};

export interface RelationshipPorts extends Omit<BatchPorts, 'writer'>, OpenPorts {
  readonly sink: FigureSink;
  /** Null: ticks are in the log already and nobody here may add any. */
  readonly progress: IntakeProgressView | null;
}

/** Told what happens, for metrics and logs. */
export interface RelationshipObserver {
  opened(input: TopicPartition, state: PartitionState): void;
  batch(input: TopicPartition, report: BatchReport, lag: number, state: PartitionState): void;
  pumped(input: TopicPartition, report: PumpReport, outboxRows: number): void;
  checkpointed(input: TopicPartition, durationMs: number): void;
  closed(input: TopicPartition): void;
}

interface Owned {
  readonly input: TopicPartition;
  readonly state: PartitionState;
  readonly ports: BatchPorts;
  /** Commits of one writer come one after the other: batches and ticks share it. */
  readonly commits: SerialQueue;
  lag: number;
  /** Time of the last tick appended here; it may not have been read back yet. */
  tickedTo: number;
  flushedAt: number;
  correctedAt: number;
  checkpointedAt: number;
}

/** Folds the partitions of the relationship log that this member owns. */
export class RelationshipWorker implements ConsumerHandler {
  readonly #owned = new Map<number, Owned>();

  constructor(
    private readonly ports: RelationshipPorts,
    private readonly settings: RelationshipSettings,
    private readonly observer: RelationshipObserver,
  ) {}

  async assigned(input: TopicPartition): Promise<number> {
    await this.#discard(input.partition);
    // Opening the writer fences a former owner; only then is the committed position final.
    const writer = await this.ports.log.writer(this.ports.group, input);
    try {
      const state = await openPartition(input, this.ports);
      const now = this.ports.now();
      this.#owned.set(input.partition, {
        input,
        state,
        ports: { ...this.ports, writer },
        commits: new SerialQueue(),
        lag: await this.#lagAt(input, state.position),
        tickedTo: state.frame.watermark,
        flushedAt: now,
        correctedAt: now,
        checkpointedAt: now,
      });
      this.observer.opened(input, state);
      return state.position;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const owned = this.#owned.get(batch.partition);
    if (owned === undefined)
      throw new OwnershipLostError(`${batch.topic}-${batch.partition} is not assigned here`);
    for (const part of splitAt(batch, owned.state.mutedTo)) {
      const report = await this.#guard(owned, () => processBatch(part, owned.state, owned.ports));
      owned.lag = Math.max(0, part.endOffset - part.nextOffset);
      this.observer.batch(owned.input, report, owned.lag, owned.state);
    }
    await control.heartbeat();
    this.#maintain(owned);
    await this.#waitForOutbox(owned, control);
  }

  async revoked(input: TopicPartition): Promise<void> {
    const owned = this.#owned.get(input.partition);
    if (owned === undefined) return;
    owned.state.checkpoint();
    await this.#drain(owned, this.settings.drainMs);
    await this.#discard(input.partition);
  }

  /** What time alone asks for: rows, checkpoints, ticks. To be called about once a second. */
  async maintainAll(): Promise<void> {
    for (const owned of [...this.#owned.values()]) {
      this.#maintain(owned);
      await this.#appendTicks(owned);
    }
  }

  /** The partitions that are folded here now. */
  states(): readonly PartitionState[] {
    return [...this.#owned.values()].map(({ state }) => state);
  }

  #maintain(owned: Owned): void {
    const { settings } = this;
    const now = this.ports.now();
    const catchingUp = owned.lag > CATCHING_UP_RECORDS;
    const flushEvery = catchingUp ? settings.catchUpFlushIntervalMs : settings.flushIntervalMs;
    if (now - owned.flushedAt >= flushEvery) {
      const corrections = now - owned.correctedAt >= settings.correctionIntervalMs;
      owned.state.flush(corrections);
      owned.flushedAt = now;
      if (corrections) owned.correctedAt = now;
      // Not awaited: no batch waits for a sink.
      void this.#pumpAll(owned);
    }
    const full = owned.state.dirtyStates >= settings.dirtyStatesMax;
    if (full || now - owned.checkpointedAt >= settings.checkpointIntervalMs) {
      owned.state.checkpoint();
      owned.checkpointedAt = this.ports.now();
      this.observer.checkpointed(owned.input, owned.checkpointedAt - now);
    }
  }

  async #pumpAll(owned: Owned): Promise<void> {
    for (;;) {
      const before = owned.state.outbox.size;
      const report = await this.#pump(owned);
      if (report.rows === 0 || before <= this.settings.rowsPerInsertMax) return;
    }
  }

  async #pump(owned: Owned): Promise<PumpReport> {
    const report = await owned.state.outbox.pump(
      this.ports.sink,
      this.settings.rowsPerInsertMax,
      this.ports.now,
    );
    if (report.rows > 0 || report.error !== null) {
      this.observer.pumped(owned.input, report, owned.state.outbox.size);
    }
    return report;
  }

  async #drain(owned: Owned, budgetMs: number): Promise<void> {
    const deadline = this.ports.now() + budgetMs;
    while (owned.state.outbox.size > 0 && this.ports.now() < deadline) {
      const report = await this.#pump(owned);
      if (report.error !== null) return;
      // Another pump is under way: let it finish.
      if (report.rows === 0) await pause(20);
    }
  }

  async #lagAt(input: TopicPartition, position: number): Promise<number> {
    const ends = await this.ports.log.ends(input.topic);
    const end = ends.find(({ partition }) => partition === input.partition)?.end ?? 0;
    return Math.max(0, end - position);
  }

  /** Backpressure: nothing is dropped and nothing grows without bound while the sink is away. */
  async #waitForOutbox(owned: Owned, control: BatchControl): Promise<void> {
    while (owned.state.outbox.size > this.settings.outboxRowsMax && !control.isStale()) {
      const report = await this.#pump(owned);
      await control.heartbeat();
      if (report.error !== null || report.rows === 0) await pause(500);
    }
  }

  async #appendTicks(owned: Owned): Promise<void> {
    const readTo = this.ports.progress?.readTo() ?? null;
    const { rules, watermark } = owned.state.frame;
    // While it is behind, ticks would only pile up at the end of the log.
    if (readTo === null || rules === null || owned.lag > CATCHING_UP_RECORDS) return;
    const ticks = nextTicks(rules, Math.max(watermark, owned.tickedTo), readTo);
    if (ticks.length === 0) return;
    const records = ticks.map((at) => tickRecord(owned.input, at, owned.ports));
    await this.#guard(owned, () => owned.ports.writer.commit({ records, positions: [] }));
    owned.tickedTo = ticks.at(-1) ?? owned.tickedTo;
  }

  /** One commit at a time; ownership lost means that the memory of the partition is worthless. */
  async #guard<T>(owned: Owned, work: () => Promise<T>): Promise<T> {
    try {
      return await owned.commits.run(work);
    } catch (error) {
      if (error instanceof OwnershipLostError) await this.#discard(owned.input.partition);
      throw error;
    }
  }

  async #discard(partition: number): Promise<void> {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    this.#owned.delete(partition);
    owned.state.close();
    this.observer.closed(owned.input);
    await owned.ports.writer.close();
  }
}

const CATCHING_UP_RECORDS = 20_000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
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

import { intakeBatch, progressRecord, type IntakePorts, type IntakeReport } from './intake-batch.js';
import {
  OwnershipLostError,
  type BatchControl,
  type ConsumerHandler,
  type OutgoingRecord,
  type RecordBatch,
  type TopicPartition,
  type TransactionalWriter,
} from './log.js';

/** Told what happens, for metrics and logs. */
export interface IntakeObserver {
  batch(input: TopicPartition, report: IntakeReport, lag: number): void;
}

interface OwnedSource {
  readonly input: TopicPartition;
  readonly writer: TransactionalWriter;
  /** Next offset to read. */
  position: number;
  /** Largest instant up to which this partition is known to have been read, ms. */
  readTo: number;
  eventTo: number | null;
}

/** Takes in the source partitions that this member owns. */
export class IntakeWorker implements ConsumerHandler {
  readonly #owned = new Map<string, OwnedSource>();
  /** Broker time of the last heartbeat: what is read to its end afterwards has been read up to then. */
  #heartbeatAt: number | null = null;

  constructor(
    private readonly ports: Omit<IntakePorts, 'writer'>,
    private readonly observer: IntakeObserver,
    private readonly now: () => number,
  ) {}

  async assigned(input: TopicPartition): Promise<number> {
    await this.#discard(input);
    const writer = await this.ports.log.writer(this.ports.group, input);
    const position = (await this.ports.log.committed(this.ports.group, input)) ?? 0;
    this.#owned.set(name(input), { input, writer, position, readTo: 0, eventTo: null });
    return position;
  }

  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const owned = this.#owned.get(name(batch));
    if (owned === undefined) throw new OwnershipLostError(`${name(batch)} is not assigned here`);
    const records = batch.records.filter(({ offset }) => offset >= owned.position);
    try {
      const report = await intakeBatch(
        { ...batch, records },
        { ...this.ports, writer: owned.writer },
        this.now,
      );
      owned.position = batch.nextOffset;
      owned.readTo = Math.max(owned.readTo, report.readTo ?? 0);
      owned.eventTo = report.eventTo === null ? owned.eventTo : Math.max(report.eventTo, owned.eventTo ?? 0);
      this.observer.batch(owned.input, report, Math.max(0, batch.endOffset - batch.nextOffset));
    } catch (error) {
      if (error instanceof OwnershipLostError) await this.#discard(batch);
      throw error;
    }
    await control.heartbeat();
  }

  async revoked(input: TopicPartition): Promise<void> {
    await this.#discard(input);
  }

  /**
   * Moves the progress of silent partitions on: whatever was appended before the last heartbeat (by broker
   * time) has been read, if the partition is read to its end now. To be called every second or two.
   */
  async heartbeat(): Promise<void> {
    const since = this.#heartbeatAt;
    const records: OutgoingRecord[] = [];
    for (const topic of new Set([...this.#owned.values()].map(({ input }) => input.topic))) {
      const ends = since === null ? [] : await this.ports.log.ends(topic);
      for (const owned of this.#owned.values()) {
        if (owned.input.topic !== topic) continue;
        const end = ends.find(({ partition }) => partition === owned.input.partition)?.end ?? Infinity;
        const caughtUp = owned.position >= end;
        if (caughtUp && since !== null) owned.readTo = Math.max(owned.readTo, since);
        const { position: nextOffset, readTo, eventTo } = owned;
        records.push(progressRecord(owned.input, { nextOffset, readTo, eventTo, caughtUp }, this.ports));
      }
    }
    if (records.length === 0) return;
    const receipt = await this.ports.log.append(records);
    this.#heartbeatAt = receipt.appendedAt ?? this.#heartbeatAt;
  }

  async #discard(input: TopicPartition): Promise<void> {
    const owned = this.#owned.get(name(input));
    if (owned === undefined) return;
    this.#owned.delete(name(input));
    await owned.writer.close();
  }
}

function name({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

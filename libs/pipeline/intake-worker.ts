import { RegistryUnavailableError } from './codecs.js';
import {
  commitBatch,
  judgeBatch,
  progressRecord,
  type IntakePorts,
  type IntakeReport,
  type JudgedBatch,
} from './intake-batch.js';
import {
  OwnershipLostError,
  type BatchControl,
  type ConsumerHandler,
  type OutgoingRecord,
  type PartitionEnds,
  type RecordBatch,
  type TopicPartition,
  type TransactionalWriter,
} from './log.js';
import {
  NO_BREAKER,
  RejectBreaker,
  type RejectBreakerSettings,
  type StoppedTopic,
} from './reject-breaker.js';
import { backoffMs, waitWithHeartbeat } from './wait-with-heartbeat.js';

/** Told what happens, for metrics and logs. */
export interface IntakeObserver {
  batch(input: TopicPartition, report: IntakeReport, lag: number): void;
  /** The registry cannot be asked; the same batch is judged again after a pause. */
  waiting(input: TopicPartition, error: Error, attempt: number): void;
  /** Too much of its topic is rejected: what was judged last is not written, and judged again after a pause. */
  topicStopped(input: TopicPartition, judged: Pick<JudgedBatch, 'rejected'>): void;
  /** What was held is good enough now. */
  topicResumed(input: TopicPartition): void;
}

/** A batch was held until its partition was taken away: nothing of it was written. */
export class TopicStoppedError extends Error {
  override readonly name = 'TopicStoppedError';
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
  readonly #breaker: RejectBreaker;

  constructor(
    private readonly ports: Omit<IntakePorts, 'writer'>,
    private readonly observer: IntakeObserver,
    private readonly now: () => number,
    breaker: RejectBreakerSettings = NO_BREAKER,
  ) {
    this.#breaker = new RejectBreaker(breaker, now);
  }

  /** Topics that are stopped here because too much of them was rejected. */
  stoppedTopics(): readonly StoppedTopic[] {
    return this.#breaker.stopped();
  }

  async assigned(input: TopicPartition): Promise<number> {
    await this.#discard(input);
    const { log, group } = this.ports;
    // Opening the writer fences a former owner; only then is the committed position final.
    const writer = await log.writer(group, input);
    try {
      const position = (await log.committed(group, input)) ?? 0;
      this.#owned.set(name(input), { input, writer, position, readTo: 0, eventTo: null });
      return position;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const owned = this.#owned.get(name(batch));
    if (owned === undefined) throw new OwnershipLostError(`${name(batch)} is not assigned here`);
    // Offered again after it was taken in: nothing to do, and the committed position must not go back.
    if (batch.nextOffset <= owned.position) return;
    const records = batch.records.filter(({ offset }) => offset >= owned.position);
    try {
      const report = await this.#takeIn(owned, { ...batch, records }, control);
      owned.position = batch.nextOffset;
      owned.readTo = Math.max(owned.readTo, report.readTo ?? 0);
      owned.eventTo = report.eventTo;
      this.observer.batch(owned.input, report, Math.max(0, batch.endOffset - batch.nextOffset));
    } catch (error) {
      if (error instanceof OwnershipLostError) await this.#discard(batch);
      throw error;
    }
    await control.heartbeat();
  }

  /** Holds what would stop its topic until that goes on: what was not written may be judged otherwise tomorrow. */
  async #takeIn(owned: OwnedSource, batch: RecordBatch, control: BatchControl): Promise<IntakeReport> {
    const ports = { ...this.ports, writer: owned.writer };
    for (;;) {
      const judged = await this.#judge(owned, batch, ports, control);
      if (this.#mayPass(owned.input, judged)) return commitBatch(judged, ports, this.now);
      await waitWithHeartbeat(control, this.#breaker.settings.retryMs);
      if (control.isStale()) throw new TopicStoppedError(`${owned.input.topic} is stopped`);
    }
  }

  #mayPass(input: TopicPartition, judged: JudgedBatch): boolean {
    const wasStopped = this.#breaker.isStopped(input.topic);
    const mayPass = this.#breaker.admits(input, judged.isRejected);
    const isStopped = this.#breaker.isStopped(input.topic);
    if (isStopped && !wasStopped) this.observer.topicStopped(input, judged);
    if (wasStopped && !isStopped) this.observer.topicResumed(input);
    return mayPass;
  }

  /** Waits for an absent registry as long as the partition is ours: nothing is judged without it. */
  async #judge(
    owned: OwnedSource,
    batch: RecordBatch,
    ports: IntakePorts,
    control: BatchControl,
  ): Promise<JudgedBatch> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await judgeBatch(batch, ports, this.now, owned.eventTo);
      } catch (error) {
        if (!(error instanceof RegistryUnavailableError)) throw error;
        this.observer.waiting(owned.input, error, attempt);
        await waitWithHeartbeat(control, backoffMs(attempt));
        if (control.isStale()) throw error;
      }
    }
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
        const caughtUp = isReadToEnd(
          owned.position,
          ends.find(({ partition }) => partition === owned.input.partition),
        );
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
    this.#breaker.forget(input);
    await owned.writer.close();
  }
}

/** What retention has emptied has nothing left to be read, wherever its end may be. */
function isReadToEnd(position: number, ends: PartitionEnds | undefined): boolean {
  return ends !== undefined && (position >= ends.end || ends.start >= ends.end);
}

function name({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

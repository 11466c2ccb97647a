import { setImmediate as nextTurn } from 'node:timers/promises';
import { asError, type BatchControl, type ConsumerHandler, type TopicPartition } from '#pipeline';
import type { AppendBell } from './append-bell.js';
import type { LogStorage } from './log-storage.js';
import { PartitionReader } from './partition-reader.js';
import type { PartitionRef } from './topic-catalog.js';
import { Waker } from './waker.js';

export interface HandlerFailure extends TopicPartition {
  readonly group: string;
  readonly error: Error;
  /** How many in a row, this one included. */
  readonly failures: number;
  /** When the partition is assigned again, ms from now; null when the consumer gives up. */
  readonly retryInMs: number | null;
}

export interface WorkerParts {
  readonly storage: LogStorage;
  readonly bell: AppendBell;
  readonly group: string;
  readonly batchRecordsMax: number;
  /** `ConsumerOptions.fillMs`. */
  readonly fillMs: number;
  /** This many failures in a row, of one partition, end the consumer. */
  readonly failuresMax: number;
  readonly backoffMs: { readonly first: number; readonly most: number };
  readonly onFailure: (failure: HandlerFailure) => void;
  /** The worker has ended by itself; its partition is revoked already. */
  readonly onGivenUp: (error: Error) => void;
}

/**
 * Serves one partition to one handler: assigned, batches one after the other, revoked. When the handler throws,
 * the partition is revoked, and after a backoff assigned again: what it answers then decides where reading goes
 * on, so a batch that was not committed is offered again.
 */
export class PartitionWorker {
  private readonly waker = new Waker();
  private stopping = false;
  private paused = false;
  private failures = 0;
  /** Where the batch began that failed last; only getting past it is progress. */
  private stuckAt = -1;
  private busyFrom: number | null = null;
  /** Set when the handler has lost the partition outside of a batch. */
  private lost: Error | null = null;
  private readonly finished: Promise<void>;

  constructor(
    private readonly parts: WorkerParts,
    readonly partition: PartitionRef,
    private readonly handler: ConsumerHandler,
  ) {
    this.finished = this.run();
  }

  /** When it last asked for records, ms; null while it waits for some, since waiting is asking. */
  get busySince(): number | null {
    return this.busyFrom;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.waker.wake();
  }

  /** Resolves, never rejects, after the batch in hand and `revoked`. */
  stop(): Promise<void> {
    this.stopping = true;
    this.waker.wake();
    return this.finished;
  }

  private async run(): Promise<void> {
    await nextTurn();
    while (!this.stopping) {
      const error = await this.serve();
      if (error === null) return;
      this.failures += 1;
      const givesUp = this.failures >= this.parts.failuresMax;
      const retryInMs = givesUp ? null : this.backoff();
      const { group, onFailure, onGivenUp } = this.parts;
      const { topic, partition } = this.partition;
      onFailure({ group, topic, partition, error, failures: this.failures, retryInMs });
      if (retryInMs === null) {
        onGivenUp(error);
        return;
      }
      await this.sleepUnlessStopping(retryInMs);
    }
  }

  /** One assignment from `assigned` to `revoked`; answers what ended it, null for a stop. */
  private async serve(): Promise<Error | null> {
    const input = { topic: this.partition.topic, partition: this.partition.partition };
    let failure: Error | null = null;
    this.paused = false;
    this.lost = null;
    let isHeld = true;
    const assignment = {
      lost: (error: Error) => {
        if (!isHeld) return;
        this.lost ??= error;
        this.waker.wake();
      },
    };
    this.busyFrom = Date.now();
    try {
      const reader = this.readerAt(await this.handler.assigned(input, assignment));
      failure = await this.pump(reader).then(() => null, asError);
      isHeld = false;
      await this.handler.revoked(input);
    } catch (error) {
      failure ??= asError(error);
    } finally {
      this.busyFrom = null;
    }
    return failure;
  }

  private readerAt(answer: number | null): PartitionReader {
    const { storage, group } = this.parts;
    const offset = answer ?? storage.position(group, this.partition) ?? 0;
    const { end } = storage.extent(this.partition);
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > end) {
      const { topic, partition } = this.partition;
      throw new RangeError(
        `${group} cannot start ${topic}/${partition} at ${offset}: the log ends at ${end}`,
      );
    }
    return new PartitionReader(storage, this.partition, offset);
  }

  private async pump(reader: PartitionReader): Promise<void> {
    const { topic, partition } = this.partition;
    const control: BatchControl = {
      // Members of one process need no proof of life but for their health; timers and sockets need their turn.
      heartbeat: () => {
        this.busyFrom = Date.now();
        return nextTurn();
      },
      isStale: () => this.stopping,
    };
    const deafen = this.parts.bell.listen(topic, partition, () => this.waker.wake());
    try {
      while (!this.stopping) {
        if (this.lost !== null) throw this.lost;
        this.busyFrom = Date.now();
        if (!this.paused && reader.waiting > 0 && !(await this.filled(reader))) continue;
        const batch = this.paused ? null : reader.next(this.parts.batchRecordsMax);
        if (batch === null) {
          this.busyFrom = null;
          await this.waker.sleep();
          continue;
        }
        const first = batch.records[0]?.offset ?? batch.nextOffset;
        try {
          await this.handler.batch(batch, control);
        } catch (error) {
          this.stuckAt = first;
          throw error;
        }
        if (batch.nextOffset > this.stuckAt) this.failures = 0;
        await nextTurn();
      }
    } finally {
      deafen();
    }
  }

  /**
   * Until there is a batch's worth of records, or the first has waited for long enough.
   * @returns false where something else has to be seen to first
   */
  private async filled(reader: PartitionReader): Promise<boolean> {
    const { batchRecordsMax, fillMs } = this.parts;
    const until = Date.now() + fillMs;
    for (let left = fillMs; left > 0 && reader.waiting < batchRecordsMax; left = until - Date.now()) {
      this.busyFrom = null;
      await this.waker.sleep(left);
      if (this.stopping || this.paused || this.lost !== null) return false;
    }
    return true;
  }

  private backoff(): number {
    const { first, most } = this.parts.backoffMs;
    return Math.min(most, first * 2 ** (this.failures - 1));
  }

  private async sleepUnlessStopping(ms: number): Promise<void> {
    const until = Date.now() + ms;
    for (let left = ms; left > 0 && !this.stopping; left = until - Date.now()) await this.waker.sleep(left);
  }
}

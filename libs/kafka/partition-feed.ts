import {
  OwnershipLostError,
  asError,
  type BatchControl,
  type ConsumerHandler,
  type LogRecord,
  type RecordBatch,
  type TopicPartition,
} from '#pipeline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Backoff } from './backoff.js';
import { BatchPace } from './batch-pace.js';
import { isTransient } from './errors.js';

/** What one fetch has brought for a partition. */
export interface FetchedChunk {
  readonly records: readonly LogRecord[];
  readonly nextOffset: number;
  readonly endOffset: number;
}

export interface FeedOwner {
  readonly handler: ConsumerHandler;
  readonly batchRecordsMax: number;
  /** `ConsumerOptions.paceMs`. */
  readonly paceMs: number;
  /** Failures in a row after which a partition's handler is given up. */
  readonly failuresMax: number;
  /** Where a partition is read from when the handler leaves it open. */
  startOf(input: TopicPartition): Promise<number>;
  /** The handler says that it is at work, however long that takes. */
  alive(): void;
  /** A feed has room for more, or none any longer. */
  changed(): void;
  failed(input: TopicPartition, error: unknown): void;
  ownershipLost(error: OwnershipLostError): void;
  crashed(error: Error): void;
}

/** One assigned partition: calls the handler, one call at a time, and holds what has been fetched ahead. */
export class PartitionFeed {
  private fetchFrom = 0;
  private state: 'ready' | 'frozen' | 'released' = 'ready';
  private isOpen = false;
  private isPaused = false;
  private buffered: FetchedChunk | null = null;
  private task: Promise<void> | null = null;
  private failures = 0;
  private readonly pace: BatchPace;
  /** Set until the next batch may begin. */
  private pacing: NodeJS.Timeout | null = null;
  private readonly backoff = new Backoff(100, 5_000);
  private readonly ending = new AbortController();

  constructor(
    readonly input: TopicPartition,
    private readonly owner: FeedOwner,
  ) {
    this.pace = new BatchPace(owner.paceMs);
  }

  /** Next offset to fetch; null while nothing is wanted. */
  wanted(): number | null {
    const hasRoom = this.isOpen && this.state === 'ready' && !this.isPaused && this.buffered === null;
    return hasRoom && this.pacing === null ? this.fetchFrom : null;
  }

  /** True while the handler has work that may explain why nothing is wanted. */
  get isBusy(): boolean {
    return this.task !== null;
  }

  /** True while something will be wanted soon. */
  get isPacing(): boolean {
    return this.pacing !== null;
  }

  open(after: Promise<void> | undefined): void {
    this.run(async () => {
      await after;
      await this.assign();
    });
  }

  /** Takes what was fetched from `offset`, unless the feed has moved elsewhere in the meantime. */
  deliver(offset: number, chunk: FetchedChunk): void {
    if (this.buffered !== null || offset !== this.fetchFrom || !this.isOpen || chunk.nextOffset <= offset)
      return;
    this.buffered = chunk;
    this.fetchFrom = chunk.nextOffset;
    this.work();
  }

  /** Goes on elsewhere: what lay at the position is gone. */
  moveTo(offset: number): void {
    this.fetchFrom = offset;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.work();
    this.owner.changed();
  }

  /** No further call of the handler; resolves when the one in hand has ended. */
  async freeze(): Promise<void> {
    if (this.state !== 'released') this.state = 'frozen';
    await this.task;
  }

  /** Goes on where `freeze` has stopped. */
  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'ready';
    // Frozen before the handler could be asked where to start, or while it was recovering.
    if (!this.isOpen && this.task === null) this.run(() => this.assign());
    this.work();
  }

  /** Ends the feed: the handler is told once its work in hand has ended. */
  async release(): Promise<void> {
    this.state = 'released';
    this.ending.abort();
    this.endPace();
    await this.task;
    if (this.isOpen) await this.revoke();
  }

  private work(): void {
    if (this.task !== null || this.state !== 'ready' || !this.isOpen || this.isPaused) return;
    const chunk = this.buffered;
    if (chunk === null) return;
    this.buffered = null;
    if (chunk.nextOffset >= chunk.endOffset) this.beginPace();
    this.run(() => this.handle(chunk));
    this.owner.changed();
  }

  /** What comes in the meantime is left with the broker, and makes one batch. */
  private beginPace(): void {
    const waitMs = this.pace.until(Date.now());
    if (waitMs === 0 || this.pacing !== null) return;
    this.pacing = setTimeout(() => {
      this.pacing = null;
      this.owner.changed();
    }, waitMs);
  }

  private endPace(): void {
    if (this.pacing !== null) clearTimeout(this.pacing);
    this.pacing = null;
  }

  private run(job: () => Promise<void>): void {
    const task = job()
      .catch((error: unknown) => this.recover(error))
      .finally(() => {
        this.task = null;
        this.work();
        this.owner.changed();
      });
    this.task = task;
  }

  private async assign(): Promise<void> {
    if (this.state !== 'ready') return;
    const { handler } = this.owner;
    const assignment = { lost: (error: OwnershipLostError) => this.lose(error) };
    const start = (await handler.assigned(this.input, assignment)) ?? (await this.owner.startOf(this.input));
    this.moveTo(start);
    this.buffered = null;
    this.isOpen = true;
  }

  private async handle(chunk: FetchedChunk): Promise<void> {
    const control: BatchControl = {
      // The member's own timer keeps it in the group; it needs a turn of the event loop.
      heartbeat: () => {
        this.owner.alive();
        return nextTurn();
      },
      isStale: () => this.state !== 'ready',
    };
    for (const batch of this.slices(chunk)) {
      if (this.state !== 'ready' || this.isPaused) {
        // What is left is handled after the pause, or fetched again by the next owner.
        this.putBack(batch, chunk);
        return;
      }
      const began = performance.now();
      await this.owner.handler.batch(batch, control);
      this.pace.took(performance.now() - began);
      this.failures = 0;
      this.backoff.reset();
    }
  }

  private *slices(chunk: FetchedChunk): Generator<RecordBatch> {
    const { records, nextOffset, endOffset } = chunk;
    const max = this.owner.batchRecordsMax;
    let at = 0;
    do {
      const part = records.length <= max ? records : records.slice(at, at + max);
      at += max;
      const last = part.at(-1);
      const isLast = at >= records.length || last === undefined;
      yield { ...this.input, records: part, nextOffset: isLast ? nextOffset : last.offset + 1, endOffset };
    } while (at < records.length);
  }

  private putBack(batch: RecordBatch, chunk: FetchedChunk): void {
    const first = batch.records[0]?.offset ?? chunk.nextOffset;
    const records = chunk.records.filter(({ offset }) => offset >= first);
    const next = this.buffered;
    this.buffered =
      next === null ? { ...chunk, records } : { ...next, records: [...records, ...next.records] };
  }

  private async recover(error: unknown): Promise<void> {
    this.buffered = null;
    if (error instanceof OwnershipLostError) {
      this.lose(error);
      return;
    }
    this.owner.failed(this.input, error);
    // A broker that is away is waited for; whatever else fails again and again is given up.
    if (!isTransient(error)) this.failures += 1;
    if (this.failures > this.owner.failuresMax) {
      if (this.state === 'ready') this.state = 'frozen';
      this.owner.crashed(asError(error));
      return;
    }
    // The handler forgets the partition and says anew where it stands, as after any other loss.
    if (this.isOpen) await this.revoke();
    await this.backoff.wait(this.ending.signal);
    try {
      await this.assign();
    } catch (again) {
      await this.recover(again);
    }
  }

  private lose(error: OwnershipLostError): void {
    if (this.state === 'released') return;
    this.state = 'frozen';
    this.buffered = null;
    this.owner.ownershipLost(error);
  }

  private async revoke(): Promise<void> {
    this.isOpen = false;
    try {
      await this.owner.handler.revoked(this.input);
    } catch (error) {
      this.owner.failed(this.input, error);
    }
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogRecord } from '#pipeline';
import { encodeSparseBatch, type BatchReader } from './batch-codec.js';
import type { LogEnvironment } from './log-environment.js';
import type { LogStorage } from './log-storage.js';
import { PartitionReader } from './partition-reader.js';
import type { PartitionRef, TopicCatalog } from './topic-catalog.js';

/**
 * A partition is compacted when it has this many new records, and more by this factor than were left the last time: a
 * pass costs as much as all it reads, and who begins with the topic reads a few times what is left.
 */
const DIRTY_RECORDS_MIN = 500_000;
const DIRTY_FACTOR_MIN = 4;
/** Keys held in memory in one pass; what lies beyond waits for the next. */
const KEYS_MAX = 200_000;
/** A step reads this much, writes what is left of it in one transaction, and lets others run, bytes. */
const STEP_BYTES = 1 << 20;
const STEP_RECORDS = 5_000;
/** A tombstone is kept this long, so that whoever reads along sees it, ms. Kafka's `delete.retention.ms`. */
const TOMBSTONE_KEPT_MS = 24 * 3_600_000;

/**
 * Keeps the newest record of each key on compacted topics. Offsets stay what they are. Each step is a transaction
 * of its own and only takes out what a newer record supersedes, so a pass may be cut off anywhere.
 */
export class Compactor {
  private readonly queued = new Set<string>();
  private passes: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly environment: LogEnvironment,
    private readonly storage: LogStorage,
    private readonly catalog: TopicCatalog,
    private readonly now: () => number,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** After opening: whatever an earlier process left undone. */
  considerAll(): void {
    for (const { topic, partitions, compacted } of this.catalog.all()) {
      if (!compacted) continue;
      for (let partition = 0; partition < partitions; partition += 1) {
        this.consider(this.catalog.partition({ topic, partition }));
      }
    }
  }

  /** After an append. */
  consider(partition: PartitionRef): void {
    if (!this.catalog.topic(partition.topic).compacted) return;
    const key = `${partition.topicId}/${partition.partition}`;
    const { end, cleanedTo, cleanedRecords } = this.storage.extent(partition);
    if (
      end - cleanedTo < Math.max(DIRTY_RECORDS_MIN, DIRTY_FACTOR_MIN * cleanedRecords) ||
      this.queued.has(key)
    )
      return;
    this.queued.add(key);
    this.passes = this.passes
      .then(() => this.pass(partition))
      .catch(this.onError)
      .finally(() => this.queued.delete(key));
  }

  /** All of a topic, up to its present end. */
  async compact(topic: string): Promise<void> {
    const { partitions, compacted } = this.catalog.topic(topic);
    if (!compacted) throw new Error(`topic "${topic}" is not compacted`);
    const run = this.passes.then(async () => {
      for (let partition = 0; partition < partitions; partition += 1) {
        const ref = this.catalog.partition({ topic, partition });
        const { end } = this.storage.extent(ref);
        while (!this.stopping && this.storage.extent(ref).cleanedTo < end) await this.pass(ref);
      }
    });
    this.passes = run.catch(() => {});
    await run;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.passes;
  }

  private async pass(partition: PartitionRef): Promise<void> {
    const { cleanedTo, end } = this.storage.extent(partition);
    const { newest, dirtyTo } = await this.newestByKey(partition, cleanedTo, end);
    const isLive = (record: LogRecord, keyText: string): boolean => {
      if ((newest.get(keyText) ?? 0) > record.offset) return false;
      const expires = record.value === null && record.offset < cleanedTo;
      return !expires || record.timestamp >= this.now() - TOMBSTONE_KEPT_MS;
    };
    let live = 0;
    for (let from = 0; from < dirtyTo && !this.stopping;) {
      const step = this.cleanStep(partition, from, dirtyTo, isLive);
      live += step.live;
      from = step.nextFrom;
      await nextTurn();
    }
    if (this.stopping) return;
    this.environment.transact(() => {
      const extent = this.storage.extent(partition);
      this.storage.putExtent(partition, { ...extent, cleanedTo: dirtyTo, cleanedRecords: live });
    });
  }

  private async newestByKey(
    partition: PartitionRef,
    from: number,
    end: number,
  ): Promise<{ newest: Map<string, number>; dirtyTo: number }> {
    const newest = new Map<string, number>();
    const reader = new PartitionReader(this.storage, partition, from);
    while (newest.size < KEYS_MAX && !this.stopping) {
      const batch = reader.next(STEP_RECORDS, end);
      if (batch === null) break;
      for (const { key, offset } of batch.records) {
        if (key !== null) newest.set(key.toString('latin1'), offset);
      }
      await nextTurn();
    }
    return { newest, dirtyTo: reader.position };
  }

  private cleanStep(
    partition: PartitionRef,
    from: number,
    to: number,
    isLive: (record: LogRecord, keyText: string) => boolean,
  ): { live: number; nextFrom: number } {
    const changed: { batch: BatchReader; kept: LogRecord[] }[] = [];
    let live = 0;
    let bytes = 0;
    let nextFrom = to;
    for (const batch of this.storage.batches(partition, from, to)) {
      const records: LogRecord[] = [];
      batch.take(records, batch.count, 0, Number.POSITIVE_INFINITY);
      const kept = records.filter((record) => isLive(record, record.key?.toString('latin1') ?? ''));
      live += kept.filter(({ offset }) => offset < to).length;
      if (kept.length < records.length) changed.push({ batch, kept });
      bytes += batch.byteLength;
      if (bytes >= STEP_BYTES) {
        nextFrom = batch.endOffset;
        break;
      }
    }
    if (changed.length > 0) this.rewrite(partition, changed);
    return { live, nextFrom };
  }

  private rewrite(
    partition: PartitionRef,
    changed: readonly { batch: BatchReader; kept: LogRecord[] }[],
  ): void {
    this.environment.transact(() => {
      for (const { batch, kept } of changed) {
        const { baseOffset: base, endOffset, timestamp } = batch;
        if (kept.length === 0) this.storage.removeBatch(partition, base);
        else
          this.storage.putBatch(partition, base, encodeSparseBatch(base, endOffset - base, timestamp, kept));
      }
    });
  }
}

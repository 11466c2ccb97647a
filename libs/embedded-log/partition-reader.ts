import type { LogRecord, RecordBatch } from '#pipeline';
import type { BatchReader } from './batch-codec.js';
import type { LogStorage } from './log-storage.js';
import type { PartitionRef } from './topic-catalog.js';

/** Stored batches are put together to one until they hold this much, bytes. */
const READ_BYTES_MAX = 4 << 20;

/** Walks one partition forward. It holds no cursor and no snapshot between calls. */
export class PartitionReader {
  /** A stored batch of which a part has been handed out. */
  private open: BatchReader | null = null;
  private sought = false;

  constructor(
    private readonly storage: LogStorage,
    private readonly partition: PartitionRef,
    private offset: number,
  ) {}

  /** The next offset to read. */
  get position(): number {
    return this.offset;
  }

  /** Offsets between here and the end of the log. */
  get waiting(): number {
    return this.storage.extent(this.partition).end - this.offset;
  }

  /** At most `recordsMax` records with offsets below `to`; null when there are none (yet). */
  next(recordsMax: number, to = Number.POSITIVE_INFINITY): RecordBatch | null {
    const { end } = this.storage.extent(this.partition);
    const limit = Math.min(to, end);
    if (this.offset >= limit) return null;
    const records: LogRecord[] = [];
    this.fill(records, recordsMax, limit);
    if (records.length === 0) return null;
    const { topic, partition } = this.partition;
    return { topic, partition, records, nextOffset: this.offset, endOffset: end };
  }

  private fill(records: LogRecord[], recordsMax: number, limit: number): void {
    if (this.open !== null && this.drain(this.open, records, recordsMax, limit)) return;
    const from = this.sought ? this.offset : this.storage.baseOf(this.partition, this.offset);
    this.sought = true;
    let bytes = 0;
    for (const batch of this.storage.batches(this.partition, from, limit)) {
      if (this.drain(batch, records, recordsMax, limit)) return;
      bytes += batch.byteLength;
      if (bytes >= READ_BYTES_MAX && records.length > 0) return;
    }
    // Compaction may have removed whatever lay between here and the limit.
    this.offset = limit;
  }

  /** True when `records` is full or the limit is reached. */
  private drain(batch: BatchReader, records: LogRecord[], recordsMax: number, limit: number): boolean {
    batch.take(records, recordsMax, this.offset, limit);
    if (batch.done) {
      this.open = null;
      this.offset = Math.min(batch.endOffset, limit);
      return records.length >= recordsMax;
    }
    this.open = batch;
    const last = records.at(-1);
    this.offset = records.length >= recordsMax && last !== undefined ? last.offset + 1 : limit;
    return true;
  }
}

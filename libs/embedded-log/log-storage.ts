import {
  BatchReader,
  encodeDenseBatch,
  entryBytesMax,
  readUInt64,
  writeUInt64,
  type BatchEntry,
} from './batch-codec.js';
import type { LogEnvironment } from './log-environment.js';
import type { PartitionRef } from './topic-catalog.js';

/** A stored batch is at most this large (one larger record makes a batch of its own). */
const BATCH_BYTES_MAX = 1 << 20;
const BATCH_RECORDS_MAX = 8_192;
const BATCHES_REMOVED_AT_ONCE = 64;
const CLOCK_KEY = Buffer.from('clock');

/** How far a partition has been written, and how far the compactor has cleaned it. */
export interface PartitionExtent {
  /** Next offset to be written. */
  readonly end: number;
  /** Below this every key is there once (compacted topics only). */
  readonly cleanedTo: number;
  /** Records that were left below `cleanedTo`. */
  readonly cleanedRecords: number;
}

const EMPTY: PartitionExtent = { end: 0, cleanedTo: 0, cleanedRecords: 0 };

/** Batches, extents, the log's clock, group positions and writer epochs, as they lie in the environment. */
export class LogStorage {
  constructor(
    private readonly environment: LogEnvironment,
    private readonly now: () => number,
  ) {}

  extent(partition: PartitionRef): PartitionExtent {
    const stored = this.environment.meta.get(extentKey(partition));
    if (stored === undefined) return EMPTY;
    return {
      end: readUInt64(stored, 0),
      cleanedTo: readUInt64(stored, 8),
      cleanedRecords: readUInt64(stored, 16),
    };
  }

  /** Inside a transaction. */
  putExtent(partition: PartitionRef, extent: PartitionExtent): void {
    const value = Buffer.alloc(24);
    writeUInt64(value, extent.end, 0);
    writeUInt64(value, extent.cleanedTo, 8);
    writeUInt64(value, extent.cleanedRecords, 16);
    void this.environment.meta.put(extentKey(partition), value);
  }

  /** The append time of a transaction, ms: the wall clock, but never before an earlier one of this log. */
  nextAppendTime(): number {
    const stored = this.environment.meta.get(CLOCK_KEY);
    const time = Math.max(Math.floor(this.now()), stored === undefined ? 0 : readUInt64(stored, 0));
    void this.environment.meta.put(CLOCK_KEY, uint64(time));
    return time;
  }

  /** Inside a transaction. */
  append(partition: PartitionRef, entries: readonly BatchEntry[], timestamp: number): void {
    const extent = this.extent(partition);
    let { end } = extent;
    let from = 0;
    let bytes = 0;
    const flush = (to: number): void => {
      if (to === from) return;
      const chunk = from === 0 && to === entries.length ? entries : entries.slice(from, to);
      this.putBatch(partition, end, encodeDenseBatch(end, timestamp, chunk));
      end += to - from;
      from = to;
      bytes = 0;
    };
    entries.forEach((entry, i) => {
      const size = entryBytesMax(entry);
      if (i - from >= BATCH_RECORDS_MAX || bytes + size > BATCH_BYTES_MAX) flush(i);
      bytes += size;
    });
    flush(entries.length);
    this.putExtent(partition, { ...extent, end });
  }

  /** Inside a transaction. */
  putBatch(partition: PartitionRef, base: number, batch: Buffer): void {
    void this.environment.batches.put(batchKey(partition, base), batch);
  }

  /** Inside a transaction. */
  removeBatch(partition: PartitionRef, base: number): void {
    void this.environment.batches.remove(batchKey(partition, base));
  }

  /**
   * Deletes some batches of a partition that nobody reads any more, in a transaction of its own.
   * @returns false when none are left
   */
  removeSome(partition: PartitionRef): boolean {
    const range = {
      start: batchKey(partition, 0),
      end: partitionEnd(partition),
      limit: BATCHES_REMOVED_AT_ONCE,
    };
    const keys = [...this.environment.batches.getKeys(range)].map((key) => Buffer.from(key));
    this.environment.transact(() => {
      for (const key of keys) void this.environment.batches.remove(key);
    });
    return keys.length > 0;
  }

  /** Inside a transaction: where the partitions of a topic ended, who had read how far, and the epochs of writers. */
  forget(topicId: number): void {
    const id = String(topicId);
    for (const [kind, at] of [
      ['p', 1],
      ['o', 2],
      ['e', 2],
    ] as const) {
      const range = { start: Buffer.from(`${kind}\0`), end: Buffer.from(`${kind}\x01`) };
      for (const key of [...this.environment.meta.getKeys(range)]) {
        if (key.toString('utf8').split('\0')[at] === id) void this.environment.meta.remove(Buffer.from(key));
      }
    }
  }

  /** Batches that begin at `from` ≤ base < `to`, in order. Their bytes are copies, safe to keep. */
  *batches(partition: PartitionRef, from: number, to: number): Generator<BatchReader> {
    const where = `${partition.topic}/${partition.partition}`;
    const range = { start: batchKey(partition, from), end: batchKey(partition, to) };
    for (const { key, value } of this.environment.batches.getRange(range)) {
      yield new BatchReader(exactly(value), readKeyOffset(key), where);
    }
  }

  /** Where the batch begins that covers `offset`; `offset` itself when none does. */
  baseOf(partition: PartitionRef, offset: number): number {
    const range = {
      start: batchKey(partition, offset),
      end: batchKey(partition, 0),
      inclusiveEnd: true,
      reverse: true,
      limit: 1,
    };
    for (const { key, value } of this.environment.batches.getRange(range)) {
      const base = readKeyOffset(key);
      const batch = new BatchReader(exactly(value), base, `${partition.topic}/${partition.partition}`);
      return batch.endOffset > offset ? base : offset;
    }
    return offset;
  }

  position(group: string, partition: PartitionRef): number | null {
    const stored = this.environment.meta.get(groupKey('o', group, partition));
    return stored === undefined ? null : readUInt64(stored, 0);
  }

  /** Inside a transaction. */
  putPosition(group: string, partition: PartitionRef, offset: number): void {
    void this.environment.meta.put(groupKey('o', group, partition), uint64(offset));
  }

  epoch(group: string, partition: PartitionRef): number {
    const stored = this.environment.meta.get(groupKey('e', group, partition));
    return stored === undefined ? 0 : readUInt64(stored, 0);
  }

  /** Inside a transaction. */
  putEpoch(group: string, partition: PartitionRef, epoch: number): void {
    void this.environment.meta.put(groupKey('e', group, partition), uint64(epoch));
  }
}

function uint64(value: number): Buffer {
  const out = Buffer.alloc(8);
  writeUInt64(out, value, 0);
  return out;
}

/** The package's large values are buffers whose `length` is less than what lies behind them. */
function exactly(value: Buffer): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

/** Topic, partition and base offset, big-endian, so that LMDB's byte order is the offsets' order. */
function batchKey(partition: PartitionRef, base: number): Buffer {
  const key = Buffer.allocUnsafe(12);
  key.writeUInt16BE(partition.topicId, 0);
  key.writeUInt16BE(partition.partition, 2);
  key.writeUInt32BE(Math.floor(base / 2 ** 32), 4);
  key.writeUInt32BE(base % 2 ** 32, 8);
  return key;
}

/** Behind every batch of the partition. */
function partitionEnd({ topicId, partition }: PartitionRef): Buffer {
  const key = Buffer.alloc(12, 0xff);
  key.writeUInt16BE(topicId, 0);
  key.writeUInt16BE(partition, 2);
  return key;
}

function readKeyOffset(key: Buffer): number {
  return key.readUInt32BE(4) * 2 ** 32 + key.readUInt32BE(8);
}

function extentKey({ topicId, partition }: PartitionRef): Buffer {
  return Buffer.from(`p\0${topicId}\0${partition}`);
}

function groupKey(kind: 'o' | 'e', group: string, { topicId, partition }: PartitionRef): Buffer {
  return Buffer.from(`${kind}\0${group}\0${topicId}\0${partition}`);
}

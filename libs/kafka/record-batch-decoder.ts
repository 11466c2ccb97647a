import type { LogRecord } from '#pipeline';
import { decompress } from './compression.js';

/** A transaction whose records a read-committed reader must not see. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface DecodedRecords {
  readonly records: LogRecord[];
  /** After the last complete batch, control records included; `from` if there was none. */
  readonly nextOffset: number;
}

const HEADER_BYTES = 61;
const LENGTH_PREFIX_BYTES = 12;

/**
 * One pass over the record batches (format v2) of a fetched partition. Offsets are numbers (a log stays below
 * 2^48), keys and values are cut out of the buffer only when asked for, headers are skipped.
 *
 * KafkaJS's own decoder makes several objects a record, and its filter shows records of aborted transactions
 * where two of them overlap; this one follows the Java consumer.
 */
export async function decodeRecordSet(
  bytes: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[],
): Promise<DecodedRecords> {
  const records: LogRecord[] = [];
  const filter = new AbortedFilter(aborted);
  let nextOffset = from;
  let at = 0;
  // The last batch may be cut off by the size limit of the fetch.
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + LENGTH_PREFIX_BYTES + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const batch = readHeader(bytes, at);
    nextOffset = Math.max(nextOffset, batch.lastOffset + 1);
    const hidden = filter.hides(batch, bytes, at + HEADER_BYTES);
    if (!hidden && batch.lastOffset >= from) {
      const packed = bytes.subarray(at + HEADER_BYTES, end);
      const body = batch.codec === 0 ? packed : await decompress(batch.codec, packed);
      decodeRecords(body, batch, from, records);
    }
    at = end;
  }
  return { records, nextOffset };
}

interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  readonly isLogAppendTime: boolean;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly count: number;
}

function readHeader(bytes: Buffer, at: number): BatchHeader {
  const magic = bytes.readInt8(at + 16);
  if (magic !== 2)
    throw new Error(`record batches of format ${magic} are not supported (Kafka 0.11 or newer writes 2)`);
  const attributes = bytes.readInt16BE(at + 21);
  const baseOffset = readInt64(bytes, at);
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(at + 23),
    codec: attributes & 0x7,
    isLogAppendTime: (attributes & 0x8) !== 0,
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
    baseTimestamp: readInt64(bytes, at + 27),
    maxTimestamp: readInt64(bytes, at + 35),
    producerId: bytes.readBigInt64BE(at + 43),
    count: bytes.readInt32BE(at + 57),
  };
}

/** Which batches belong to aborted transactions: begun before them, not ended by a marker yet. */
class AbortedFilter {
  private readonly waiting: AbortedTransaction[];
  private readonly open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // The broker lists them by their end; they have to be entered by their beginning.
    this.waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  hides(batch: BatchHeader, bytes: Buffer, recordsAt: number): boolean {
    while (this.waiting[0] !== undefined && this.waiting[0].firstOffset <= batch.lastOffset) {
      this.open.add(this.waiting[0].producerId);
      this.waiting.shift();
    }
    if (batch.isControl) {
      if (isAbortMarker(bytes, recordsAt)) this.open.delete(batch.producerId);
      return true;
    }
    return batch.isTransactional && this.open.has(batch.producerId);
  }
}

/** The key of a control record is its version and type (0: abort, 1: commit), two bytes each. */
function isAbortMarker(bytes: Buffer, recordAt: number): boolean {
  const cursor = new Cursor(bytes, recordAt);
  cursor.skipRecordHead();
  return cursor.varint() >= 4 && bytes.readInt16BE(cursor.at + 2) === 0;
}

function decodeRecords(body: Buffer, batch: BatchHeader, from: number, into: LogRecord[]): void {
  const cursor = new Cursor(body, 0);
  for (let left = batch.count; left > 0; left--) {
    const length = cursor.varint();
    const end = cursor.at + length;
    cursor.at += 1;
    const timestampDelta = cursor.varlong();
    const offset = batch.baseOffset + cursor.varint();
    if (offset >= from) {
      const keyLength = cursor.varint();
      const keyAt = cursor.at;
      if (keyLength > 0) cursor.at += keyLength;
      const valueLength = cursor.varint();
      const timestamp = batch.isLogAppendTime ? batch.maxTimestamp : batch.baseTimestamp + timestampDelta;
      into.push(new RecordView(body, offset, timestamp, keyAt, keyLength, cursor.at, valueLength));
    }
    cursor.at = end;
  }
}

/** A record as positions in the fetched bytes. */
class RecordView implements LogRecord {
  constructor(
    private readonly bytes: Buffer,
    readonly offset: number,
    readonly timestamp: number,
    private readonly keyAt: number,
    private readonly keyLength: number,
    private readonly valueAt: number,
    private readonly valueLength: number,
  ) {}

  get key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyAt, this.keyAt + this.keyLength);
  }

  get value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueAt, this.valueAt + this.valueLength);
  }
}

class Cursor {
  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  /** Length, attributes, timestamp delta and offset delta. */
  skipRecordHead(): void {
    this.varint();
    this.at += 1;
    this.varlong();
    this.varint();
  }

  varint(): number {
    let byte = this.next();
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = this.next();
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** Exact up to 2^53; timestamp deltas are far below. */
  varlong(): number {
    let byte = this.next();
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      byte = this.next();
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  private next(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('a record batch ends in the middle of a record');
    return byte;
  }
}

export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

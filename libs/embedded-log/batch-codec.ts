/**
 * The stored form of a batch: one LMDB value holds many records, because a put costs microseconds.
 *
 *     0  u8   format version (1)
 *     1  u8   flags: 1 = offsets are written per record (compaction has taken records out)
 *     2  u16  0
 *     4  u32  CRC-32 of all the other bytes
 *     8  u64  base offset
 *    16  u64  append time, ms; one for the batch, as with Kafka's LogAppendTime
 *    24  u32  span: the next batch begins at base + span or later
 *    28  u32  records
 *    32  per record: [varint offset − base] · varint key length + 1 · varint value length + 1 · key · value
 *
 * A length of 0 is null. Integers are little-endian. These bytes are on disk: a change needs a new version.
 */
import { crc32 } from 'node:zlib';
import type { LogRecord } from '#pipeline';

/** A stored batch is not what was written: the log must not be used any further. */
export class CorruptBatchError extends Error {
  override readonly name = 'CorruptBatchError';
}

export interface BatchEntry {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
}

const VERSION = 1;
const SPARSE = 1;
const HEADER_BYTES = 32;
const CRC_AT = 4;
const CRC_END = 8;
const HIGH = 2 ** 32;

/** Records with consecutive offsets, as they are appended. */
export function encodeDenseBatch(
  baseOffset: number,
  timestamp: number,
  entries: readonly BatchEntry[],
): Buffer {
  return encode(baseOffset, entries.length, timestamp, entries, null);
}

/** What is left of a batch after compaction; it still covers the `span` offsets it was written with. */
export function encodeSparseBatch(
  baseOffset: number,
  span: number,
  timestamp: number,
  records: readonly LogRecord[],
): Buffer {
  return encode(
    baseOffset,
    span,
    timestamp,
    records,
    records.map((record) => record.offset - baseOffset),
  );
}

/** Upper bound of the stored size of a record, in bytes. */
export function entryBytesMax(entry: BatchEntry): number {
  return 15 + keyBytes(entry.key) + (entry.value === null ? 0 : entry.value.length);
}

function encode(
  baseOffset: number,
  span: number,
  timestamp: number,
  entries: readonly BatchEntry[],
  deltas: readonly number[] | null,
): Buffer {
  let size = HEADER_BYTES;
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i];
    if (entry !== undefined) size += entryBytesMax(entry);
  }
  const out = Buffer.allocUnsafe(size);
  out.writeUInt8(VERSION, 0);
  out.writeUInt8(deltas === null ? 0 : SPARSE, 1);
  out.writeUInt16LE(0, 2);
  writeUInt64(out, baseOffset, 8);
  writeUInt64(out, timestamp, 16);
  out.writeUInt32LE(span, 24);
  out.writeUInt32LE(entries.length, 28);
  let at = HEADER_BYTES;
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i];
    if (entry === undefined) continue;
    if (deltas !== null) at = writeVarint(out, deltas[i] ?? 0, at);
    at = writeEntry(out, entry, at);
  }
  out.writeUInt32LE(checksum(out.subarray(0, at)), CRC_AT);
  return out.subarray(0, at);
}

function writeEntry(out: Buffer, entry: BatchEntry, from: number): number {
  const { key, value } = entry;
  const keyLength = keyBytes(key);
  let at = writeVarint(out, key === null ? 0 : keyLength + 1, from);
  at = writeVarint(out, value === null ? 0 : value.length + 1, at);
  if (typeof key === 'string') out.write(key, at, keyLength, 'utf8');
  else if (key !== null) copyBytes(key, out, at);
  at += keyLength;
  if (value === null) return at;
  copyBytes(value, out, at);
  return at + value.length;
}

/** Below some tens of bytes a loop is faster than the call into C++. */
function copyBytes(from: Buffer, to: Buffer, at: number): void {
  const length = from.length;
  if (length > 48) {
    to.set(from, at);
    return;
  }
  for (let i = 0; i < length; i += 1) to[at + i] = from[i] ?? 0;
}

function keyBytes(key: Buffer | string | null): number {
  if (key === null) return 0;
  return typeof key === 'string' ? Buffer.byteLength(key, 'utf8') : key.length;
}

/** A record is positions in its batch's bytes; the views are made when they are asked for. */
class StoredRecord implements LogRecord {
  constructor(
    readonly offset: number,
    readonly timestamp: number,
    private readonly bytes: Buffer,
    private readonly keyAt: number,
    private readonly keyLength: number,
    private readonly valueLength: number,
  ) {}

  get key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyAt, this.keyAt + this.keyLength);
  }

  get value(): Buffer | null {
    if (this.valueLength < 0) return null;
    const at = this.keyAt + Math.max(this.keyLength, 0);
    return this.bytes.subarray(at, at + this.valueLength);
  }
}

/** Reads one stored batch front to back. It keeps `bytes`, so they must not be reused. */
export class BatchReader {
  readonly baseOffset: number;
  /** Where the next batch begins, or later. */
  readonly endOffset: number;
  readonly timestamp: number;
  readonly count: number;
  private readonly sparse: boolean;
  private index = 0;
  private at = HEADER_BYTES;

  /** @throws CorruptBatchError when checksum, version or place do not fit */
  constructor(
    private readonly bytes: Buffer,
    expectedBase: number,
    where: string,
  ) {
    const fail = (what: string): CorruptBatchError =>
      new CorruptBatchError(`the batch at ${where}, offset ${expectedBase}, is corrupt: ${what}`);
    if (bytes.length < HEADER_BYTES) throw fail(`${bytes.length} bytes`);
    const version = bytes[0];
    if (version !== VERSION) throw fail(`format version ${version}`);
    if (bytes.readUInt32LE(CRC_AT) !== checksum(bytes)) throw fail('its checksum does not match');
    this.baseOffset = readUInt64(bytes, 8);
    if (this.baseOffset !== expectedBase) throw fail(`it says it begins at ${this.baseOffset}`);
    this.sparse = bytes[1] === SPARSE;
    this.timestamp = readUInt64(bytes, 16);
    this.endOffset = this.baseOffset + bytes.readUInt32LE(24);
    this.count = bytes.readUInt32LE(28);
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  get done(): boolean {
    return this.index >= this.count;
  }

  /** Adds records with `from` ≤ offset < `to` until `into` holds `max`; ends the batch at `to`. */
  take(into: LogRecord[], max: number, from: number, to: number): void {
    const bytes = this.bytes;
    let at = this.at;
    while (this.index < this.count && into.length < max) {
      let offset = this.baseOffset + this.index;
      let byte: number;
      let shift = 1;
      if (this.sparse) {
        let delta = 0;
        do {
          byte = bytes[at++] ?? 0;
          delta += (byte & 0x7f) * shift;
          shift *= 128;
        } while (byte > 127);
        offset = this.baseOffset + delta;
      }
      let keyLength = -1;
      shift = 1;
      do {
        byte = bytes[at++] ?? 0;
        keyLength += (byte & 0x7f) * shift;
        shift *= 128;
      } while (byte > 127);
      let valueLength = -1;
      shift = 1;
      do {
        byte = bytes[at++] ?? 0;
        valueLength += (byte & 0x7f) * shift;
        shift *= 128;
      } while (byte > 127);
      if (offset >= to) break;
      const keyAt = at;
      if (keyLength > 0) at += keyLength;
      if (valueLength > 0) at += valueLength;
      this.index += 1;
      this.at = at;
      if (offset >= from) {
        into.push(new StoredRecord(offset, this.timestamp, bytes, keyAt, keyLength, valueLength));
      }
    }
  }
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(CRC_END), crc32(bytes.subarray(0, CRC_AT)));
}

function writeVarint(out: Buffer, value: number, from: number): number {
  let at = from;
  let rest = value;
  while (rest > 127) {
    out[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  out[at] = rest;
  return at + 1;
}

/** Numbers up to 2^53; BigInt would cost an allocation and the `lmdb` package loses its precision. */
export function writeUInt64(out: Buffer, value: number, at: number): void {
  out.writeUInt32LE(value % HIGH, at);
  out.writeUInt32LE(Math.floor(value / HIGH), at + 4);
}

export function readUInt64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * HIGH;
}

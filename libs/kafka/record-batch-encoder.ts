import crc32C from 'kafkajs/src/protocol/recordBatch/crc32C/index.js';

export interface RecordData {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
}

/** Who writes a batch, and where it stands in the writer's sequence for the partition. */
export interface BatchIdentity {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly isTransactional: boolean;
  /** Create time of all its records, ms; replaced by the broker under LogAppendTime. */
  readonly timestamp: number;
}

export const BATCH_HEADER_BYTES = 61;
const CRC_FROM = 21;
const TRANSACTIONAL_ATTRIBUTE = 0x10;

/** Bytes that a record takes in a batch, at its index there. */
export function recordBytes(record: RecordData, index: number): number {
  const body = bodyBytes(record, index);
  return varintBytes(body) + body;
}

/** An uncompressed record batch (format v2) in one buffer. */
export function encodeRecordBatch(records: readonly RecordData[], identity: BatchIdentity): Buffer {
  let size = BATCH_HEADER_BYTES;
  for (const [index, record] of records.entries()) size += recordBytes(record, index);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(size - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(identity.isTransactional ? TRANSACTIONAL_ATTRIBUTE : 0, 21);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(identity.timestamp), 27);
  bytes.writeBigInt64BE(BigInt(identity.timestamp), 35);
  bytes.writeBigInt64BE(BigInt(identity.producerId), 43);
  bytes.writeInt16BE(identity.producerEpoch, 51);
  bytes.writeInt32BE(identity.firstSequence, 53);
  bytes.writeInt32BE(records.length, 57);
  let at = BATCH_HEADER_BYTES;
  for (const [index, record] of records.entries()) at = writeRecord(bytes, at, record, index);
  bytes.writeUInt32BE(crc32C(bytes.subarray(CRC_FROM)), 17);
  return bytes;
}

function bodyBytes({ key, value }: RecordData, index: number): number {
  const keyLength = lengthOf(key);
  const valueLength = lengthOf(value);
  // Attributes, timestamp delta 0 and no headers take a byte each.
  return (
    3 +
    varintBytes(index) +
    varintBytes(keyLength) +
    Math.max(keyLength, 0) +
    varintBytes(valueLength) +
    Math.max(valueLength, 0)
  );
}

function writeRecord(bytes: Buffer, from: number, record: RecordData, index: number): number {
  let at = writeVarint(bytes, from, bodyBytes(record, index));
  bytes[at++] = 0;
  bytes[at++] = 0;
  at = writeVarint(bytes, at, index);
  at = writeBytes(bytes, at, record.key);
  at = writeBytes(bytes, at, record.value);
  bytes[at++] = 0;
  return at;
}

function writeBytes(bytes: Buffer, from: number, data: Buffer | string | null): number {
  const at = writeVarint(bytes, from, lengthOf(data));
  if (data === null) return at;
  return at + (typeof data === 'string' ? bytes.write(data, at, 'utf8') : data.copy(bytes, at));
}

function lengthOf(data: Buffer | string | null): number {
  return data === null ? -1 : Buffer.byteLength(data);
}

function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5;
}

function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    bytes[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  bytes[at++] = zigzag;
  return at;
}

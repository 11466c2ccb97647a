import { BATCH_HEADER_BYTES, recordBytes, type RecordData } from './record-batch-encoder.js';

/**
 * Cuts the records of one partition into batches of at most `bytesMax` (the topic's `max.message.bytes`).
 * @throws RangeError if a record alone is larger
 */
export function chunkRecords<T extends RecordData>(records: readonly T[], bytesMax: number): T[][] {
  const chunks: T[][] = [];
  let chunk: T[] = [];
  let size = Infinity;
  for (const record of records) {
    if (size + recordBytes(record, chunk.length) > bytesMax) {
      chunk = [];
      chunks.push(chunk);
      size = BATCH_HEADER_BYTES;
    }
    size += recordBytes(record, chunk.length);
    if (size > bytesMax) {
      throw new RangeError(`a record needs a batch of ${size} bytes, its topic takes ${bytesMax} at most`);
    }
    chunk.push(record);
  }
  return chunks;
}

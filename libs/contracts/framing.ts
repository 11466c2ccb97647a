/** Confluent framing: a zero byte, the schema id as a big-endian int32, the Avro bytes. */
import type { AvroType } from './avro-schema.js';

export const MAGIC = 0;
export const FRAME_BYTES = 5;

/** The schema id, or null where the value is not framed. */
export function frameId(value: Buffer | null): number | null {
  if (value === null || value.length < FRAME_BYTES || value[0] !== MAGIC) return null;
  return value.readInt32BE(1);
}

const SCRATCH_BYTES = 16 * 1024;

/** Writes framed values of one schema. */
export class FramedWriter<T> {
  private readonly scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor(
    readonly id: number,
    private readonly type: AvroType,
  ) {
    this.scratch[0] = MAGIC;
    this.scratch.writeInt32BE(id, 1);
  }

  /** @throws if the value does not fit the schema */
  write(value: T): Buffer {
    const end = this.type.encode(value, this.scratch, FRAME_BYTES);
    // A negative end is how many bytes did not fit.
    if (end < 0) return Buffer.concat([this.scratch.subarray(0, FRAME_BYTES), this.type.toBuffer(value)]);
    const framed = Buffer.allocUnsafe(end);
    this.scratch.copy(framed, 0, 0, end);
    return framed;
  }
}

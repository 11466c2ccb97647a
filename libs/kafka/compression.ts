import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import createSnappyCodec from 'kafkajs-snappy';
import lz4 from 'lz4js';

const snappy = createSnappyCodec();

/**
 * Unpacks the records of a batch; `codec` is Kafka's number for it (the low three bits of the batch's
 * attributes). Pure JavaScript, gzip apart, so that a machine with Node alone can read every producer.
 */
export async function decompress(codec: number, packed: Buffer): Promise<Buffer> {
  switch (codec) {
    case 0:
      return packed;
    case 1:
      return gunzipSync(packed);
    case 2:
      return snappy.decompress(packed);
    case 3:
      return asBuffer(lz4.decompress(packed));
    case 4:
      return asBuffer(unzstd(packed));
    default:
      throw new Error(`a record batch is compressed with an unknown codec ${codec}`);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import type { Broker, Encoded } from 'kafkajs/src/cluster/index.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import { KafkaCodeError } from './errors.js';
import { readInt64, type AbortedTransaction } from './record-batch-decoder.js';

/** The five requests of the Kafka protocol that we encode ourselves; all others go through KafkaJS. */

export interface ProduceBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

export interface ProduceAnswer {
  readonly topic: string;
  readonly partition: number;
  /** 0: appended. */
  readonly code: number;
  /** −1 on a topic with create time. */
  readonly appendedAt: number;
}

/** One batch per partition, acknowledged by all replicas in sync. */
export function produce(
  broker: Broker,
  transactionalId: string | null,
  batches: readonly ProduceBatch[],
): Promise<ProduceAnswer[]> {
  const size = batches.reduce((sum, { bytes }) => sum + bytes.length + 64, 256);
  return call(
    broker,
    { key: 0, version: 7, name: 'Produce' },
    size,
    (encoder) => {
      encoder.writeString(transactionalId).writeInt16(-1).writeInt32(PRODUCE_TIMEOUT_MS);
      writeByTopic(encoder, batches, ({ partition, bytes }) =>
        encoder.writeInt32(partition).writeBytes(bytes),
      );
    },
    (reader) =>
      reader
        .array(() => {
          const topic = reader.string();
          return reader.array(() => {
            const answer = { topic, partition: reader.int32(), code: reader.int16() };
            reader.skip(8);
            const appendedAt = reader.int64();
            reader.skip(8);
            return { ...answer, appendedAt };
          });
        })
        .flat(),
  );
}

const PRODUCE_TIMEOUT_MS = 10_000;

export interface FetchWish {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchAnswer {
  readonly topic: string;
  readonly partition: number;
  /** 0: fine. */
  readonly code: number;
  readonly highWatermark: number;
  /** What a read-committed reader can see ends here; −1 with an error. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last of them possibly cut off. */
  readonly bytes: Buffer;
}

export interface FetchLimits {
  /** How long the broker may wait for the first record. */
  readonly waitMs: number;
  readonly partitionBytesMax: number;
}

/** Committed records only. */
export function fetchRecords(
  broker: Broker,
  wishes: readonly FetchWish[],
  limits: FetchLimits,
): Promise<FetchAnswer[]> {
  const api = { key: 1, version: 11, name: 'Fetch', timeoutMs: limits.waitMs + 10_000 };
  return call(
    broker,
    api,
    4_096,
    (encoder) => {
      encoder.writeInt32(-1).writeInt32(limits.waitMs).writeInt32(1).writeInt32(FETCH_BYTES_MAX).writeInt8(1);
      encoder.writeInt32(0).writeInt32(-1);
      writeByTopic(encoder, wishes, ({ partition, offset }) => {
        encoder.writeInt32(partition).writeInt32(-1);
        encoder.writeInt64(String(offset)).writeInt64('-1').writeInt32(limits.partitionBytesMax);
      });
      encoder.writeInt32(0).writeString('');
    },
    (reader) => {
      reader.skip(4);
      const code = reader.int16();
      if (code !== 0) throw new KafkaCodeError(code, 'Fetch');
      reader.skip(4);
      return reader
        .array(() => {
          const topic = reader.string();
          return reader.array(() => fetchedPartition(topic, reader));
        })
        .flat();
    },
  );
}

const FETCH_BYTES_MAX = 32 * 1024 * 1024;

function fetchedPartition(topic: string, reader: Reader): FetchAnswer {
  const head = {
    topic,
    partition: reader.int32(),
    code: reader.int16(),
    highWatermark: reader.int64(),
    lastStableOffset: reader.int64(),
    logStartOffset: reader.int64(),
    aborted: reader.array(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() })),
  };
  reader.skip(4);
  return { ...head, bytes: reader.bytes() };
}

export interface TransactionalProducer {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/**
 * Commits or aborts a transaction. Of an answer that is expected, KafkaJS makes an error: its stack was a fortieth of
 * what intake did.
 * @returns the broker's code: 0 where it is ended, 48 (INVALID_TXN_STATE) where there was none
 */
export function endTransaction(
  broker: Broker,
  producer: TransactionalProducer,
  commit: boolean,
): Promise<number> {
  return call(
    broker,
    { key: 26, version: 1, name: 'EndTxn' },
    128,
    (encoder) => {
      encoder.writeString(producer.transactionalId).writeInt64(producer.producerId);
      encoder.writeInt16(producer.producerEpoch).writeInt8(commit ? 1 : 0);
    },
    (reader) => {
      reader.skip(4);
      return reader.int16();
    },
  );
}

/**
 * A new epoch for a producer that says which one it has (KIP-360): refused when another writer has taken over,
 * which the older versions that KafkaJS speaks cannot ask for.
 * @throws KafkaCodeError
 */
export function bumpProducerEpoch(
  broker: Broker,
  producer: TransactionalProducer,
  transactionTimeoutMs: number,
): Promise<{ producerId: string; producerEpoch: number }> {
  return call(
    broker,
    { key: 22, version: 3, name: 'InitProducerId' },
    256,
    (encoder) => {
      // A flexible version: empty tag buffers end the header and the body.
      encoder.writeInt8(0).writeUVarIntString(producer.transactionalId).writeInt32(transactionTimeoutMs);
      encoder.writeInt64(producer.producerId).writeInt16(producer.producerEpoch).writeInt8(0);
    },
    (reader) => {
      reader.skip(5);
      const code = reader.int16();
      if (code !== 0) throw new KafkaCodeError(code, 'InitProducerId');
      return { producerId: reader.bigint64().toString(), producerEpoch: reader.int16() };
    },
  );
}

/**
 * Where a group stands in a partition, once no transaction is open any more that would move it (KIP-447), which the
 * older versions that KafkaJS speaks do not look at.
 * @returns the next offset to read; null where the group has committed nothing
 * @throws KafkaCodeError   UNSTABLE_OFFSET_COMMIT as long as there is such a transaction
 */
export async function fetchStableOffset(
  coordinator: Broker,
  group: string,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<number | null> {
  const answer = await call(
    coordinator,
    { key: 9, version: 7, name: 'OffsetFetch' },
    256,
    (encoder) => {
      // A flexible version: lengths are one more than they are, and tag buffers end each structure.
      encoder.writeInt8(0).writeUVarIntString(group);
      encoder.writeUVarInt(2).writeUVarIntString(topic);
      encoder.writeUVarInt(2).writeInt32(partition).writeInt8(0);
      encoder.writeInt8(1).writeInt8(0);
    },
    (reader) => {
      reader.skip(5);
      const found = reader.compactArray(() => {
        reader.compactString();
        const partitions = reader.compactArray(() => {
          reader.skip(4);
          const offset = reader.int64();
          reader.skip(4);
          reader.compactString();
          const code = reader.int16();
          reader.tags();
          return { offset, code };
        });
        reader.tags();
        return partitions;
      });
      return { code: reader.int16(), found: found.flat()[0] };
    },
  );
  const code = answer.code === 0 ? (answer.found?.code ?? 0) : answer.code;
  if (code !== 0) throw new KafkaCodeError(code, `OffsetFetch of ${topic}-${partition}`);
  const offset = answer.found?.offset ?? -1;
  return offset < 0 ? null : offset;
}

function writeByTopic<T extends { readonly topic: string }>(
  encoder: Encoder,
  items: readonly T[],
  write: (item: T) => void,
): void {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const same = topics.get(item.topic);
    if (same === undefined) topics.set(item.topic, [item]);
    else same.push(item);
  }
  encoder.writeInt32(topics.size);
  for (const [topic, partitions] of topics) {
    encoder.writeString(topic).writeInt32(partitions.length);
    for (const partition of partitions) write(partition);
  }
}

interface Api {
  readonly key: number;
  readonly version: number;
  readonly name: string;
  readonly timeoutMs?: number;
}

function call<T>(
  broker: Broker,
  api: Api,
  sizeHint: number,
  write: (encoder: Encoder) => void,
  read: (reader: Reader) => T,
): Promise<T> {
  return broker.connectionPool.send<T>({
    request: {
      apiKey: api.key,
      apiVersion: api.version,
      apiName: api.name,
      encode: (): Promise<Encoded> => {
        const encoder = new Encoder(sizeHint);
        write(encoder);
        return Promise.resolve(encoder);
      },
    },
    response: {
      decode: (payload) => Promise.resolve({ payload }),
      parse: (decoded) => Promise.resolve(read(new Reader(payloadOf(decoded)))),
    },
    logResponseError: false,
    ...(api.timeoutMs === undefined ? {} : { requestTimeout: api.timeoutMs }),
  });
}

function payloadOf(decoded: object): Buffer {
  if ('payload' in decoded && Buffer.isBuffer(decoded.payload)) return decoded.payload;
  throw new Error('kafkajs handed over an answer without its bytes');
}

class Reader {
  private at = 0;

  constructor(private readonly payload: Buffer) {}

  int16(): number {
    return this.payload.readInt16BE(this.advance(2));
  }

  int32(): number {
    return this.payload.readInt32BE(this.advance(4));
  }

  int64(): number {
    return readInt64(this.payload, this.advance(8));
  }

  bigint64(): bigint {
    return this.payload.readBigInt64BE(this.advance(8));
  }

  string(): string {
    return this.slice(this.int16()).toString('utf8');
  }

  bytes(): Buffer {
    return this.slice(this.int32());
  }

  array<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.int32(); left > 0; left--) items.push(item());
    return items;
  }

  compactString(): string {
    return this.slice(this.uvarint() - 1).toString('utf8');
  }

  compactArray<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.uvarint() - 1; left > 0; left--) items.push(item());
    return items;
  }

  /** Skips what newer brokers may have added. */
  tags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  skip(bytes: number): void {
    this.advance(bytes);
  }

  private uvarint(): number {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.payload.readUInt8(this.advance(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  private slice(length: number): Buffer {
    const from = this.advance(Math.max(length, 0));
    return this.payload.subarray(from, this.at);
  }

  private advance(bytes: number): number {
    const from = this.at;
    this.at += bytes;
    return from;
  }
}

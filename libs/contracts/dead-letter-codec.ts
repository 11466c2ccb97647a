/** Topic `dead-letters`: what was not an event, as it came, key `topic|partition`. */
import { createHash } from 'node:crypto';
import type { RejectReason, SourcePosition } from '#domain';
import {
  TOPICS,
  type DeadLetter,
  type DeadLetterCodec as DeadLetterPort,
  type KeyedValue,
  type StoredDeadLetter,
} from '#pipeline';
import { OwnTopic } from './own-topic.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';

/** A longer value is kept up to here, with the hash of all of it. */
export const DEAD_VALUE_BYTES_MAX = 64 * 1024;
export const DEAD_KEY_BYTES_MAX = 4 * 1024;
const DETAIL_LENGTH_MAX = 1_000;

interface WireDeadLetter {
  readonly source: SourcePosition;
  readonly arrivedAt: number;
  readonly reason: RejectReason;
  readonly detail: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly truncated: boolean;
}

export class DeadLetterCodec implements DeadLetterPort {
  private constructor(private readonly topic: OwnTopic<WireDeadLetter>) {}

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<DeadLetterCodec> {
    return new DeadLetterCodec(await OwnTopic.open(registry, catalog, TOPICS.deadLetters));
  }

  encode(letter: DeadLetter): KeyedValue {
    const { source, arrivedAt, reason, key, value } = letter;
    const sizeBytes = value?.length ?? 0;
    const encoded = this.topic.encode({
      source,
      arrivedAt,
      reason,
      detail: letter.detail.slice(0, DETAIL_LENGTH_MAX),
      key: key?.subarray(0, DEAD_KEY_BYTES_MAX) ?? null,
      value: value?.subarray(0, DEAD_VALUE_BYTES_MAX) ?? null,
      sizeBytes,
      sha256: createHash('sha256')
        .update(value ?? '')
        .digest('hex'),
      truncated: sizeBytes > DEAD_VALUE_BYTES_MAX || (key?.length ?? 0) > DEAD_KEY_BYTES_MAX,
    });
    return { key: `${source.topic}|${source.partition}`, value: encoded };
  }

  decode(value: Buffer): StoredDeadLetter {
    const wire = this.topic.decode(value);
    const { topic, partition, offset } = wire.source;
    return {
      source: { topic, partition, offset },
      arrivedAt: wire.arrivedAt,
      reason: wire.reason,
      detail: wire.detail,
      key: wire.key,
      value: wire.value,
      sizeBytes: wire.sizeBytes,
      sha256: wire.sha256,
      truncated: wire.truncated,
    };
  }
}

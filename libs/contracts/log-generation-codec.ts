/** Compacted topic `log-generations`: which generation a partition is folded as, key `log id|partition`. */
import {
  TOPICS,
  type KeyedValue,
  type LogGeneration,
  type LogGenerationCodec as GenerationPort,
} from '#pipeline';
import { OwnTopic } from './own-topic.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';

export class LogGenerationCodec implements GenerationPort {
  private constructor(private readonly topic: OwnTopic<LogGeneration>) {}

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<LogGenerationCodec> {
    return new LogGenerationCodec(await OwnTopic.open(registry, catalog, TOPICS.logGenerations));
  }

  encode(generation: LogGeneration): KeyedValue {
    return { key: `${generation.logId}|${generation.partition}`, value: this.topic.encode(generation) };
  }

  /** @throws LogCorruptError */
  decode(value: Buffer): LogGeneration {
    const { logId, partition, generation, epoch, position, foldVersion, beganAt } = this.topic.decode(value);
    return { logId, partition, generation, epoch, position, foldVersion, beganAt };
  }
}

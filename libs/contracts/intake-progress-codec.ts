/** Compacted topic `intake-progress`: how far each source partition has been read, key `topic|partition`. */
import {
  TOPICS,
  type IntakeProgress,
  type IntakeProgressCodec as ProgressPort,
  type KeyedValue,
} from '#pipeline';
import { OwnTopic } from './own-topic.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';

export class IntakeProgressCodec implements ProgressPort {
  private constructor(private readonly topic: OwnTopic<IntakeProgress>) {}

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<IntakeProgressCodec> {
    return new IntakeProgressCodec(await OwnTopic.open(registry, catalog, TOPICS.intakeProgress));
  }

  encode(progress: IntakeProgress): KeyedValue {
    return { key: `${progress.topic}|${progress.partition}`, value: this.topic.encode(progress) };
  }

  decode(value: Buffer): IntakeProgress {
    const { topic, partition, nextOffset, readTo, eventTo, caughtUp } = this.topic.decode(value);
    return { topic, partition, nextOffset, readTo, eventTo, caughtUp };
  }
}

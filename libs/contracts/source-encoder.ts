/** Source events to framed bytes, for everything of ours that produces them. */
import type { SourceTouchpoint } from '#domain';
import { camelCasedType } from './avro-schema.js';
import { FramedWriter } from './framing.js';
import { subjectOf, type SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';
import { SOURCE_KINDS, SOURCE_TOPICS, type SourceKind } from './source-topics.js';

export class SourceEncoder {
  private constructor(
    private readonly writers: Readonly<Record<SourceKind, FramedWriter<SourceTouchpoint>>>,
  ) {}

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<SourceEncoder> {
    const writerOf = async (kind: SourceKind): Promise<FramedWriter<SourceTouchpoint>> => {
      const { topic, text } = catalog.current(SOURCE_TOPICS[kind]);
      return new FramedWriter(await registry.idOf(subjectOf(topic), text), camelCasedType(text));
    };
    const [relation, visit, engagement, order, share] = await Promise.all(SOURCE_KINDS.map(writerOf));
    if (!relation || !visit || !engagement || !order || !share)
      throw new Error('a source kind has no writer');
    return new SourceEncoder({ relation, visit, engagement, order, share });
  }

  /** @throws if the event does not fit its schema (a number that is not a safe integer, say) */
  encode(event: SourceTouchpoint): Buffer {
    return this.writers[event.type].write(event);
  }
}

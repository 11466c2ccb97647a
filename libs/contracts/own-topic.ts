/** Reading and writing one of our own topics: ids of all its versions are known from the start. */
import { LogCorruptError } from '#pipeline';
import { camelCasedType, parseType, type AvroResolver, type AvroType } from './avro-schema.js';
import { FRAME_BYTES, frameId, FramedWriter } from './framing.js';
import { subjectOf, type SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';

export class OwnTopic<T> {
  private constructor(
    private readonly topic: string,
    private readonly type: AvroType,
    private readonly writer: FramedWriter<T>,
    /** By schema id; the current version needs none. */
    private readonly resolvers: ReadonlyMap<number, AvroResolver>,
  ) {}

  /**
   * Registers the current version where that is needed and allowed, and finds the ids of the older ones.
   * @throws RegistryUnavailableError
   */
  static async open<T>(
    registry: SchemaRegistry,
    catalog: SchemaCatalog,
    topic: string,
  ): Promise<OwnTopic<T>> {
    const type = camelCasedType(catalog.current(topic).text);
    const resolvers = new Map<number, AvroResolver>();
    let currentId = 0;
    // Oldest first, so that a fresh registry numbers the versions as we do.
    for (const version of catalog.versions(topic)) {
      currentId = await registry.idOf(subjectOf(topic), version.text);
      resolvers.set(currentId, type.createResolver(parseType(version.text)));
    }
    return new OwnTopic<T>(topic, type, new FramedWriter<T>(currentId, type), resolvers);
  }

  /** Id of the version that is written. */
  get id(): number {
    return this.writer.id;
  }

  encode(value: T): Buffer {
    return this.writer.write(value);
  }

  /** @throws LogCorruptError if the bytes are not a record of any version of this topic */
  decode(value: Buffer | null): T {
    const id = frameId(value);
    if (id === null || value === null) throw new LogCorruptError(`${this.topic}: a value without framing`);
    const isCurrent = id === this.writer.id;
    const resolver = isCurrent ? undefined : this.resolvers.get(id);
    if (!isCurrent && resolver === undefined) {
      throw new LogCorruptError(`${this.topic}: schema id ${id} is none of this version's or older`);
    }
    let read: { value: unknown; offset: number };
    try {
      read = this.type.decode(value, FRAME_BYTES, resolver);
    } catch (error) {
      throw new LogCorruptError(`${this.topic}: the bytes are not a record`, { cause: error });
    }
    if (read.offset !== value.length)
      throw new LogCorruptError(`${this.topic}: a record of the wrong length`);
    return read.value as T;
  }
}

/** Bytes of a source topic to a source event, or the typed reason why not. */
import type { DecodeReason, SourceTouchpoint } from '#domain';
import { messageOf, type DecodedSource, type SourceCodec } from '#pipeline';
import { camelCasedType, type AvroResolver, type AvroType } from './avro-schema.js';
import { FRAME_BYTES, frameId, MAGIC } from './framing.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';
import {
  DEFAULT_SOURCE_TOPIC_KINDS,
  SOURCE_TOPICS,
  type SourceKind,
  type SourceTopicKinds,
} from './source-topics.js';
import { WriterSchemas } from './writer-schemas.js';

export interface SourceDecoderOptions {
  readonly topics: SourceTopicKinds;
  /** Longest value that is decoded, framing included. */
  readonly valueBytesMax: number;
  /** How long an id that the registry does not know is not asked for again. */
  readonly missingIdMs: number;
  readonly now: () => number;
}

export const DEFAULT_SOURCE_DECODER_OPTIONS: SourceDecoderOptions = {
  topics: DEFAULT_SOURCE_TOPIC_KINDS,
  valueBytesMax: 256 * 1024,
  missingIdMs: 60_000,
  now: Date.now,
};

const MISSING_IDS_MAX = 10_000;

/** What reads one writer schema as one kind of event. */
type Binding =
  | { readonly resolver: AvroResolver }
  | { readonly resolver: null; readonly reason: DecodeReason; readonly detail: string };

export class SourceDecoder implements SourceCodec {
  private readonly writers: WriterSchemas;
  private readonly readers = new Map<string, Reader>();

  constructor(
    registry: SchemaRegistry,
    catalog: SchemaCatalog,
    private readonly options: SourceDecoderOptions = DEFAULT_SOURCE_DECODER_OPTIONS,
  ) {
    const { now, missingIdMs } = options;
    this.writers = new WriterSchemas(registry, { now, missingMs: missingIdMs, missingMax: MISSING_IDS_MAX });
    for (const [topic, kind] of options.topics) this.readers.set(topic, readerOf(catalog, kind));
  }

  async prepare(values: Iterable<Buffer | null>): Promise<void> {
    let wanted: Set<number> | null = null;
    let last: number | null = null;
    for (const value of values) {
      const id = frameId(value);
      if (id === null || id === last) continue;
      last = id;
      if (value !== null && value.length > this.options.valueBytesMax) continue;
      if (this.writers.mustAsk(id)) (wanted ??= new Set()).add(id);
    }
    if (wanted === null) return;
    this.writers.trim();
    await this.writers.ask(wanted);
  }

  /** @throws if `prepare` has not seen the value's id, or the topic is not a source topic */
  decode(topic: string, value: Buffer | null): DecodedSource {
    const reader = this.readers.get(topic);
    if (reader === undefined) throw new Error(`${topic} is not a source topic`);
    if (value === null || value.length === 0) return reject('EMPTY', 'no value');
    if (value.length > this.options.valueBytesMax) {
      return reject('TOO_LARGE', `${value.length} bytes, at most ${this.options.valueBytesMax}`);
    }
    if (value[0] !== MAGIC) return reject('UNFRAMED', `first byte is ${value[0]}`);
    if (value.length < FRAME_BYTES) return reject('TRUNCATED', `${value.length} bytes of framing`);
    const id = value.readInt32BE(1);
    const binding = reader.bindings.get(id) ?? this.bind(reader, id);
    if (binding.resolver === null) return reject(binding.reason, binding.detail);
    return readEvent(reader, binding.resolver, value);
  }

  private bind(reader: Reader, id: number): Binding {
    const writer = this.writers.get(id);
    if (writer === undefined) throw new Error(`schema id ${id} has not been prepared`);
    if (writer.state === 'missing') {
      // Not kept with the reader: the id may come to be.
      return { resolver: null, reason: 'UNKNOWN_SCHEMA_ID', detail: `schema id ${id}` };
    }
    const binding: Binding =
      writer.state === 'known' ? resolve(reader.type, writer.type, id) : wrongSchema(id, writer.detail);
    reader.bindings.set(id, binding);
    return binding;
  }
}

interface Reader {
  readonly type: AvroType;
  readonly bindings: Map<number, Binding>;
}

function readerOf(catalog: SchemaCatalog, kind: SourceKind): Reader {
  const { text } = catalog.current(SOURCE_TOPICS[kind]);
  return { type: camelCasedType(text, { type: kind }), bindings: new Map() };
}

function resolve(reader: AvroType, writer: AvroType, id: number): Binding {
  try {
    return { resolver: reader.createResolver(writer) };
  } catch (error) {
    return wrongSchema(id, messageOf(error));
  }
}

function wrongSchema(id: number, why: string): Binding {
  return { resolver: null, reason: 'WRONG_SCHEMA', detail: `schema id ${id}: ${why}` };
}

function readEvent(reader: Reader, resolver: AvroResolver, value: Buffer): DecodedSource {
  let read: { readonly value: unknown; readonly offset: number };
  try {
    read = reader.type.decode(value, FRAME_BYTES, resolver);
  } catch (error) {
    return reject('UNDECODABLE', messageOf(error));
  }
  const { value: event, offset: end } = read;
  if (end < 0) return reject('TRUNCATED', 'the record ends before its fields do');
  if (end < value.length) return reject('TRAILING_BYTES', `${value.length - end} bytes after the record`);
  // The reader type has the fields of SourceTouchpoint; a property test holds the two together.
  return { ok: true, event: event as SourceTouchpoint };
}

function reject(reason: DecodeReason, detail: string): DecodedSource {
  return { ok: false, reject: { reason, detail } };
}

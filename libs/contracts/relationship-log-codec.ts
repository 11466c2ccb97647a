/** The value of a relationship-log record. */
import type { LogEntry } from '#domain';
import { TOPICS, type DetailedEntry, type EntryExtras, type LogCodec } from '#pipeline';
import { assertVersion } from './current-version.js';
import { FRAME_BYTES, frameId } from './framing.js';
import { LogEntryReader, READER_VERSION } from './log-entry-reader.js';
import { LogEntryWriter } from './log-entry-writer.js';
import { fromWire } from './log-from-wire.js';
import { isControl, toWire } from './log-to-wire.js';
import type { WireEntry } from './log-wire.js';
import { OwnTopic } from './own-topic.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';

const NO_EXTRAS: EntryExtras = { detail: null, source: null };

export class RelationshipLogCodec implements LogCodec {
  private readonly reader = new LogEntryReader();
  private readonly writer: LogEntryWriter;

  private constructor(private readonly topic: OwnTopic<WireEntry>) {
    this.writer = new LogEntryWriter(topic.id);
  }

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<RelationshipLogCodec> {
    assertVersion(catalog, TOPICS.relationshipLog, READER_VERSION);
    return new RelationshipLogCodec(await OwnTopic.open(registry, catalog, TOPICS.relationshipLog));
  }

  encode(entry: LogEntry, extras: EntryExtras = NO_EXTRAS): Buffer {
    return isControl(entry) ? this.topic.encode(toWire(entry)) : this.writer.write(entry, extras);
  }

  decode(value: Buffer | null): LogEntry {
    if (value === null || frameId(value) !== this.topic.id) return this.decodeDetailed(value).entry;
    return this.reader.read(value, FRAME_BYTES);
  }

  decodeDetailed(value: Buffer | null): DetailedEntry {
    return fromWire(this.topic.decode(value));
  }
}

import { describe, expect, it } from '@jest/globals';
import type { SourceVisit } from '#domain';
import { RegistryUnavailableError } from '#pipeline';
import { LocalSchemaRegistry, localSchemaId } from './local-schema-registry.js';
import { SchemaCatalog } from './schema-catalog.js';
import type { FoundSchema, SchemaCheck, SchemaRegistry } from './schema-registry.js';
import { DEFAULT_SOURCE_DECODER_OPTIONS, SourceDecoder } from './source-decoder.js';
import { SourceEncoder } from './source-encoder.js';

/** A registry whose content, answers and availability the test decides. */
class ScriptedRegistry implements SchemaRegistry {
  readonly asked: number[] = [];
  readonly schemas = new Map<number, FoundSchema>();
  away = false;
  private readonly local = new LocalSchemaRegistry(catalog);

  idOf(subject: string, schemaText: string): Promise<number> {
    return this.local.idOf(subject, schemaText);
  }

  schemaOf(id: number): Promise<FoundSchema | null> {
    this.asked.push(id);
    if (this.away) return Promise.reject(new RegistryUnavailableError('away'));
    const own = this.schemas.get(id);
    return own === undefined ? this.local.schemaOf(id) : Promise.resolve(own);
  }

  check(subject: string, schemaText: string): Promise<SchemaCheck> {
    return this.local.check(subject, schemaText);
  }
}

const catalog = SchemaCatalog.load();
const VISITS = 'touchpoint.visit';
const visitText = catalog.current(VISITS).text;
const encoder = await SourceEncoder.open(new LocalSchemaRegistry(catalog), catalog);

const visit: SourceVisit = {
  type: 'visit',
  eventId: 'e1',
  brand: 'b',
  person: 'p',
  channel: null,
  occurredAt: 1,
  sentAt: 2,
  origin: 'LIVE',
  actor: 'CUSTOMER',
  campaign: null,
  entrySource: null,
  publicDomain: false,
  paid: false,
  mechanism: null,
  guide: null,
  shareId: null,
  itemId: null,
  roomId: null,
  groupId: null,
  contentId: null,
  surface: 'PAGE',
  dwellMs: null,
};
const value = encoder.encode(visit);

function withId(id: number): Buffer {
  const copy = Buffer.from(value);
  copy.writeInt32BE(id, 1);
  return copy;
}

async function reasonOf(bytes: Buffer | null, registry = new ScriptedRegistry()): Promise<string> {
  const decoder = new SourceDecoder(registry, catalog);
  await decoder.prepare([bytes]);
  const decoded = decoder.decode(VISITS, bytes);
  return decoded.ok ? 'ok' : decoded.reject.reason;
}

/** The visit schema with one change to its text. */
function variant(change: (schema: { fields: unknown[]; name: string }) => void): FoundSchema {
  const schema = JSON.parse(visitText) as { fields: unknown[]; name: string };
  change(schema);
  return { avro: true, text: JSON.stringify(schema) };
}

describe('SourceDecoder', () => {
  it.each([
    ['EMPTY', null],
    ['EMPTY', Buffer.alloc(0)],
    ['TOO_LARGE', Buffer.alloc(DEFAULT_SOURCE_DECODER_OPTIONS.valueBytesMax + 1)],
    ['UNFRAMED', Buffer.from('{"event_id":"e1"}')],
    ['TRUNCATED', value.subarray(0, 3)],
    ['TRUNCATED', value.subarray(0, value.length - 4)],
    ['TRAILING_BYTES', Buffer.concat([value, Buffer.of(0)])],
    ['UNKNOWN_SCHEMA_ID', withId(99)],
    ['WRONG_SCHEMA', withId(localSchemaId('touchpoint.order', 1))],
    ['UNDECODABLE', Buffer.concat([value.subarray(0, value.length - 2), Buffer.of(0x7e, 0)])],
  ])('rejects as %s', async (reason, bytes) => {
    expect(await reasonOf(bytes)).toBe(reason);
  });

  it.each<[string, FoundSchema]>([
    ['of another kind', { avro: false, detail: 'PROTOBUF' }],
    ['that is no schema', { avro: true, text: '{"type":"nonsense"}' }],
    ['without a field that must be there', variant((schema) => schema.fields.splice(0, 1))],
    ['of another name', variant((schema) => (schema.name = 'Other'))],
    [
      'that could ask for endless work',
      variant((schema) => schema.fields.push({ name: 'tags', type: { type: 'array', items: 'null' } })),
    ],
    [
      'that holds itself',
      variant((schema) => schema.fields.push({ name: 'self', type: ['null', 'Visit'], default: null })),
    ],
  ])('rejects a schema %s as WRONG_SCHEMA', async (_title, schema) => {
    const registry = new ScriptedRegistry();
    registry.schemas.set(5, schema);
    expect(await reasonOf(withId(5), registry)).toBe('WRONG_SCHEMA');
  });

  it('skips a field and understands a symbol that are newer than itself', async () => {
    const newer = variant((schema) => {
      schema.fields.unshift({ name: 'new_field', type: 'string' });
      const surface = schema.fields.at(-2) as { type: { symbols: string[] } };
      surface.type.symbols.push('HOLOGRAM');
    });
    const registry = new ScriptedRegistry();
    registry.schemas.set(7, newer);
    const decoder = new SourceDecoder(registry, catalog);
    const frame = Buffer.of(0, 0, 0, 0, 7);
    const body = Buffer.concat([Buffer.of(2, 0x78), value.subarray(5, -2), Buffer.of(7 * 2, 0)]);
    const bytes = Buffer.concat([frame, body]);
    await decoder.prepare([bytes]);
    expect(decoder.decode(VISITS, bytes)).toEqual({ ok: true, event: { ...visit, surface: 'UNKNOWN' } });
  });

  it('asks for an id once, and for a missing one again only after a while', async () => {
    const registry = new ScriptedRegistry();
    let now = 0;
    const decoder = new SourceDecoder(registry, catalog, {
      ...DEFAULT_SOURCE_DECODER_OPTIONS,
      missingIdMs: 1_000,
      now: () => now,
    });
    const missing = withId(99);
    await decoder.prepare([value, missing, value, missing]);
    await decoder.prepare([missing, value]);
    expect(registry.asked.filter((id) => id === 99)).toHaveLength(1);
    now = 1_000;
    // Due again, but not answered yet: what is known still holds.
    expect(decoder.decode(VISITS, missing)).toMatchObject({ reject: { reason: 'UNKNOWN_SCHEMA_ID' } });
    registry.schemas.set(99, { avro: true, text: visitText });
    await decoder.prepare([missing]);
    expect(decoder.decode(VISITS, missing)).toEqual({ ok: true, event: visit });
    expect(registry.asked).toHaveLength(3);
  });

  it('throws while the registry is away, and goes on when it is back', async () => {
    const registry = new ScriptedRegistry();
    registry.away = true;
    const decoder = new SourceDecoder(registry, catalog);
    await expect(decoder.prepare([value])).rejects.toThrow(RegistryUnavailableError);
    expect(() => decoder.decode(VISITS, value)).toThrow('has not been prepared');
    registry.away = false;
    await decoder.prepare([value]);
    expect(decoder.decode(VISITS, value)).toEqual({ ok: true, event: visit });
  });

  it('reads any topic that is said to hold a kind', async () => {
    const topics = new Map([['shop.visits', 'visit' as const]]);
    const options = { ...DEFAULT_SOURCE_DECODER_OPTIONS, topics };
    const decoder = new SourceDecoder(new ScriptedRegistry(), catalog, options);
    await decoder.prepare([value]);
    expect(decoder.decode('shop.visits', value).ok).toBe(true);
    expect(() => decoder.decode(VISITS, value)).toThrow('not a source topic');
  });
});

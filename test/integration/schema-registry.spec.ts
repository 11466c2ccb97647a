/** The registry adapter on a real registry, and what happens while it is away. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SchemaRegistry as PlainClient } from '@kafkajs/confluent-schema-registry';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  ConfluentSchemaRegistry,
  IncompatibleSchemaError,
  RelationshipLogCodec,
  SchemaCatalog,
  SourceDecoder,
  SourceEncoder,
  subjectOf,
  UnregisteredSchemaError,
  whileRegistryAway,
} from '#contracts';
import type { SourceVisit } from '#domain';
import { RegistryUnavailableError } from '#pipeline';
import { RegistryServer } from '../servers/registry-server.js';
import { describeWithServers } from '../servers/servers.js';

const catalog = SchemaCatalog.load();
const VISITS = 'touchpoint.visit';
const UNIQUE = `test${process.pid}-${Date.now()}`;

const visit: SourceVisit = {
  type: 'visit',
  eventId: 'e1',
  brand: 'b',
  person: 'p',
  channel: 'live',
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
  surface: 'ITEM',
  dwellMs: 12,
};

function registryAt(url: string, register = true): ConfluentSchemaRegistry {
  return new ConfluentSchemaRegistry({ url, auth: null, register, timeoutMs: 2_000 });
}

await describeWithServers('schema registry', ({ registryUrl }) => {
  it('registers every schema of ours, once', async () => {
    const ids = new Map<string, number>();
    for (const topic of catalog.topics()) {
      const { text } = catalog.current(topic);
      ids.set(topic, await registryAt(registryUrl).idOf(subjectOf(topic), text));
      expect(await registryAt(registryUrl).idOf(subjectOf(topic), text)).toBe(ids.get(topic));
      const state = await registryAt(registryUrl).check(subjectOf(topic), text);
      expect(state).toEqual({ state: 'registered', id: ids.get(topic) });
    }
    expect(new Set(ids.values()).size).toBe(catalog.topics().length);
  });

  it('reads what a plain client has written, and writes what it reads', async () => {
    const registry = registryAt(registryUrl);
    const encoder = await SourceEncoder.open(registry, catalog);
    const decoder = new SourceDecoder(registryAt(registryUrl), catalog);
    const plain = new PlainClient({ host: registryUrl });
    const ours = encoder.encode(visit);
    const seen = (await plain.decode(ours)) as Record<string, unknown>;
    expect(seen).toMatchObject({ event_id: 'e1', surface: 'ITEM', dwell_ms: 12 });
    const theirs = await plain.encode(ours.readInt32BE(1), seen);
    await decoder.prepare([theirs]);
    expect(decoder.decode(VISITS, theirs)).toEqual({ ok: true, event: visit });
  });

  it('says of an id that does not exist, and of another topic’s, what they are', async () => {
    const registry = registryAt(registryUrl);
    const log = await RelationshipLogCodec.open(registry, catalog);
    const decoder = new SourceDecoder(registry, catalog);
    const missing = Buffer.of(0, 0x7f, 0xff, 0xff, 0xff, 0);
    const foreign = log.encode({ type: 'tick', at: 1, arrivedAt: 1 });
    await decoder.prepare([missing, foreign]);
    expect(decoder.decode(VISITS, missing)).toMatchObject({ reject: { reason: 'UNKNOWN_SCHEMA_ID' } });
    expect(decoder.decode(VISITS, foreign)).toMatchObject({ reject: { reason: 'WRONG_SCHEMA' } });
  });

  it('tells a compatible schema from one that breaks readers', async () => {
    const subject = `${UNIQUE}-value`;
    const registry = registryAt(registryUrl);
    const { text } = catalog.current('tiers');
    const grown = changed(text, (fields) => fields.push({ name: 'extra', type: 'int', default: 0 }));
    const broken = changed(text, (fields) => fields.push({ name: 'extra', type: 'int' }));
    expect(await registry.check(subject, text)).toEqual({ state: 'new' });
    await expect(registryAt(registryUrl, false).idOf(subject, text)).rejects.toThrow(UnregisteredSchemaError);
    await registry.idOf(subject, text);
    expect(await registry.check(subject, grown)).toEqual({ state: 'compatible' });
    expect(await registry.check(subject, broken)).toMatchObject({ state: 'incompatible' });
    await expect(registry.idOf(subject, broken)).rejects.toThrow(IncompatibleSchemaError);
    expect(await registry.idOf(subject, grown)).not.toBe(await registry.idOf(subject, text));
  });

  describe('away', () => {
    let server: RegistryServer | null = null;
    afterAll(() => server?.stop());

    it('at the start or in the middle is waited for', async () => {
      server = await RegistryServer.start();
      const registry = registryAt(server.url);
      await server.kill();
      await expect(SourceEncoder.open(registry, catalog)).rejects.toThrow(RegistryUnavailableError);
      await expect(registry.schemaOf(1)).rejects.toThrow(RegistryUnavailableError);
      await expect(registry.check('s', '"string"')).rejects.toThrow(RegistryUnavailableError);
      const waits: number[] = [];
      const opening = whileRegistryAway(() => SourceEncoder.open(registry, catalog), {
        firstDelayMs: 100,
        delayMaxMs: 400,
        onWait: (_error, delayMs) => waits.push(delayMs),
      });
      await server.restart();
      const encoder = await opening;
      expect(waits.slice(0, 3)).toEqual([100, 200, 400]);
      expect(encoder.encode(visit).length).toBeGreaterThan(5);
    }, 240_000);

    it('or silent counts as away', async () => {
      if (server === null) throw new Error('no registry');
      await server.kill('SIGSTOP');
      const silent = new ConfluentSchemaRegistry({
        url: server.url,
        auth: null,
        register: true,
        timeoutMs: 300,
      });
      await expect(silent.schemaOf(1)).rejects.toThrow(RegistryUnavailableError);
      await server.kill('SIGCONT');
    }, 60_000);
  });
});

describe('an address that is not a registry', () => {
  it('is never believed to say that an id does not exist', async () => {
    const website = createServer((_request, response) => response.writeHead(404).end('<h1>Not found</h1>'));
    await new Promise<void>((done) => website.listen(0, '127.0.0.1', done));
    const { port } = website.address() as AddressInfo;
    const registry = registryAt(`http://127.0.0.1:${port}`);
    await expect(registry.schemaOf(1)).rejects.toThrow(RegistryUnavailableError);
    const { text } = catalog.current('tiers');
    await expect(registry.idOf('tiers-value', text)).rejects.toThrow(RegistryUnavailableError);
    website.closeAllConnections();
    await new Promise((done) => website.close(done));
  });

  it('or that is not there', async () => {
    const registry = registryAt('http://127.0.0.1:1');
    await expect(registry.schemaOf(1)).rejects.toThrow(RegistryUnavailableError);
    await expect(registry.idOf('s', '"string"')).rejects.toThrow(RegistryUnavailableError);
  });
});

function changed(text: string, change: (fields: unknown[]) => void): string {
  const schema = JSON.parse(text) as { fields: unknown[] };
  change(schema.fields);
  return JSON.stringify(schema);
}

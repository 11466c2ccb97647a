/**
 * Every schema version has golden samples: `v<n>[.<name>].json` (Avro's JSON encoding) and the same record as
 * bytes in `.bin`. They are what is in people's topics: a difference here is a break of the format.
 *
 * For a new version write its `.json` and run this spec once with GOLDEN=write, which makes the missing `.bin`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LogCorruptError } from '#pipeline';
import { parseType } from './avro-schema.js';
import { LocalSchemaRegistry, localSchemaId } from './local-schema-registry.js';
import { RelationshipLogCodec } from './relationship-log-codec.js';
import { SchemaCatalog, type SchemaVersion } from './schema-catalog.js';
import { schemaDirectory } from './schema-directory.js';

const catalog = SchemaCatalog.load();
const INSTRUCTIONS =
  'the bytes of a released schema version have changed. If the version is new, delete its .bin and run ' +
  'GOLDEN=write node scripts/test.mjs libs/contracts/golden-samples.spec.ts; if it is not, add a new version instead.';

interface Sample {
  readonly name: string;
  readonly json: string;
  readonly binPath: string;
}

function samplesOf({ topic, version }: SchemaVersion): readonly Sample[] {
  const directory = join(schemaDirectory(), topic);
  return readdirSync(directory)
    .filter(
      (name) => name === `v${version}.json` || (name.startsWith(`v${version}.`) && name.endsWith('.json')),
    )
    .map((name) => ({
      name: `${topic}/${name}`,
      json: readFileSync(join(directory, name), 'utf8'),
      binPath: join(directory, name.replace(/\.json$/, '.bin')),
    }));
}

describe.each(catalog.topics().flatMap((topic) => catalog.versions(topic)))(
  'golden samples of $topic v$version',
  (version) => {
    const type = parseType(version.text);
    const samples = samplesOf(version);

    it('exist', () => {
      expect(samples.length).toBeGreaterThan(0);
    });

    it.each(samples)('$name', ({ name, json, binPath }) => {
      const encoded = type.toBuffer(type.fromString(json));
      if (!existsSync(binPath) && process.env.GOLDEN === 'write') writeFileSync(binPath, encoded);
      const golden = readFileSync(binPath);
      if (!golden.equals(encoded)) throw new Error(`${name}: ${INSTRUCTIONS}`);
      expect(JSON.parse(type.toString(type.fromBuffer(golden)))).toEqual(JSON.parse(json));
    });
  },
);

describe('golden samples of the relationship log', () => {
  it('show every kind of entry, and both readers agree on them', async () => {
    const codec = await RelationshipLogCodec.open(new LocalSchemaRegistry(catalog), catalog);
    const { topic, version } = catalog.current('relationship-log');
    const frame = Buffer.alloc(5);
    frame.writeInt32BE(localSchemaId(topic, version), 1);
    const kinds = samplesOf(catalog.current(topic)).map(({ binPath }) => {
      const value = Buffer.concat([frame, readFileSync(binPath)]);
      const { entry } = codec.decodeDetailed(value);
      expect(codec.decode(value)).toEqual(entry);
      return entry.type;
    });
    expect(kinds.sort()).toEqual(
      ['credit', 'engagement', 'epochRaised', 'link', 'orderPaid', 'orderRefunded', 'presaleDeposit']
        .concat(['note', 'review', 'rulesSet', 'shareClicked', 'shared', 'tick', 'visit'])
        .sort(),
    );
  });

  it('has notes that stop a fold which does not act upon them', async () => {
    const codec = await RelationshipLogCodec.open(new LocalSchemaRegistry(catalog), catalog);
    const { topic, version, text } = catalog.current('relationship-log');
    const type = parseType(text);
    const frame = Buffer.alloc(5);
    frame.writeInt32BE(localSchemaId(topic, version), 1);
    const sample = readFileSync(join(schemaDirectory(), topic, `v${version}.note.json`), 'utf8');
    for (const kind of ['IDENTITY', 'ERASURE', 'UNKNOWN']) {
      const record = type.toBuffer(type.fromString(sample.replace('"MANAGER"', `"${kind}"`)));
      const value = Buffer.concat([frame, record]);
      expect(() => codec.decode(value)).toThrow(LogCorruptError);
      expect(() => codec.decodeDetailed(value)).toThrow(LogCorruptError);
    }
  });
});

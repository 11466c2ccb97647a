/** A reader of any version reads the bytes of every older one: what a registry set to BACKWARD_TRANSITIVE asks. */
import { describe, expect, it } from '@jest/globals';
import { parseType } from './avro-schema.js';
import { SchemaCatalog } from './schema-catalog.js';

const catalog = SchemaCatalog.load();

interface Documented {
  readonly doc?: unknown;
  readonly name?: unknown;
  readonly default?: unknown;
  readonly symbols?: readonly unknown[];
  readonly fields?: readonly Documented[];
}

function undocumented(schema: unknown, path: string): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap((part) => undocumented(part, path));
  if (typeof schema !== 'object' || schema === null) return [];
  const part = schema as Documented & { readonly type?: unknown; readonly items?: unknown };
  const at = typeof part.name === 'string' ? `${path}.${part.name}` : path;
  const own = typeof part.name === 'string' && typeof part.doc !== 'string' ? [`${at}: no doc`] : [];
  const symbols =
    part.symbols !== undefined && part.default === undefined ? [`${at}: no default symbol`] : [];
  return [
    ...own,
    ...symbols,
    ...(part.fields ?? []).flatMap((field) => undocumented(field, at)),
    ...undocumented(part.type, at),
    ...undocumented(part.items, at),
  ];
}

describe.each(catalog.topics())('schemas of %s', (topic) => {
  const versions = catalog.versions(topic);

  it('are numbered from 1 without a gap', () => {
    expect(versions.map(({ version }) => version)).toEqual(versions.map((_version, index) => index + 1));
  });

  it('read every older version', () => {
    for (const reader of versions) {
      for (const writer of versions.slice(0, reader.version)) {
        expect(() => parseType(reader.text).createResolver(parseType(writer.text))).not.toThrow();
      }
    }
  });

  it('say what every field means, and give every enum a default symbol', () => {
    for (const { text, version } of versions)
      expect(undocumented(JSON.parse(text), `v${version}`)).toEqual([]);
  });
});

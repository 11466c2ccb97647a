/** The registry of the embedded log: the files under `schemas/`, no network. */
import { createHash } from 'node:crypto';
import { parseType } from './avro-schema.js';
import { SchemaCatalog, subjectOf, type SchemaVersion } from './schema-catalog.js';
import {
  UnregisteredSchemaError,
  type FoundSchema,
  type SchemaCheck,
  type SchemaRegistry,
} from './schema-registry.js';

export class LocalSchemaRegistry implements SchemaRegistry {
  private readonly byId = new Map<number, SchemaVersion>();
  private readonly bySubject = new Map<string, { readonly id: number; readonly canonical: string }[]>();

  constructor(catalog: SchemaCatalog = SchemaCatalog.load()) {
    for (const topic of catalog.topics()) {
      for (const version of catalog.versions(topic)) this.add(version);
    }
  }

  idOf(subject: string, schemaText: string): Promise<number> {
    const canonical = canonicalForm(schemaText);
    const found = this.bySubject.get(subject)?.find((known) => known.canonical === canonical);
    if (found !== undefined) return Promise.resolve(found.id);
    return Promise.reject(new UnregisteredSchemaError(`${subject}: not among the files of schemas/`));
  }

  schemaOf(id: number): Promise<FoundSchema | null> {
    const found = this.byId.get(id);
    return Promise.resolve(found === undefined ? null : { avro: true, text: found.text });
  }

  async check(subject: string, schemaText: string): Promise<SchemaCheck> {
    try {
      return { state: 'registered', id: await this.idOf(subject, schemaText) };
    } catch (error) {
      if (error instanceof UnregisteredSchemaError) return { state: 'incompatible', detail: error.message };
      throw error;
    }
  }

  private add(version: SchemaVersion): void {
    const id = localSchemaId(version.topic, version.version);
    const other = this.byId.get(id);
    if (other !== undefined) throw new Error(`${version.topic} and ${other.topic} have the same local id`);
    this.byId.set(id, version);
    const subject = subjectOf(version.topic);
    const known = this.bySubject.get(subject) ?? [];
    known.push({ id, canonical: canonicalForm(version.text) });
    this.bySubject.set(subject, known);
  }
}

/**
 * A positive 31-bit id from topic and version alone, so that a persisted log stays readable whatever files are
 * added, and whatever is reworded in a doc string.
 */
export function localSchemaId(topic: string, version: number): number {
  const digest = createHash('sha256').update(`${topic}/v${version}`).digest();
  return (digest.readUInt32BE(0) >>> 1) | 1;
}

function canonicalForm(schemaText: string): string {
  return JSON.stringify(parseType(schemaText).schema({ exportAttrs: true }));
}

/** The Avro files under `schemas/<topic>/v<n>.avsc`, read once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaDirectory } from './schema-directory.js';

export interface SchemaVersion {
  readonly topic: string;
  /** From 1. */
  readonly version: number;
  /** The file's text. */
  readonly text: string;
}

const FILE = /^v(\d+)\.avsc$/;

export class SchemaCatalog {
  private constructor(private readonly byTopic: ReadonlyMap<string, readonly SchemaVersion[]>) {}

  /** @throws if the directory has no schemas */
  static load(directory: string = schemaDirectory()): SchemaCatalog {
    const byTopic = new Map<string, readonly SchemaVersion[]>();
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) byTopic.set(entry.name, versionsIn(directory, entry.name));
    }
    if (byTopic.size === 0) throw new Error(`no schemas in ${directory}`);
    return new SchemaCatalog(byTopic);
  }

  topics(): readonly string[] {
    return [...this.byTopic.keys()].sort();
  }

  /** Oldest first. */
  versions(topic: string): readonly SchemaVersion[] {
    const versions = this.byTopic.get(topic);
    if (versions === undefined) throw new Error(`no schema for topic ${topic}`);
    return versions;
  }

  /** The newest version: what we write, and read everything as. */
  current(topic: string): SchemaVersion {
    const newest = this.versions(topic).at(-1);
    if (newest === undefined) throw new Error(`no schema version for topic ${topic}`);
    return newest;
  }
}

function versionsIn(directory: string, topic: string): readonly SchemaVersion[] {
  const found: SchemaVersion[] = [];
  for (const name of readdirSync(join(directory, topic))) {
    const version = FILE.exec(name)?.[1];
    if (version === undefined) continue;
    found.push({ topic, version: Number(version), text: readFileSync(join(directory, topic, name), 'utf8') });
  }
  return found.sort((a, b) => a.version - b.version);
}

/** TopicNameStrategy. */
export function subjectOf(topic: string): string {
  return `${topic}-value`;
}

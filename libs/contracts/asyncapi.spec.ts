/** `schemas/asyncapi.yaml` names every topic with its newest schema, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SchemaCatalog } from './schema-catalog.js';
import { schemaDirectory } from './schema-directory.js';
import { topicSpecs } from './topics.js';

const text = readFileSync(join(schemaDirectory(), 'asyncapi.yaml'), 'utf8');
const catalog = SchemaCatalog.load();

function all(pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '').sort();
}

describe('asyncapi.yaml', () => {
  it('has one channel for each topic', () => {
    expect(all(/^ {4}address: (.+)$/gm)).toEqual(catalog.topics());
  });

  it('refers to the newest schema of each topic', () => {
    const files = catalog.topics().map((topic) => `./${topic}/v${catalog.current(topic).version}.avsc`);
    expect(all(/\$ref: '(\.\/[^']+)'/g)).toEqual(files.sort());
  });

  it('refers only to what it defines', () => {
    const defined = new Set(all(/^ {2,4}([A-Za-z]+):$/gm));
    for (const name of all(/\$ref: '#\/[a-z/]+\/([A-Za-z]+)'/g)) expect(defined).toContain(name);
  });
});

describe('topicSpecs', () => {
  it('has every topic that has a schema', () => {
    const topics = topicSpecs({ relationshipLogPartitions: 8 }).map(({ topic }) => topic);
    expect(topics.sort()).toEqual(catalog.topics());
  });

  it('compacts the topics that hold a latest value', () => {
    const compacted = topicSpecs({ relationshipLogPartitions: 8 }).filter((spec) => spec.compacted);
    expect(compacted.map(({ topic }) => topic).sort()).toEqual([
      'intake-progress',
      'log-generations',
      'tiers',
    ]);
  });
});

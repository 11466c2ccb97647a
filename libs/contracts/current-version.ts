import type { SchemaCatalog } from './schema-catalog.js';

/**
 * Code that reads or writes the bytes of one schema version by itself says so here.
 * @throws Error when the catalog has a newer one: that code has to follow it
 */
export function assertVersion(catalog: SchemaCatalog, topic: string, version: number): void {
  const newest = catalog.current(topic).version;
  if (newest === version) return;
  throw new Error(`the codec of ${topic} is for version ${version} of its schema, the newest is ${newest}`);
}

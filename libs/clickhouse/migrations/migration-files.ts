import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitStatements } from '../sql-text.js';

/** Fills the placeholders, so that one tree of files serves an embedded engine, one server and a cluster. */
export interface MigrationTarget {
  /** Name of the cluster for `ON CLUSTER`; null for a single server or the embedded engine. */
  readonly cluster: string | null;
  /** Whether tables are replicated (needs Keeper). */
  readonly replicated: boolean;
}

export interface Migration {
  /** File name without `.sql`; the number in front orders it. */
  readonly name: string;
  readonly statements: readonly string[];
  /** SHA-256 over the rendered text, hex. */
  readonly checksum: string;
}

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
const CLUSTER_NAME = /^[A-Za-z0-9_-]+$/;

function placeholders(target: MigrationTarget): ReadonlyMap<string, string> {
  if (target.cluster !== null && !CLUSTER_NAME.test(target.cluster))
    throw new MigrationError(
      `cluster: expected letters, digits, - or _, got ${JSON.stringify(target.cluster)}`,
    );
  return new Map([
    ['ON_CLUSTER', target.cluster === null ? '' : `ON CLUSTER '${target.cluster}'`],
    ['REPLICATED', target.replicated ? 'Replicated' : ''],
  ]);
}

function render(name: string, sql: string, values: ReadonlyMap<string, string>): string {
  return sql.replaceAll('\r\n', '\n').replace(/\$\{(\w+)\}/g, (placeholder, key: string) => {
    const value = values.get(key);
    if (value === undefined)
      throw new MigrationError(
        `${name}: unknown placeholder ${placeholder} (known: ${[...values.keys()].join(', ')})`,
      );
    return value;
  });
}

/** @throws MigrationError if the directory has no migrations, or two of one number, or an unknown placeholder */
export async function readMigrations(
  directory: string,
  target: MigrationTarget,
): Promise<readonly Migration[]> {
  const values = placeholders(target);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
  if (files.length === 0) throw new MigrationError(`no .sql files in ${directory}`);
  const migrations: Migration[] = [];
  let previous = '';
  for (const file of files) {
    const number = FILE_NAME.exec(file)?.[1];
    if (number === undefined) throw new MigrationError(`${file}: expected a name like 0001_what_it_does.sql`);
    if (number === previous) throw new MigrationError(`${file}: there are two migrations ${number}`);
    previous = number;
    const text = render(file, await readFile(join(directory, file), 'utf8'), values);
    migrations.push({
      name: file.slice(0, -'.sql'.length),
      statements: splitStatements(text),
      checksum: createHash('sha256').update(text).digest('hex'),
    });
  }
  return migrations;
}

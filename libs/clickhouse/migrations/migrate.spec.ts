import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmbeddedClickHouse, MIGRATIONS, openEmbeddedClickHouse } from '#testing';
import { rowOf, text } from '../row-reader.js';
import { migrate } from './migrate.js';
import { readMigrations } from './migration-files.js';

/** Of the files there are. */
const NUMBERS = (await readdir(MIGRATIONS)).map((file) => file.slice(0, 4)).sort();
const steps = (action: string) => NUMBERS.map((number) => `${number} ${action}`);

describe('migrate', () => {
  let directory: string;
  let engine: EmbeddedClickHouse;
  let clock = 1_700_000_000_000;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gravity-migrations-'));
    await cp(MIGRATIONS, directory, { recursive: true });
    engine = await openEmbeddedClickHouse({ migrated: false });
  });

  afterEach(async () => {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  const apply = async (dryRun = false): Promise<readonly string[]> => {
    const done = await migrate(engine.clickhouse, { directory, dryRun, now: () => ++clock });
    return done.map(({ name, action }) => `${name.slice(0, 4)} ${action}`);
  };

  const journal = async (): Promise<readonly string[]> => {
    const rows = await engine.clickhouse.query({
      sql: "SELECT concat(left(name, 4), ' ', toString(state)) AS entry FROM gravity.schema_migrations ORDER BY sequence",
      row: rowOf({ entry: text }),
    });
    return rows.map(({ entry }) => entry);
  };

  it('plans without changing anything, applies once, then has nothing to do', async () => {
    expect(await apply(true)).toEqual(steps('apply'));
    const databases = await engine.clickhouse.query({ sql: 'SHOW DATABASES', row: rowOf({ name: text }) });
    expect(databases.map(({ name }) => name)).not.toContain('gravity');

    expect(await apply()).toEqual(steps('apply'));
    expect(await journal()).toEqual(NUMBERS.flatMap((number) => [`${number} started`, `${number} applied`]));
    expect(await apply()).toEqual(steps('none'));
    expect(await journal()).toHaveLength(2 * NUMBERS.length);
  });

  it('refuses an applied file that has changed or is gone, naming it', async () => {
    await apply();
    await writeFile(join(directory, '9000_more.sql'), 'CREATE TABLE gravity.more (a UInt8) ENGINE = Log');
    expect(await apply(true)).toContain('9000 apply');
    await apply();
    await writeFile(join(directory, '9000_more.sql'), 'CREATE TABLE gravity.more (a UInt16) ENGINE = Log');
    await expect(apply()).rejects.toThrow(/9000_more was applied with checksum .* must not change/);
    await rm(join(directory, '9000_more.sql'));
    await expect(apply()).rejects.toThrow(/applied before but not among the files: 9000_more/);
  });

  it('records a failed statement, and runs the file again once it is mended', async () => {
    await apply();
    const file = join(directory, '9000_more.sql');
    const good =
      "CREATE TABLE IF NOT EXISTS gravity.more (a String DEFAULT 'x;y') ENGINE = MergeTree ORDER BY a; -- it's ;\n";
    await writeFile(file, `${good} CREATE TABLE gravity.bad (a Nonsense) ENGINE = Log;`);
    await writeFile(join(directory, '9001_after.sql'), 'CREATE TABLE gravity.after (a UInt8) ENGINE = Log');
    await expect(apply()).rejects.toThrow(/9000_more, statement 2: /);
    expect((await journal()).slice(2 * NUMBERS.length)).toEqual(['9000 started', '9000 failed']);
    expect((await apply(true)).slice(NUMBERS.length)).toEqual(['9000 retry', '9001 apply']);
    await writeFile(file, good);
    expect((await apply()).slice(NUMBERS.length)).toEqual(['9000 retry', '9001 apply']);
    expect((await journal()).slice(2 * NUMBERS.length + 2)).toEqual([
      '9000 started',
      '9000 applied',
      '9001 started',
      '9001 applied',
    ]);
  });
});

describe('migration files', () => {
  it('render for a cluster with replication, and refuse a name that could end the literal', async () => {
    const files = await readMigrations(MIGRATIONS, { cluster: 'main', replicated: true });
    const statements = files.flatMap(({ statements }) => statements);
    expect(statements.every((statement) => statement.includes("ON CLUSTER 'main'"))).toBe(true);
    expect(statements.filter((statement) => statement.startsWith('CREATE TABLE'))).toHaveLength(13);
    expect(statements.filter((statement) => /ENGINE = Replicated\w*MergeTree/.test(statement))).toHaveLength(
      13,
    );
    await expect(readMigrations(MIGRATIONS, { cluster: "x' SYNC", replicated: false })).rejects.toThrow(
      /cluster/,
    );
  });

  it('refuse unknown placeholders, equal numbers and odd names', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gravity-migrations-'));
    const read = () => readMigrations(directory, { cluster: null, replicated: false });
    try {
      await expect(read()).rejects.toThrow(/no \.sql files/);
      await writeFile(join(directory, '0001_a.sql'), 'SELECT ${WHAT}');
      await expect(read()).rejects.toThrow(/unknown placeholder \$\{WHAT\}/);
      await writeFile(join(directory, '0001_a.sql'), 'SELECT 1');
      await writeFile(join(directory, '0001_b.sql'), 'SELECT 1');
      await expect(read()).rejects.toThrow(/two migrations 0001/);
      await rm(join(directory, '0001_b.sql'));
      await writeFile(join(directory, 'readme.sql'), 'SELECT 1');
      await expect(read()).rejects.toThrow(/readme\.sql: expected a name like/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmbeddedClickHouse, MIGRATIONS, openEmbeddedClickHouse } from '#testing';
import { rowOf, text } from '../row-reader.js';
import { migrate } from './migrate.js';
import { readMigrations } from './migration-files.js';

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
    const steps = await migrate(engine.clickhouse, { directory, dryRun, now: () => ++clock });
    return steps.map(({ name, action }) => `${name.slice(0, 4)} ${action}`);
  };

  const journal = async (): Promise<readonly string[]> => {
    const rows = await engine.clickhouse.query({
      sql: "SELECT concat(left(name, 4), ' ', toString(state)) AS entry FROM gravity.schema_migrations ORDER BY sequence",
      row: rowOf({ entry: text }),
    });
    return rows.map(({ entry }) => entry);
  };

  it('plans without changing anything, applies once, then has nothing to do', async () => {
    expect(await apply(true)).toEqual(['0000 apply', '0001 apply', '0002 apply']);
    const databases = await engine.clickhouse.query({ sql: 'SHOW DATABASES', row: rowOf({ name: text }) });
    expect(databases.map(({ name }) => name)).not.toContain('gravity');

    expect(await apply()).toEqual(['0000 apply', '0001 apply', '0002 apply']);
    expect(await journal()).toEqual(
      ['0000', '0001', '0002'].flatMap((number) => [`${number} started`, `${number} applied`]),
    );
    expect(await apply()).toEqual(['0000 none', '0001 none', '0002 none']);
    expect(await journal()).toHaveLength(6);
  });

  it('refuses an applied file that has changed or is gone, naming it', async () => {
    await apply();
    await writeFile(join(directory, '0003_more.sql'), 'CREATE TABLE gravity.more (a UInt8) ENGINE = Log');
    expect(await apply(true)).toContain('0003 apply');
    await apply();
    await writeFile(join(directory, '0003_more.sql'), 'CREATE TABLE gravity.more (a UInt16) ENGINE = Log');
    await expect(apply()).rejects.toThrow(/0003_more was applied with checksum .* must not change/);
    await rm(join(directory, '0003_more.sql'));
    await expect(apply()).rejects.toThrow(/applied before but not among the files: 0003_more/);
  });

  it('records a failed statement, and runs the file again once it is mended', async () => {
    await apply();
    const file = join(directory, '0003_more.sql');
    const good =
      "CREATE TABLE IF NOT EXISTS gravity.more (a String DEFAULT 'x;y') ENGINE = MergeTree ORDER BY a; -- it's ;\n";
    await writeFile(file, `${good} CREATE TABLE gravity.bad (a Nonsense) ENGINE = Log;`);
    await writeFile(join(directory, '0004_after.sql'), 'CREATE TABLE gravity.after (a UInt8) ENGINE = Log');
    await expect(apply()).rejects.toThrow(/0003_more, statement 2: /);
    expect((await journal()).slice(6)).toEqual(['0003 started', '0003 failed']);
    expect((await apply(true)).slice(3)).toEqual(['0003 retry', '0004 apply']);
    await writeFile(file, good);
    expect((await apply()).slice(3)).toEqual(['0003 retry', '0004 apply']);
    expect((await journal()).slice(8)).toEqual([
      '0003 started',
      '0003 applied',
      '0004 started',
      '0004 applied',
    ]);
  });
});

describe('migration files', () => {
  it('render for a cluster with replication, and refuse a name that could end the literal', async () => {
    const files = await readMigrations(MIGRATIONS, { cluster: 'main', replicated: true });
    const statements = files.flatMap(({ statements }) => statements);
    expect(statements.every((statement) => statement.includes("ON CLUSTER 'main'"))).toBe(true);
    expect(statements.filter((statement) => statement.startsWith('CREATE TABLE'))).toHaveLength(9);
    expect(statements.filter((statement) => /ENGINE = Replicated\w*MergeTree/.test(statement))).toHaveLength(
      9,
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

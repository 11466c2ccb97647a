import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { drainPending } from 'chdb';
import { createChdbConnection } from 'chdb/connection';
import { SafeConnection } from './safe-connection.js';

describe('SafeConnection', () => {
  let directory: string;
  let connection: SafeConnection;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gravity-safe-'));
    connection = new SafeConnection(
      createChdbConnection({ path: join(directory, 'data') }),
      join(directory, 'rows'),
    );
    await connection.command({ query: 'CREATE DATABASE t ENGINE = Atomic' });
    await connection.command({ query: 'CREATE TABLE t.t (a UInt8) ENGINE = MergeTree ORDER BY a' });
  });

  afterAll(async () => {
    await connection.close();
    await drainPending();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(['RowBinary', 'Native', 'Parquet', 'Arrow', 'MsgPack'])(
    'refuses %s, in and out',
    async (format) => {
      await expect(connection.query({ query: `SELECT 1 \nFORMAT ${format}` })).rejects.toThrow(/refused/);
      await expect(
        connection.command({ query: `INSERT INTO t.t (a) FORMAT ${format}\n\x01` }),
      ).rejects.toThrow(/rows are sent beside an INSERT/);
      const values = Readable.from([Buffer.from([1])], { objectMode: false });
      await expect(
        connection.exec({ query: `INSERT INTO t.t (a) FORMAT ${format}`, values }),
      ).rejects.toThrow(/expected INSERT .* FORMAT RowBinaryWithDefaults/);
      await expect(connection.insert()).rejects.toThrow(/by exec/);
    },
  );

  it('refuses several statements, as a server does', async () => {
    await expect(connection.command({ query: 'SELECT 1; DROP TABLE t.t' })).rejects.toThrow(
      /one statement, got 2/,
    );
  });

  it('refuses settings where they would mean something else', async () => {
    const create = {
      query: 'CREATE TABLE t.u (a UInt8) ENGINE = MergeTree ORDER BY a',
      clickhouse_settings: { a: 1 },
    };
    await expect(connection.command(create)).rejects.toThrow(/settings cannot be given/);
  });
});

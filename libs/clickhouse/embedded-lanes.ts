/**
 * The embedded engine. One process can hold one data path, and owns it alone; a connection does one thing
 * at a time. So there is one connection that writes, one for DDL, and a few that read.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { drainPending } from 'chdb';
import { type ChdbConnection, createChdbConnection } from 'chdb/connection';
import { messageOf } from '#pipeline';
import type { Lane, Lanes } from './client-backend.js';
import { ClickHouseFailure } from './clickhouse-failure.js';
import { SafeConnection } from './safe-connection.js';

export interface EmbeddedConfig {
  /** Directory of the data; created if absent. */
  readonly path: string;
  /** Connections for reading. Default: 3. */
  readonly readers?: number;
}

/**
 * Expressions are not compiled to machine code. Over what one machine holds, a question of the recount takes longer
 * to compile than to answer: a fifth of the CPU of a `gravity reconcile` on a small store.
 */
const SESSION =
  'SET compile_expressions = 0, compile_aggregate_expressions = 0, compile_sort_description = 0';

class SerialLane implements Lane {
  readonly #client: ClickHouseClient;
  /** Rejects where the session could not be set up: then no call may go through as if it had been. */
  readonly #session: Promise<unknown>;
  #tail: Promise<unknown>;
  #waiting = 0;

  constructor(connection: ChdbConnection, rowsFile: string) {
    this.#session = connection.command({ query: SESSION });
    this.#tail = this.#session.catch(() => undefined);
    this.#client = createClient({
      connection: new SafeConnection(connection, rowsFile),
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  get waiting(): number {
    return this.#waiting;
  }

  run<T>(call: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#tail.then(() => this.#session).then(() => call(this.#client));
    this.#tail = result.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return result;
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#client.close();
  }
}

/** What the engine takes for a pattern, or for a place in an archive. */
const NO_PLAIN_PATH = /[*?{}]|::/;

/** Where the rows of inserts go on their way: with the data, where there is room for them and nobody else looks. */
function rowsDirectory(path: string): { readonly directory: string; readonly isOwn: boolean } {
  const directory = resolve(path);
  if (!NO_PLAIN_PATH.test(directory)) return { directory, isOwn: false };
  return { directory: mkdtempSync(join(tmpdir(), 'gravity-rows-')), isOwn: true };
}

/** The engine says why only on stderr, so this has to name both reasons there are. */
function cannotOpen(path: string, error: unknown): ClickHouseFailure {
  const reason = messageOf(error);
  return new ClickHouseFailure(
    `the embedded ClickHouse cannot open ${path}: another process holds it, or this process has another one open (${reason})`,
    '76',
    'CANNOT_OPEN_FILE',
    { cause: error },
  );
}

/** @throws ClickHouseFailure with code 76 if another process holds the directory */
export function embeddedLanes(config: EmbeddedConfig): Lanes {
  mkdirSync(config.path, { recursive: true });
  const connections: ChdbConnection[] = [];
  try {
    for (let i = 0; i < 2 + (config.readers ?? 3); i++)
      connections.push(createChdbConnection({ path: config.path }));
  } catch (error) {
    throw cannotOpen(config.path, error);
  }
  const rows = rowsDirectory(config.path);
  const lanes = connections.map((one, i) => new SerialLane(one, join(rows.directory, `insert-${i}.rows`)));
  const [admin, write, ...readers] = lanes;
  if (admin === undefined || write === undefined) throw new RangeError('no lanes');
  return {
    admin,
    write,
    read: () =>
      readers.reduce((least, lane) => (lane.waiting < least.waiting ? lane : least), readers[0] ?? admin),
    async close() {
      // All of them, whatever becomes of one: an engine that is half closed lets nobody open its folder.
      const failures: unknown[] = [];
      for (const lane of lanes) await lane.close().catch((error: unknown) => failures.push(error));
      await drainPending();
      if (rows.isOwn) rmSync(rows.directory, { recursive: true, force: true });
      if (failures.length > 0) throw failures[0];
    },
  };
}

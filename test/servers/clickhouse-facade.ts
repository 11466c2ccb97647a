/**
 * A façade, not a server: enough of ClickHouse's HTTP interface over an embedded engine in a child process to
 * exercise the client's real transport where no server is at hand. `CLICKHOUSE_URL` puts a real one in its place.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repositoryRoot } from '../../libs/testing/places.js';

export interface ClickHouseEndpoint {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** False for the façade. */
  readonly realServer: boolean;
  close(): Promise<void>;
}

function portOf(message: unknown): number {
  if (typeof message !== 'object' || message === null || !('port' in message)) throw new Error('no port');
  return Number(message.port);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** @param directory holds the engine's data; the caller deletes it */
export async function startClickHouseFacade(directory: string): Promise<ClickHouseEndpoint> {
  const username = 'gravity';
  const password = 'façade p:ss';
  const child = fork(
    join(repositoryRoot(), 'test', 'servers', 'clickhouse-facade-child.mjs'),
    [directory, username, password],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] },
  );
  const failed = once(child, 'exit').then(() => {
    throw new Error('the façade did not start');
  });
  const messages: unknown[] = await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => undefined);
  const url = `http://127.0.0.1:${portOf(messages[0])}`;
  return { url, username, password, realServer: false, close: () => stop(child) };
}

/** The server of `CLICKHOUSE_URL` (with `CLICKHOUSE_USER` and `CLICKHOUSE_PASSWORD`), else the façade. */
export async function clickHouseEndpoint(directory: string): Promise<ClickHouseEndpoint> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password } = process.env;
  if (url === undefined || url === '') return startClickHouseFacade(directory);
  return {
    url,
    username: username ?? 'default',
    password: password ?? '',
    realServer: true,
    close: () => Promise.resolve(),
  };
}

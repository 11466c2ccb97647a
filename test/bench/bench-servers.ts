/** The servers of a bench on Kafka, and `gravity` against them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { BenchServers } from './kafka-servers.js';
import { builtFile, repositoryRoot } from '../../libs/testing/places.js';

export function environment({
  brokers,
  registryUrl,
  clickhouse,
}: BenchServers): Readonly<Record<string, string>> {
  return {
    KAFKA_BROKERS: brokers,
    SCHEMA_REGISTRY_URL: registryUrl,
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_USER: clickhouse.username,
    CLICKHOUSE_PASSWORD: clickhouse.password,
  };
}

export async function gravity(args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, [`${repositoryRoot()}/apps/cli/bin/gravity.js`, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`gravity ${args.join(' ')} ended with ${String(code)}`);
}

export interface RunningServers {
  readonly at: BenchServers;
  stop(): Promise<void>;
}

export async function startServers(directory: string): Promise<RunningServers> {
  const child = spawn(process.execPath, [builtFile('test/bench/kafka-servers.ts'), directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const at = JSON.parse(await firstLine(child)) as BenchServers;
  return {
    at,
    stop: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

/** @throws when the process ends without one */
export async function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error('a process without output');
  const lines = createInterface({ input: stdout });
  const ended = once(child, 'exit').then(([code]: unknown[]): string => {
    throw new Error(`a process of the bench ended with ${String(code)}`);
  });
  const line = once(lines, 'line').then(([text]: unknown[]) => String(text));
  ended.catch(() => undefined);
  return Promise.race([line, ended]);
}

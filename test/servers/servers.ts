import { appendFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { hasMaven, javaVersion } from './java.js';
import { KafkaServer } from './kafka-server.js';
import { withLock } from './lock.js';
import { RegistryServer } from './registry-server.js';

export interface TestServers {
  readonly brokers: readonly string[];
  /** Base of the Confluent-compatible API. */
  readonly registryUrl: string;
}

export type Availability =
  | ({ readonly available: true } & TestServers)
  /** `excused`: this machine cannot be expected to run them, so that CI may pass without. */
  | { readonly available: false; readonly reason: string; readonly excused: boolean };

/** Shared by all workers of one run; `scripts/test.mjs` makes it and its reporter reads it. */
const RUN_DIRECTORY = process.env['TEST_RUN_DIR'] ?? mkdtempSync(join(tmpdir(), 'test-run-'));

/**
 * The broker and registry of this run: those of KAFKA_BROKERS and SCHEMA_REGISTRY_URL, else a pair that the
 * first caller starts for all workers and that ends with the run.
 */
export async function ensureServers(): Promise<Availability> {
  const brokers = process.env['KAFKA_BROKERS'];
  const registryUrl = process.env['SCHEMA_REGISTRY_URL'];
  if (brokers && registryUrl) return { available: true, brokers: brokers.split(','), registryUrl };
  return oncePerRun('servers', startServers);
}

/**
 * URL of the run's registry, for suites with a broker of their own: they register the schemas of this repository, as
 * everybody does, and never stop it.
 */
export async function sharedRegistry(): Promise<string> {
  const url = process.env['SCHEMA_REGISTRY_URL'];
  return url || oncePerRun('registry', async () => (await RegistryServer.start()).url);
}

/** What the first caller of all workers makes, and everybody gets. */
async function oncePerRun<T>(name: string, make: () => Promise<T>): Promise<T> {
  const made = join(RUN_DIRECTORY, `${name}.json`);
  return withLock(`${made}.lock`, async () => {
    if (!existsSync(made)) writeFileSync(made, JSON.stringify(await make()));
    return JSON.parse(readFileSync(made, 'utf8')) as T;
  });
}

function obstacleToServers(): { readonly reason: string; readonly excused: boolean } | null {
  const java = javaVersion();
  if (java === null || java < 17)
    return { reason: `needs Java 17 (found: ${java ?? 'none'})`, excused: true };
  if (!hasMaven()) return { reason: 'is downloaded with Maven, which is missing', excused: false };
  return null;
}

async function startServers(): Promise<Availability> {
  const obstacle = obstacleToServers();
  if (obstacle !== null) return { available: false, ...obstacle };
  try {
    const [kafka, registryUrl] = await Promise.all([KafkaServer.start(), sharedRegistry()]);
    return { available: true, brokers: kafka.brokers, registryUrl };
  } catch (error) {
    return { available: false, reason: `did not start: ${String(error)}`, excused: false };
  }
}

export async function kafkaAvailable(): Promise<boolean> {
  return (await ensureServers()).available;
}

/** A suite on the real broker and registry; skipped, and reported as such, where they cannot be had. */
export async function describeWithServers(
  title: string,
  define: (servers: TestServers) => void,
): Promise<void> {
  const servers = await ensureServers();
  if (servers.available) {
    describe(title, () => define(servers));
    return;
  }
  noteSkipped(title, `Kafka and the registry: ${servers.reason}`, servers.excused);
  // The tests are still collected, so that the report can say how many were skipped.
  describe.skip(title, () => define({ brokers: [], registryUrl: '' }));
}

/** A suite that starts servers of its own, to break them or to have them empty; skipped where that cannot be done. */
export function describeWithOwnServers(title: string, define: () => void): void {
  const obstacle = obstacleToServers();
  if (obstacle === null) {
    describe(title, define);
    return;
  }
  noteSkipped(title, `Kafka: ${obstacle.reason}`, obstacle.excused);
  describe.skip(title, define);
}

/** Tells the reporter why tests are skipped; unless excused, that fails a run with CI=true. */
export function noteSkipped(title: string, reason: string, excused: boolean): void {
  appendFileSync(join(RUN_DIRECTORY, 'skipped.jsonl'), `${JSON.stringify({ title, reason, excused })}\n`);
}

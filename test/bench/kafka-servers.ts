/**
 * Starts a broker, a registry and a ClickHouse, prints where
 * they are as one line of JSON, and ends with them when its standard input ends.
 */
import { clickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { KafkaServer } from '../servers/kafka-server.js';
import { RegistryServer } from '../servers/registry-server.js';

export interface BenchServers {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly clickhouse: { readonly url: string; readonly username: string; readonly password: string };
}

const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = process.env;
const [directory = ''] = process.argv.slice(2);
const stops: (() => Promise<void>)[] = [];

async function brokers(): Promise<string> {
  if (KAFKA_BROKERS) return KAFKA_BROKERS;
  const kafka = await KafkaServer.start();
  stops.push(() => kafka.stop());
  return kafka.brokers.join(',');
}

async function registryUrl(): Promise<string> {
  if (SCHEMA_REGISTRY_URL) return SCHEMA_REGISTRY_URL;
  const registry = await RegistryServer.start();
  stops.push(() => registry.stop());
  return registry.url;
}

const clickhouse = await clickHouseEndpoint(directory);
stops.push(() => clickhouse.close());
const { url, username, password } = clickhouse;
const servers: BenchServers = {
  brokers: await brokers(),
  registryUrl: await registryUrl(),
  clickhouse: { url, username, password },
};
console.log(JSON.stringify(servers));
process.stdin.on('end', () => {
  void Promise.all(stops.map((stop) => stop())).then(() => process.exit(0));
});
process.stdin.resume();

/** The servers of a run, each of which can be stopped and come back as it was. */
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import {
  clickHouseEndpoint,
  startClickHouseFacade,
  type ClickHouseEndpoint,
} from '../servers/clickhouse-facade.js';
import { freePorts } from '../servers/java.js';
import { KafkaProxy } from '../servers/kafka-proxy.js';
import { KafkaServer, newClusterId } from '../servers/kafka-server.js';
import { RegistryServer } from '../servers/registry-server.js';
import { TcpProxy } from '../servers/tcp-proxy.js';

export class ChaosServers {
  private constructor(
    readonly brokers: readonly KafkaServer[],
    /** One before each broker: who comes by them is told to come by them always. */
    readonly proxies: readonly KafkaProxy[],
    readonly registry: RegistryServer,
    /** The way to ClickHouse, wherever it may be. */
    readonly database: TcpProxy,
    private endpoint: ClickHouseEndpoint,
    private readonly clickHouseDirectory: string,
  ) {}

  static async start(brokers: number, directory: string): Promise<ChaosServers> {
    const clickHouseDirectory = join(directory, 'clickhouse');
    const proxies = await Promise.all(Array.from({ length: brokers }, () => KafkaProxy.listen()));
    const [kafka, registry, endpoint] = await Promise.all([
      startBrokers(proxies),
      RegistryServer.start(),
      clickHouseEndpoint(clickHouseDirectory),
    ]);
    const database = await TcpProxy.before(endpoint.url);
    return new ChaosServers(kafka, proxies, registry, database, endpoint, clickHouseDirectory);
  }

  get kafkaBrokers(): string[] {
    return this.brokers.flatMap((broker) => broker.brokers);
  }

  get proxiedBrokers(): string[] {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** Null while there is none. */
  async leaderOf(topic: string, partition: number): Promise<KafkaServer | null> {
    const admin = new Kafka({ brokers: this.kafkaBrokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
      return this.brokers[(found?.leader ?? 0) - 1] ?? null;
    } finally {
      await admin.disconnect();
    }
  }

  /** The way to ClickHouse by environment. */
  get clickHouseSettings(): { readonly url: string; readonly username: string; readonly password: string } {
    const { username, password } = this.endpoint;
    return { url: this.database.url, username, password };
  }

  /** The process of the engine is killed; a server of somebody else only cannot be reached. */
  async stopClickHouse(): Promise<void> {
    this.database.down();
    if (!this.endpoint.realServer) await this.endpoint.close();
  }

  async resumeClickHouse(): Promise<void> {
    if (!this.endpoint.realServer) this.endpoint = await startClickHouseFacade(this.clickHouseDirectory);
    this.database.retarget(this.endpoint.url);
    this.database.up();
  }

  async close(): Promise<void> {
    await Promise.all([this.database.close(), ...this.proxies.map((proxy) => proxy.close())]);
    await Promise.all([...this.brokers, this.registry].map((server) => server.stop()));
    await this.endpoint.close();
  }
}

/** One broker, or a cluster of several that are all controllers too. */
async function startBrokers(proxies: readonly KafkaProxy[]): Promise<KafkaServer[]> {
  const ports = await freePorts(3 * proxies.length);
  const clusterId = newClusterId();
  const nodes = proxies.map((proxy, nth) => {
    const [port = 0, controllerPort = 0, proxied = 0] = ports.slice(3 * nth);
    proxy.brokerPort = proxied;
    return { id: nth + 1, port, controllerPort, proxied: { port: proxied, advertisedPort: proxy.port } };
  });
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`);
  return Promise.all(
    nodes.map(({ proxied, ...node }) => KafkaServer.start({ node: { ...node, clusterId, voters }, proxied })),
  );
}

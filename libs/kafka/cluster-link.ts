import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { LogEntry, SASLOptions } from 'kafkajs';
import Cluster, { type Broker, type SocketFactory } from 'kafkajs/src/cluster/index.js';
import loggers from 'kafkajs/src/loggers/index.js';
import { codeOf, isConnectionTrouble } from './errors.js';

export interface ConnectionSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
  /** What KafkaJS has to say, warnings and worse. */
  readonly onClientLog?: (entry: LogEntry) => void;
}

const WARN = 2;
const READ_COMMITTED = 1;
const METADATA_MAX_AGE_MS = 60_000;
const KEEP_ALIVE_MS = 60_000;

/**
 * Connections of one user (a consumer, a writer, a reader) to the cluster. They are not shared: a broker answers
 * the requests of one connection in order, so that a join or a long fetch of one would hold up the others.
 */
export class ClusterLink {
  private connection: Connection | null = null;
  private readonly coordinators = new Map<string, number>();
  private isClosed = false;

  constructor(
    private readonly settings: ConnectionSettings,
    private readonly requestTimeoutMs = 10_000,
  ) {}

  /** The coordinator of a transactional id. */
  transactionCoordinator(transactionalId: string): Promise<Broker> {
    return this.coordinator(transactionalId, 1);
  }

  groupCoordinator(group: string): Promise<Broker> {
    return this.coordinator(group, 0);
  }

  /** @throws an error of code UNKNOWN_TOPIC_OR_PARTITION if the topic or partition does not exist (yet) */
  async leaderOf(topic: string, partition: number): Promise<Broker> {
    const cluster = await this.connectedFor(topic);
    const metadata = cluster.findTopicPartitionMetadata(topic).find((one) => one.partitionId === partition);
    if (metadata === undefined) throw new UnknownPartitionError(topic, partition);
    return cluster.findBroker({ nodeId: metadata.leader });
  }

  /** Partition numbers of a topic, ascending. @throws as `leaderOf` */
  async partitionsOf(topic: string): Promise<number[]> {
    const cluster = await this.connectedFor(topic);
    const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
    return partitions.sort((a, b) => a - b);
  }

  async anyBroker(): Promise<Broker> {
    const cluster = await this.connected();
    await cluster.refreshMetadataIfNecessary();
    return cluster.findControllerBroker();
  }

  /** Marks the state of the connections before a step, for `forget`. */
  get seen(): unknown {
    return this.connection;
  }

  /** Drops what an error has shown to be out of date, unless that has been done since `seen`. */
  async forget(error: unknown, seen: unknown): Promise<void> {
    const connection = this.connection;
    if (connection === null || connection !== seen) return;
    this.coordinators.clear();
    // KafkaJS recovers a broken pool in many ways, not all of which end; a new one is certain.
    if (isConnectionTrouble(error) || codeOf(error) === null) this.drop();
    else await (await connection.cluster).refreshMetadata().catch(() => this.drop());
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }

  private drop(): void {
    const connection = this.connection;
    this.connection = null;
    this.coordinators.clear();
    connection?.close();
  }

  private async coordinator(key: string, coordinatorType: 0 | 1): Promise<Broker> {
    const cluster = await this.connected();
    const id = `${coordinatorType}:${key}`;
    const known = this.coordinators.get(id);
    // Also when it is known: this is what reconnects after an idle spell, once for all callers.
    if (known !== undefined) return cluster.findBroker({ nodeId: known });
    const found = await cluster.findGroupCoordinator({ groupId: key, coordinatorType });
    this.coordinators.set(id, found.nodeId);
    return found;
  }

  private async connectedFor(topic: string): Promise<Cluster> {
    const cluster = await this.connected();
    await cluster.addMultipleTargetTopics([topic]);
    await cluster.refreshMetadataIfNecessary();
    return cluster;
  }

  private async connected(): Promise<Cluster> {
    if (this.isClosed) throw new Error('the connection to Kafka is closed');
    this.connection ??= new Connection(this.settings, this.requestTimeoutMs);
    return this.connection.cluster;
  }
}

/** One cluster object of KafkaJS with its sockets. */
class Connection {
  readonly cluster: Promise<Cluster>;
  private readonly sockets = new Set<Socket>();
  private isClosed = false;

  constructor(settings: ConnectionSettings, requestTimeoutMs: number) {
    const { onClientLog } = settings;
    const cluster = new Cluster({
      logger: loggers.createLogger({
        level: WARN,
        logCreator: () => (entry) => (this.isClosed ? undefined : onClientLog?.(entry)),
      }),
      socketFactory: (target) => this.openSocket(target),
      brokers: shuffled(settings.brokers),
      ssl: settings.ssl,
      sasl: settings.sasl,
      clientId: settings.clientId,
      connectionTimeout: 3_000,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      isolationLevel: READ_COMMITTED,
      // Every user of a link retries by its own rules; here only the next seed broker is tried.
      retry: { retries: settings.brokers.length, initialRetryTime: 50 },
    });
    this.cluster = cluster.connect().then(() => cluster);
    // The caller who asked for it gets the error.
    this.cluster.catch(() => undefined);
  }

  /** At once: KafkaJS's own way would wait for answers that may never come. */
  close(): void {
    this.isClosed = true;
    for (const socket of this.sockets) socket.destroy(new Error('closed by us'));
    void this.cluster.then((cluster) => cluster.disconnect()).catch(() => undefined);
  }

  private openSocket({ host, port, ssl, onConnect }: Parameters<SocketFactory>[0]): Socket {
    const secure = ssl === undefined || ssl === false ? null : ssl === true ? {} : ssl;
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      secure === null
        ? connectTcp({ host, port }, onConnect)
        : connectTls({ host, port, ...name, ...secure }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    if (this.isClosed) socket.destroy(new Error('closed by us'));
    return socket;
  }
}

/** Has the protocol's code, so that it counts as transient like the broker's own answer. */
class UnknownPartitionError extends Error {
  override readonly name = 'UnknownPartitionError';
  readonly code = 3;
  constructor(topic: string, partition: number) {
    super(`${topic} has no partition ${partition}`);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

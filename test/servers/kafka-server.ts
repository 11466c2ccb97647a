import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, JavaProcess, OWNER_PID, serverFiles } from './java.js';

export interface KafkaServerOptions {
  /** Broker settings on top of those of a single node. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly ownerPid?: number;
  /** Clients come by TLS and log in with SASL/PLAIN. */
  readonly login?: { readonly user: string; readonly password: string };
  /** The node of a cluster that this is; by default a cluster of its own. */
  readonly node?: ClusterNode;
  /** A second listener: who comes by it is told this other port, behind which a proxy is. */
  readonly proxied?: { readonly port: number; readonly advertisedPort: number };
}

/** A broker that is a controller too, among its likes. */
export interface ClusterNode {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly clusterId: string;
  /** `id@host:controllerPort` of every node. */
  readonly voters: readonly string[];
}

/** One that begins with a dash would be taken for an option. */
export function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}

/** One real broker (KRaft, its own controller) on free ports of 127.0.0.1 with data in a temporary directory. */
export class KafkaServer {
  private java: JavaProcess | null = null;

  private constructor(
    readonly port: number,
    readonly directory: string,
    private readonly jars: string,
    private readonly ownerPid: number,
  ) {}

  get brokers(): string[] {
    return [`127.0.0.1:${this.port}`];
  }

  static async start(options: KafkaServerOptions = {}): Promise<KafkaServer> {
    const jars = join(await serverFiles(), 'kafka', '*');
    const node = options.node ?? (await soleNode());
    const { port, controllerPort } = node;
    const directory = mkdtempSync(join(tmpdir(), 'kafka-'));
    const ownerPid = options.ownerPid ?? OWNER_PID;
    const secured =
      options.login === undefined
        ? {}
        : await securedListener(port, controllerPort, directory, options.login);
    const settings = {
      ...nodeSettings(node, directory),
      ...(options.proxied === undefined ? {} : proxiedListener(node, options.proxied)),
      ...secured,
      ...options.settings,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const file = join(directory, 'server.properties');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const format = JavaProcess.start({
      args: ['-cp', jars, 'kafka.tools.StorageTool', 'format', '-t', node.clusterId, '-c', file],
      directory,
      logName: 'format.log',
      ownerPid,
    });
    await format.stopped();
    if (!format.log().includes('Formatting ')) throw new Error(`Kafka could not be set up:\n${format.log()}`);
    const server = new KafkaServer(port, directory, jars, ownerPid);
    await server.launch();
    return server;
  }

  /** PEM of the certificate of a broker with a login: it has signed itself. */
  get certificateFile(): string {
    return join(this.directory, CERTIFICATE);
  }

  private async launch(): Promise<void> {
    const java = JavaProcess.start({
      args: [
        '-Xmx512m',
        '-XX:+UseSerialGC',
        '-cp',
        this.jars,
        'kafka.Kafka',
        join(this.directory, 'server.properties'),
      ],
      directory: this.directory,
      logName: 'broker.log',
      ownerPid: this.ownerPid,
    });
    this.java = java;
    await java.ready(() => java.log().includes('Kafka Server started'));
  }

  /**
   * What a read-committed consumer of Apache Kafka's own client is given of a topic, from its beginning.
   * @param silenceMs   it ends when it has been given nothing for so long
   * @returns "partition offset" of each record
   */
  async committedPlaces(topic: string, silenceMs = 15_000): Promise<string[]> {
    const consumer = JavaProcess.start({
      args: [
        ...['-cp', this.jars, 'org.apache.kafka.tools.consumer.ConsoleConsumer'],
        ...['--bootstrap-server', this.brokers.join(','), '--topic', topic, '--from-beginning'],
        ...['--isolation-level', 'read_committed', '--timeout-ms', String(silenceMs)],
        ...['print.partition=true', 'print.offset=true', 'print.value=false'].flatMap((one) => [
          '--property',
          one,
        ]),
      ],
      directory: this.directory,
      logName: `console-consumer-${topic}.log`,
      ownerPid: this.ownerPid,
    });
    await consumer.stopped();
    return [...consumer.log().matchAll(/^Partition:(\d+)\s+Offset:(\d+)/gm)].map(
      ([, partition = '', offset = '']) => `${partition} ${offset}`,
    );
  }

  /** Sends a signal and, unless it only suspends or resumes, waits for the end of the process. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.java?.signal(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.java?.stopped();
  }

  /** Starts again on the same ports and data; ends it first if it still runs. */
  async restart(): Promise<void> {
    await this.kill('SIGTERM');
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const CERTIFICATE = 'broker.pem';

/** The clients' listener by TLS with a login; the broker itself goes by another one. */
async function securedListener(
  port: number,
  controllerPort: number,
  directory: string,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<Record<string, string>> {
  const keystore = join(directory, 'broker.p12');
  const store = ['-alias', 'broker', '-keystore', keystore, '-storepass', 'password'];
  const names = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1,dns:localhost'];
  keytool(['-genkeypair', '-keyalg', 'RSA', '-validity', '30', '-storetype', 'PKCS12', ...names, ...store]);
  keytool(['-exportcert', '-rfc', '-file', join(directory, CERTIFICATE), ...store]);
  const [own = 0] = await freePorts(1);
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`;
  return {
    listeners: `CLIENTS://127.0.0.1:${port},OWN://127.0.0.1:${own},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENTS://127.0.0.1:${port},OWN://127.0.0.1:${own}`,
    'listener.security.protocol.map': 'CLIENTS:SASL_SSL,OWN:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'OWN',
    'ssl.keystore.location': keystore,
    'ssl.keystore.password': 'password',
    'listener.name.clients.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.clients.plain.sasl.jaas.config': login,
  };
}

function keytool(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('keytool', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`keytool ${args[0]} failed: ${stdout}${stderr}`);
}

async function soleNode(): Promise<ClusterNode> {
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const voters = [`1@127.0.0.1:${controllerPort}`];
  return { id: 1, port, controllerPort, clusterId: newClusterId(), voters };
}

function proxiedListener(
  { port, controllerPort }: ClusterNode,
  proxied: { readonly port: number; readonly advertisedPort: number },
): Record<string, string> {
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${proxied.port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${proxied.advertisedPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
}

function nodeSettings(
  { id, port, controllerPort, voters }: ClusterNode,
  directory: string,
): Record<string, string | number | boolean> {
  const replicas = Math.min(3, voters.length);
  const inSync = Math.min(2, voters.length);
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // How soon an abandoned transaction is ended once its timeout has passed.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
}

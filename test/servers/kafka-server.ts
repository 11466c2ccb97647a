import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, JavaProcess, OWNER_PID, serverFiles } from './java.js';

export interface KafkaServerOptions {
  /** Broker settings on top of those of a single node. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly ownerPid?: number;
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
    const [port = 0, controllerPort = 0] = await freePorts(2);
    const directory = mkdtempSync(join(tmpdir(), 'kafka-'));
    const ownerPid = options.ownerPid ?? OWNER_PID;
    const settings = { ...singleNode(port, controllerPort, directory), ...options.settings };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const file = join(directory, 'server.properties');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const clusterId = randomBytes(16).toString('base64url');
    const format = JavaProcess.start({
      args: ['-cp', jars, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file],
      directory,
      logName: 'format.log',
      ownerPid,
    });
    await format.stopped();
    const server = new KafkaServer(port, directory, jars, ownerPid);
    await server.launch();
    return server;
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

function singleNode(
  port: number,
  controllerPort: number,
  directory: string,
): Record<string, string | number | boolean> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // How soon an abandoned transaction is ended once its timeout has passed.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
}

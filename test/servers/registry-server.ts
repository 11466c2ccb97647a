import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, JavaProcess, OWNER_PID, serverFiles } from './java.js';

/** A real schema registry (Apicurio, in memory) that speaks the Confluent API. */
export class RegistryServer {
  private java: JavaProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly home: string,
    private readonly ownerPid: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/apis/ccompat/v7`;
  }

  static async start(options: { readonly ownerPid?: number } = {}): Promise<RegistryServer> {
    const home = join(await serverFiles(), 'registry');
    const [port = 0] = await freePorts(1);
    const directory = mkdtempSync(join(tmpdir(), 'registry-'));
    const server = new RegistryServer(port, directory, home, options.ownerPid ?? OWNER_PID);
    await server.launch();
    return server;
  }

  private async launch(): Promise<void> {
    this.java = JavaProcess.start({
      args: [
        '-Xmx384m',
        '-XX:+UseSerialGC',
        '-jar',
        join(this.home, 'apicurio-registry-app-3.0.9-runner.jar'),
      ],
      env: { QUARKUS_HTTP_HOST: '127.0.0.1', QUARKUS_HTTP_PORT: String(this.port) },
      directory: this.directory,
      logName: 'registry.log',
      ownerPid: this.ownerPid,
    });
    await this.java.ready(() => answers(`${this.url}/subjects`));
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.java?.signal(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.java?.stopped();
  }

  /** Starts again on the same port; being in memory, it has forgotten its schemas. */
  async restart(): Promise<void> {
    await this.kill('SIGTERM');
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually, spawnBuilt } from '#testing';
import { endWithOwner } from '../servers/java.js';

/** What `/health/ready` says. */
export interface Readiness {
  readonly status: number;
  /** Part by part, as text. */
  readonly body: string;
}

/** One microservice as a process of its own, configured by its environment alone. */
export class ServiceProcess {
  /** Its last log lines, for the message of a failure. */
  readonly lines: string[] = [];
  private child: ChildProcess | null = null;
  private url: string | null = null;

  constructor(
    readonly name: string,
    readonly env: Readonly<Record<string, string>>,
  ) {}

  start(): void {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, NODE_ENV: 'production', ...this.env, GRAVITY_PORT: '0' };
    const child = spawnBuilt(`apps/${this.name}/main.ts`, [], env);
    this.child = child;
    if (child.pid !== undefined) endWithOwner(child.pid, this.env['GRAVITY_DATA_DIR'] ?? '');
    this.url = null;
    if (child.stdout === null) throw new Error('no stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      if (this.lines.length > 200) this.lines.shift();
      this.url ??= /"url":"([^"]+)"/.exec(line)?.[1] ?? null;
    });
  }

  get isRunning(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  async readiness(): Promise<Readiness> {
    if (this.url === null) throw new Error(`${this.name} does not listen yet:\n${this.tail()}`);
    const response = await fetch(`${this.url}/health/ready`);
    return { status: response.status, body: await response.text() };
  }

  /** The lines of one metric, as Prometheus scrapes them. */
  async metric(name: string): Promise<string> {
    if (this.url === null) throw new Error(`${this.name} does not listen yet:\n${this.tail()}`);
    const lines = (await (await fetch(`${this.url}/metrics`)).text()).split('\n');
    return lines.filter((line) => line.startsWith(name)).join('\n');
  }

  /** Until it is ready. */
  async ready(withinMs: number): Promise<void> {
    await eventually(async () => {
      if (!this.isRunning) throw new Error(`${this.name} has ended:\n${this.tail()}`);
      const { status, body } = await this.readiness();
      if (status !== 200) throw new Error(`${this.name} is not ready: ${body}\n${this.tail()}`);
    }, withinMs);
  }

  /** Until it says that it is not ready, and why; and goes on saying so. */
  async notReady(reason: RegExp, withinMs: number): Promise<void> {
    const check = async (): Promise<void> => {
      const { status, body } = await this.readiness();
      if (status === 200 || !reason.test(body)) throw new Error(`${this.name} says ${status}: ${body}`);
    };
    await eventually(check, withinMs);
    for (let round = 0; round < 4; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await check();
    }
  }

  /** Stops it in its tracks, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.isRunning) this.child?.kill(signal);
  }

  /** @returns the exit code; null where a signal has ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child === null || !this.isRunning) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  private tail(): string {
    return this.lines.slice(-15).join('\n');
  }
}

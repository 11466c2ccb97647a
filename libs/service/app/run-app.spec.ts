import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { builtFile } from '#testing';

const APP = builtFile('libs/service/app/spec-support/sample-app.ts');

/** The sample app as a process of its own, with what it prints. */
class SampleProcess {
  private static readonly running = new Set<ChildProcess>();
  private readonly child: ChildProcess;
  private output = '';
  private readonly listeners = new Set<() => void>();
  private ended = false;

  constructor(env: Readonly<Record<string, string>>, args: readonly string[] = []) {
    this.child = spawn(process.execPath, [APP, ...args], {
      env: { PATH: process.env.PATH, GRAVITY_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    SampleProcess.running.add(this.child);
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString();
      this.wake();
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
    this.child.once('close', () => {
      this.ended = true;
      SampleProcess.running.delete(this.child);
      this.wake();
    });
  }

  static killAll(): void {
    for (const child of SampleProcess.running) child.kill('SIGKILL');
  }

  text(): string {
    return this.output;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until the output has something that matches; answers its first group. */
  async prints(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match[1] ?? match[0];
      if (this.ended) throw new Error(`The process ended without ${pattern.source}:\n${this.output}`);
      await new Promise<void>((resolve) => this.listeners.add(resolve));
    }
  }

  async exitCode(): Promise<number | null> {
    if (!this.ended) await once(this.child, 'close');
    return this.child.exitCode;
  }

  private wake(): void {
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}

const LISTENING = /"msg":"listening on (http:\/\/127\.0\.0\.1:\d+)"/;
const STARTED = /"msg":"started"/;

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function ready(url: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, body: await response.text() };
}

describe('runApp', () => {
  afterEach(() => SampleProcess.killAll());

  it('serves health and metrics, and ends in order on a signal, with code 0', async () => {
    const app = new SampleProcess({});
    const url = await app.prints(LISTENING);
    await app.prints(STARTED);
    expect((await ready(url)).status).toBe(200);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('process_cpu_seconds_total');
    expect(metrics).toContain('# HELP gravity_lag_seconds');
    // Twice at once, as under npm.
    app.kill('SIGINT');
    app.kill('SIGINT');
    expect(await app.exitCode()).toBe(0);
    const order = [
      'shutting down',
      '"step":"sample-group"',
      'sample checkpoint',
      'sample close-sinks',
      '"stopped"',
    ];
    const at = order.map((part) => app.text().indexOf(part));
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(at).not.toContain(-1);
  });

  it('exits with 78 and names the variables when the configuration is wrong', async () => {
    const app = new SampleProcess({ GRAVITY_PROT: '1', LOG_LEVEL: 'x' });
    expect(await app.exitCode()).toBe(78);
    expect(app.text()).toContain('GRAVITY_PROT is not known; did you mean GRAVITY_PORT?');
    expect(app.text()).toContain('LOG_LEVEL: expected one of trace');
  });

  it('prints its settings', async () => {
    const app = new SampleProcess({}, ['--help']);
    expect(await app.exitCode()).toBe(0);
    expect(app.text()).toMatch(/^sample: an app for a spec$/m);
    expect(app.text()).toMatch(/^ {2}GRAVITY_PORT +8080 +Port of/m);
  });

  it('says which port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server);
    const app = new SampleProcess({ GRAVITY_PORT: String(port) });
    expect(await app.exitCode()).toBe(1);
    expect(app.text()).toContain(`Port ${port} of 127.0.0.1 is in use; set GRAVITY_PORT to another`);
    expect(app.text()).not.toContain('"stack"');
    server.close();
  });

  it('tells in readiness what it waits for, and goes on when that is there', async () => {
    const late = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(late, 'listening');
    const port = portOf(late);
    late.close();
    await once(late, 'close');
    const app = new SampleProcess({ GRAVITY_SAMPLE_REGISTRY: `http://127.0.0.1:${port}` });
    const url = await app.prints(LISTENING);
    await app.prints(/"msg":"waiting for registry"/);
    const { status, body } = await ready(url);
    expect(status).toBe(503);
    expect(body).toMatch(/"message":"waiting for registry since \d{4}-/);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    late.listen(port, '127.0.0.1');
    await app.prints(STARTED);
    expect((await ready(url)).status).toBe(200);
    late.close();
    app.kill('SIGTERM');
    expect(await app.exitCode()).toBe(0);
  });

  it('ends cleanly while it still waits', async () => {
    const app = new SampleProcess({ GRAVITY_SAMPLE_REGISTRY: 'http://127.0.0.1:1' });
    await app.prints(/"msg":"waiting for registry"/);
    app.kill('SIGTERM');
    expect(await app.exitCode()).toBe(0);
  });

  it('leaves at once on a second signal', async () => {
    const app = new SampleProcess({ GRAVITY_SAMPLE_HANG: 'true' });
    await app.prints(STARTED);
    app.kill('SIGINT');
    await app.prints(/sample checkpoint/);
    const again = setInterval(() => app.kill('SIGINT'), 100);
    expect(await app.exitCode()).toBe(130);
    clearInterval(again);
  });

  it('cuts off a shutdown that takes too long', async () => {
    const app = new SampleProcess({ GRAVITY_SAMPLE_HANG: 'true', GRAVITY_SHUTDOWN: '200ms' });
    await app.prints(STARTED);
    app.kill('SIGTERM');
    expect(await app.exitCode()).toBe(1);
    expect(app.text()).toContain('the shutdown took too long');
  });

  it('shuts down in order and exits with 1 when a consumer has crashed', async () => {
    const app = new SampleProcess({});
    await app.prints(STARTED);
    app.kill('SIGUSR2');
    expect(await app.exitCode()).toBe(1);
    expect(app.text()).toContain('sample-group has crashed');
    expect(app.text()).toContain('sample close-sinks');
  });

  it('refuses to start without a stack when the user can do something about it', async () => {
    const app = new SampleProcess({ GRAVITY_SAMPLE_REFUSE: 'true' });
    expect(await app.exitCode()).toBe(1);
    expect(app.text()).toContain('"msg":"another process owns the data directory"');
    expect(app.text()).not.toContain('"stack"');
  });
});

/** The standalone app as a process of its own: as built, or by `npm start`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { builtFile, repositoryRoot } from '#testing';

const LISTENING = /"msg":"listening on (http:\/\/127\.0\.0\.1:\d+)"/;

export interface Ended {
  readonly code: number | null;
  readonly tookMs: number;
}

export class StandaloneProcess {
  private output = '';
  private readonly listeners = new Set<() => void>();
  private hasEnded = false;

  private constructor(private readonly child: ChildProcess) {
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString();
      this.wake();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('close', () => {
      this.hasEnded = true;
      this.wake();
    });
  }

  /** A small night after a few days, in a process group of its own. @param port   0 takes a free one */
  static start(
    dataDir: string,
    port: number,
    settings: Readonly<Record<string, string>> = {},
  ): StandaloneProcess {
    const built = [process.execPath, '--enable-source-maps', builtFile('apps/standalone/main.ts')];
    return StandaloneProcess.by(built, dataDir, port, settings);
  }

  /** The same by the README's command; builds what is not built yet. */
  static npmStart(dataDir: string): StandaloneProcess {
    return StandaloneProcess.by(['npm', 'start'], dataDir, 0);
  }

  private static by(
    command: readonly string[],
    dataDir: string,
    port: number,
    settings: Readonly<Record<string, string>> = {},
  ): StandaloneProcess {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: repositoryRoot(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env['PATH'], HOME: process.env['HOME'] },
        ...{ GRAVITY_DATA_DIR: dataDir, GRAVITY_PORT: String(port), GRAVITY_EMBEDDED_PARTITIONS: '2' },
        ...{ GRAVITY_SIMULATOR_HISTORY_DAYS: '3', GRAVITY_SIMULATOR_HISTORY_EVENTS_PER_DAY: '400' },
        GRAVITY_SIMULATOR_EVENTS_PER_SECOND: '3',
        ...settings,
      },
    });
    return new StandaloneProcess(child);
  }

  /** Its address, once it listens. @throws Error with what it has printed, if it ends instead */
  async listens(): Promise<string> {
    return this.prints(LISTENING);
  }

  async started(): Promise<void> {
    await this.prints(/"msg":"started"/);
  }

  /** Ctrl-C in a terminal reaches every process of the group. */
  async interrupt(): Promise<Ended> {
    const startedAt = performance.now();
    if (!this.hasEnded && this.child.pid !== undefined) {
      const closed = once(this.child, 'close');
      process.kill(-this.child.pid, 'SIGINT');
      await closed;
    }
    return { code: this.child.exitCode, tookMs: performance.now() - startedAt };
  }

  kill(): void {
    if (!this.hasEnded && this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
  }

  /** Resolves when it is gone. */
  async killed(): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.child, 'close');
    this.kill();
    await closed;
  }

  text(): string {
    return this.output;
  }

  private async prints(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match[1] ?? match[0];
      if (this.hasEnded) throw new Error(`The process ended without ${pattern.source}:\n${this.output}`);
      await new Promise<void>((resolve) => this.listeners.add(resolve));
    }
  }

  private wake(): void {
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}

/** What five seconds are on a machine that has more to do than it can. */
export function stretched(ms: number): number {
  const [minute = 0] = loadavg();
  return ms * Math.max(1, minute / availableParallelism());
}

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../../libs/testing/places.js';
import { isAlive, withLock } from './lock.js';

/**
 * In a run of the suite a server lives for a minute: half of its CPU would go into optimising code that is not there
 * long enough to pay for it. What takes hours, or measures, has it all.
 */
const BRIEF =
  process.env['TEST_RUN_DIR'] === undefined || process.env['CHAOS_LONG'] || process.env['PROMOTION_LONG']
    ? []
    : ['-XX:TieredStopAtLevel=1'];
const POM = join(repositoryRoot(), 'test', 'servers', 'pom.xml');
const CACHE = join(repositoryRoot(), '.cache', 'servers');

/** The process whose end ends the servers: the run of the suite if there is one, else this process. */
export const OWNER_PID = Number(process.env['TEST_RUN_PID']) || process.pid;

/** Major version of the `java` on the path; null if there is none. */
export function javaVersion(): number | null {
  const { stderr, status } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const major = status === 0 ? /version "(\d+)/.exec(stderr)?.[1] : undefined;
  return major === undefined ? null : Number(major);
}

export function hasMaven(): boolean {
  return spawnSync('mvn', ['-v']).status === 0;
}

/** Downloads the servers on first use (about 160 MB); answers the directory that holds kafka/ and registry/. */
export async function serverFiles(): Promise<string> {
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  const home = join(CACHE, version);
  if (existsSync(home)) return home;
  return withLock(join(CACHE, 'download.lock'), async () => {
    if (existsSync(home)) return home;
    const partial = `${home}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    process.stderr.write('Downloading Apache Kafka and a schema registry for the tests, once …\n');
    const code = await run('mvn', ['-q', '-B', '-f', POM, `-Dout=${partial}`, 'generate-resources']);
    if (code !== 0) throw new Error(`Maven could not download the test servers (exit code ${code})`);
    renameSync(partial, home);
    return home;
  });
}

async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

export interface JavaOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where the log is written; goes with the process when the owner is gone. */
  readonly directory: string;
  readonly logName: string;
  /** The process is ended when this one is gone, however it went. */
  readonly ownerPid: number;
}

/** A server process that never outlives its owner. */
export class JavaProcess {
  private constructor(
    readonly pid: number,
    private readonly logFile: string,
  ) {}

  static start(options: JavaOptions): JavaProcess {
    const logFile = join(options.directory, options.logName);
    const log = openSync(logFile, 'w');
    // Detached: Ctrl-C in a terminal reaches the owner alone, so that tests can stop servers in their order.
    const java = spawn('java', [...BRIEF, ...options.args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    // A failure to spawn shows as a missing pid below; without a listener the event would end the process.
    java.on('error', () => undefined);
    const pid = startedPid(java);
    endWithOwner(pid, options.directory, options.ownerPid);
    return new JavaProcess(pid, logFile);
  }

  /** Waits until `isReady` answers true. @throws if the process ends before, or after `timeoutMs` */
  async ready(isReady: () => boolean | Promise<boolean>, timeoutMs = 90_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await isReady())) {
      if (!isAlive(this.pid)) throw new Error(`the server has ended:\n${this.log().slice(-2_000)}`);
      if (Date.now() > deadline) throw new Error(`the server is not up:\n${this.log().slice(-2_000)}`);
      await sleep(50);
    }
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  signal(signal: NodeJS.Signals): void {
    if (isAlive(this.pid)) process.kill(this.pid, signal);
  }

  async stopped(): Promise<void> {
    while (isAlive(this.pid)) await sleep(20);
  }
}

function startedPid(child: ChildProcess): number {
  child.unref();
  if (child.pid === undefined) throw new Error('java could not be started');
  return child.pid;
}

/**
 * Ends a process when its owner is gone, however the owner went: a shell that outlives both sees to it.
 * @param directory   goes with them; none where it is empty
 */
export function endWithOwner(pid: number, directory: string, ownerPid = OWNER_PID): void {
  const script = `while kill -0 ${ownerPid} && kill -0 ${pid}; do sleep 1; done
    kill -0 ${ownerPid} || { kill -9 ${pid}; sleep 0.2; rm -rf "$1"; }`;
  spawn('sh', ['-c', script, 'watch', directory], { detached: true, stdio: 'ignore' }).unref();
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

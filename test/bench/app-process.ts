/** An app of the product as a process of its own, seen from outside: by its log, its health and its metrics. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from './node-flags.js';
import { builtFile } from '../../libs/testing/places.js';

export interface AppReading {
  /** CPU seconds of the process since it began. */
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
  readonly recordsIn: number;
  /** Records of all its inputs that it has not read yet, as of their last batches. */
  readonly lag: number;
  /** Rows that wait for ClickHouse. */
  readonly outbox: number;
}

const POLL_MS = 250;
const READY_MS = 120_000;
/** The sum of the readings has to stay for so many polls before work counts as done. */
const CALM_POLLS = 4;
const LOG_TAIL_LINES = 20;

export class AppProcess {
  readonly #child: ChildProcess;
  readonly #tail: string[] = [];
  #url: string | null = null;

  private constructor(
    readonly app: string,
    env: Readonly<Record<string, string>>,
    flags: readonly string[],
  ) {
    this.#child = spawn(process.execPath, [...flags, builtFile(`apps/${app}/main.ts`)], {
      env: { ...process.env, GRAVITY_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error(`${app} has no output`);
    createInterface({ input: stdout }).on('line', (line) => {
      this.#url ??= /"url":"(http[^"]+)"/.exec(line)?.[1] ?? null;
      this.#tail.push(line);
      if (this.#tail.length > LOG_TAIL_LINES) this.#tail.shift();
    });
  }

  /** Resolves when the app listens; it may still be waiting for its servers. */
  static async start(
    app: string,
    env: Readonly<Record<string, string>>,
    flags = NODE_FLAGS,
  ): Promise<AppProcess> {
    const started = new AppProcess(app, env, flags);
    const deadline = Date.now() + READY_MS;
    while (started.#url === null) {
      started.#assertAlive();
      if (Date.now() > deadline) throw new Error(`${app} does not listen:\n${started.#tail.join('\n')}`);
      await sleep(20);
    }
    return started;
  }

  async reading(): Promise<AppReading> {
    this.#assertAlive();
    const response = await fetch(`${this.#url ?? ''}/metrics`);
    const text = await response.text();
    return {
      cpuSeconds: sumOf(text, 'process_cpu_seconds_total'),
      memoryMiB: Math.round(sumOf(text, 'process_resident_memory_bytes') / 2 ** 20),
      recordsIn: sumOf(text, 'gravity_records_in_total'),
      lag: sumOf(text, 'gravity_lag_records'),
      outbox: sumOf(text, 'gravity_outbox_entries'),
    };
  }

  /** The partitions of a topic that it works on now. */
  async partitionsOf(topic: string): Promise<readonly number[]> {
    this.#assertAlive();
    const response = await fetch(`${this.#url ?? ''}/metrics`);
    const own = /^gravity_lag_records\{[^}]*topic="([^"]+)",partition="(\d+)"/gm;
    const found = [...(await response.text()).matchAll(own)];
    return found.filter((one) => one[1] === topic).map((one) => Number(one[2]));
  }

  /** Waits until at least `records` have been read, nothing is left, and nothing new comes. */
  async drained(records: number): Promise<AppReading> {
    let calm = 0;
    let before = await this.reading();
    let done = before;
    for (;;) {
      await sleep(POLL_MS);
      const now = await this.reading();
      const isDone = now.recordsIn >= records && now.lag === 0 && now.outbox === 0;
      // A tick every ten seconds goes on for ever: it is no work that anybody waits for.
      const isCalm = isDone && now.recordsIn - before.recordsIn < CALM_POLLS * 4;
      if (!isCalm) calm = 0;
      else if (calm++ === 0) done = now;
      if (calm >= CALM_POLLS) return done;
      before = now;
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  #assertAlive(): void {
    const { exitCode } = this.#child;
    if (exitCode === null) return;
    throw new Error(`${this.app} has ended with ${exitCode}:\n${this.#tail.join('\n')}`);
  }
}

/** Sum over all label sets of a metric in Prometheus' text form. */
function sumOf(text: string, metric: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(metric)) continue;
    const rest = line.slice(metric.length);
    if (rest.startsWith(' ') || rest.startsWith('{')) sum += Number(rest.slice(rest.lastIndexOf(' ') + 1));
  }
  return sum;
}

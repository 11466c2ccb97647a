/** An app that is started again whenever it has ended, as an orchestrator would do. */
import { ServiceProcess } from '../integration/service-process.js';

const WATCH_MS = 250;
/** Before an app that has ended by itself is started again. */
const RESTART_MS = 500;

export class ChaosApp {
  readonly process: ServiceProcess;
  /** How often it has ended without being killed. */
  ownEnds = 0;
  readonly lastWords: string[] = [];
  #isWanted = false;
  #watch: NodeJS.Timeout | null = null;

  constructor(
    /** As it is told apart from others of its kind. */
    readonly label: string,
    readonly kind: 'intake' | 'relationship' | 'archive',
    readonly env: Readonly<Record<string, string>>,
  ) {
    this.process = new ServiceProcess(kind, env);
  }

  /** Faults may overlap: who finds it running has nothing to do. */
  start(): void {
    if (!this.process.isRunning) this.process.start();
    this.#isWanted = true;
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS);
  }

  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.process.end('SIGKILL');
  }

  /** @returns its exit code */
  async stop(): Promise<number | null> {
    this.#isWanted = false;
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
    return this.process.end('SIGTERM');
  }

  #look(): void {
    if (!this.#isWanted || this.process.isRunning) return;
    this.#isWanted = false;
    this.ownEnds += 1;
    this.lastWords.push(...this.process.lines.slice(-3));
    setTimeout(() => {
      if (this.#watch !== null) this.start();
    }, RESTART_MS);
  }
}

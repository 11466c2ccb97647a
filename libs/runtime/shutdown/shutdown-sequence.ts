import { messageOf } from '#pipeline';
import type { AppLogger } from '../logging/app-logger.js';

/**
 * The one order in which an app ends. The steps of one phase run side by side, phases one after the other.
 * Consumers `drain`: they stop polling, finish and commit the batches in hand and leave their group. Only then is
 * the store checkpointed and the outbox flushed, and only after that are sinks closed and connections dropped.
 */
export const SHUTDOWN_PHASES = [
  /** What makes new work: generators, timers that append ticks. */
  'stop-sources',
  'drain',
  'checkpoint',
  'flush-outbox',
  'close-sinks',
  'disconnect',
] as const;

export type ShutdownPhase = (typeof SHUTDOWN_PHASES)[number];

/** How long each phase may take, ms, unless told otherwise. */
const PHASE_LIMIT_MS: Readonly<Record<ShutdownPhase, number>> = {
  'stop-sources': 1_000,
  drain: 10_000,
  checkpoint: 10_000,
  'flush-outbox': 2_000,
  'close-sinks': 5_000,
  disconnect: 3_000,
};

interface Step {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

/** Steps that failed or were cut off; empty when everything ended well. */
export interface ShutdownReport {
  readonly failures: readonly string[];
}

export class ShutdownSequence {
  private readonly steps = new Map<ShutdownPhase, Step[]>(SHUTDOWN_PHASES.map((phase) => [phase, []]));
  private readonly finished = new Map<ShutdownPhase, Promise<void>>();
  private readonly failures: string[] = [];
  private readonly beginning = new AbortController();

  constructor(
    private readonly logger: AppLogger,
    private readonly limitMs: Partial<Record<ShutdownPhase, number>> = {},
  ) {}

  /** Aborted when the shutdown begins; for work that waits (for a dependency, for a timer). */
  get signal(): AbortSignal {
    return this.beginning.signal;
  }

  /** @param name  what the log says, such as `store of relationship` */
  register(phase: ShutdownPhase, name: string, run: () => Promise<void> | void): void {
    if (this.finished.has(phase)) throw new Error(`The shutdown is past "${phase}": too late for ${name}`);
    this.steps.get(phase)?.push({ name, run });
  }

  /** Runs the phases up to and including `last` that have not run yet. Never rejects; a phase runs once. */
  async runThrough(last: ShutdownPhase): Promise<ShutdownReport> {
    this.beginning.abort();
    for (const phase of SHUTDOWN_PHASES.slice(0, SHUTDOWN_PHASES.indexOf(last) + 1)) {
      const running = this.finished.get(phase) ?? this.runPhase(phase);
      this.finished.set(phase, running);
      await running;
    }
    return { failures: [...this.failures] };
  }

  private async runPhase(phase: ShutdownPhase): Promise<void> {
    const steps = this.steps.get(phase) ?? [];
    const limitMs = this.limitMs[phase] ?? PHASE_LIMIT_MS[phase];
    await Promise.all(steps.map((step) => this.runStep(phase, step, limitMs)));
  }

  private async runStep(phase: ShutdownPhase, step: Step, limitMs: number): Promise<void> {
    const startedAt = performance.now();
    const limit = timeLimit(limitMs);
    try {
      const outcome = await Promise.race([Promise.resolve().then(step.run), limit.reached]);
      const durationMs = Math.round(performance.now() - startedAt);
      if (outcome === LIMIT) {
        // What is left in the outbox is sent after the next start.
        if (phase !== 'flush-outbox')
          this.failures.push(`${phase}: ${step.name} took longer than ${limitMs} ms`);
        this.logger.warn('shutdown step cut off', { phase, step: step.name, limitMs });
      } else this.logger.info('shutdown step done', { phase, step: step.name, durationMs });
    } catch (error) {
      this.failures.push(`${phase}: ${step.name}: ${messageOf(error)}`);
      this.logger.error('shutdown step failed', { phase, step: step.name, err: error });
    } finally {
      limit.cancel();
    }
  }
}

const LIMIT = Symbol('time limit');

function timeLimit(limitMs: number): { readonly reached: Promise<typeof LIMIT>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const reached = new Promise<typeof LIMIT>((resolve) => {
    timer = setTimeout(() => resolve(LIMIT), limitMs);
  });
  return { reached, cancel: () => clearTimeout(timer) };
}

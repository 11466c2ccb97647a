/**
 * Owns all asynchrony of a run. Every call of a port is two tasks, the question on its way and the answer on its
 * way back; which task goes next, and what becomes of a call, is drawn from the seed. Between two tasks everything
 * that can run without the outside has run, so the order of tasks is the whole truth of a run.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { asError } from '#pipeline';
import type { CallFault, CallKind, FaultPolicy } from './fault-policy.js';
import { InvariantError, KilledError, UnavailableError, type Life } from './life.js';
import type { SeededRandom } from './seeded-random.js';
import { Trace } from './trace.js';

interface Task {
  /** Whose code it runs; null for what happens outside of any process. */
  readonly life: Life | null;
  readonly what: string;
  /** Not before this instant of the virtual clock, ms. */
  readonly dueAt: number;
  /** Not before this many steps, unless nothing else can happen. */
  heldTo: number;
  /** A question that waits for something; undefined: it waits for nothing. */
  readonly isReady: (() => boolean) | undefined;
  readonly run: () => void;
}

export interface TaskOptions {
  readonly dueAt?: number;
  readonly isReady?: () => boolean;
  /** Always at once: the network does not come in between. */
  readonly isPrompt?: boolean;
}

const SLOW_SHARE = 0.04;
const SLOW_STEPS = 250;
/** Turns of the event loop that code may take between two calls of its ports. */
const TURNS_GIVEN = 4;
const STEPS_MAX = 60_000;

/**
 * Whose code runs: also where it goes on by itself, in the middle of another's turn. One for all runs, since Node
 * carries every storage there ever was along with each promise.
 */
const running = new AsyncLocalStorage<Life | null>();

export class Scheduler {
  readonly trace = new Trace();
  /** Virtual clock, ms. */
  now: number;
  steps = 0;
  violation: Error | null = null;
  #tasks: Task[] = [];
  /** The network loses no more time either. */
  isCalm = false;

  constructor(
    readonly random: SeededRandom,
    readonly faults: FaultPolicy,
    startAt: number,
    private readonly onKilled: (life: Life) => void,
  ) {
    this.now = startAt;
  }

  post(life: Life | null, what: string, run: () => void, options: TaskOptions = {}): void {
    if (life?.isDead === true) return;
    const isSlow = options.isPrompt !== true && !this.isCalm && this.random.chance(SLOW_SHARE);
    const heldTo = isSlow ? this.steps + this.random.below(SLOW_STEPS) : 0;
    const { dueAt = 0, isReady } = options;
    this.#tasks.push({ life, what, run, dueAt, heldTo, isReady });
  }

  /** A call of a port by a process: `effect` is what it does outside. */
  call<T>(life: Life, kind: CallKind, what: string, effect: () => T, isReady?: () => boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      if (life.isDead) return;
      const answer = (how: string, settle: () => void): void =>
        this.post(life, `${life.name} ← ${what}${how}`, settle);
      const question = (): void => {
        const fault = life.isDead ? null : this.faults.draw(kind);
        if (fault !== null) this.trace.note(this.steps, `  ${what} is ${fault}`);
        try {
          const outcome = this.#undergo(life, fault, what, effect);
          answer('', () => resolve(outcome));
        } catch (error) {
          this.#notice(error);
          // The call of a process that is gone has no one to fail for.
          if (!life.isDead) answer(' ✗', () => reject(asError(error)));
        }
      };
      // On its way already: the process may stop or die, this goes on.
      this.post(null, `${life.name} → ${what}`, question, isReady === undefined ? {} : { isReady });
    });
  }

  /** A call that blocks its process. @throws whatever the fault says */
  callSync(life: Life, kind: CallKind, what: string, effect: () => void): void {
    if (life.isDead) throw new KilledError(what);
    const fault = this.faults.draw(kind);
    this.trace.note(this.steps, `  ${life.name} ${what}${fault === null ? '' : ` is ${fault}`}`);
    this.#undergo(life, fault, what, effect);
    if (fault === 'killed after') throw new KilledError(what);
  }

  #undergo<T>(life: Life, fault: CallFault | null, what: string, effect: () => T): T {
    switch (fault) {
      case 'lost':
        throw new UnavailableError(what);
      case 'killed before':
        this.kill(life);
        throw new KilledError(what);
      case 'unanswered':
        effect();
        throw new UnavailableError(what);
      case 'late':
        this.#afterwards(what, effect);
        throw new UnavailableError(what);
      case 'twice':
        this.#afterwards(what, effect);
        return effect();
      case 'killed after': {
        const outcome = effect();
        this.kill(life);
        return outcome;
      }
      case null:
        return effect();
    }
  }

  #afterwards(what: string, effect: () => unknown): void {
    this.post(null, `late ${what}`, () => {
      try {
        effect();
      } catch (error) {
        // A late request that is refused has nobody to tell it to.
        this.#notice(error);
      }
    });
    const last = this.#tasks.at(-1);
    if (last !== undefined) last.heldTo = this.steps + this.random.below(2 * SLOW_STEPS);
  }

  #notice(error: unknown): void {
    if (error instanceof InvariantError) this.violation ??= error;
  }

  /** The process is gone, with some of what it had on its way to the network. */
  kill(life: Life): void {
    if (life.isDead) return;
    life.isDead = true;
    this.trace.note(this.steps, `† ${life.name}`);
    const own = `${life.name} → `;
    this.#tasks = this.#tasks.filter(
      (task) =>
        task.life !== life && !(task.life === null && task.what.startsWith(own) && this.random.chance(0.5)),
    );
    this.onKilled(life);
  }

  /** For `setTimeout` of the code that runs now. @returns what takes the timer back */
  timer(ms: number, run: () => void): () => void {
    const life = running.getStore() ?? null;
    let isCancelled = false;
    const what = `${life?.name ?? 'nobody'} timer ${Math.round(ms)}`;
    const dueAt = this.now + Math.max(0, Math.ceil(ms));
    this.post(life, what, run, { dueAt, isReady: () => !isCancelled, isPrompt: true });
    return () => {
      isCancelled = true;
      this.#tasks = this.#tasks.filter((task) => task.run !== run || task.life !== life);
    };
  }

  /**
   * Lets one thing happen, and everything that follows from it by itself.
   * @returns false when nothing can happen
   */
  async step(): Promise<boolean> {
    let task = this.#take();
    // Somebody may be giving way to others, and go on by himself.
    for (let turn = 0; task === null && turn < TURNS_GIVEN; turn += 1) {
      await nextTurn();
      task = this.#take();
    }
    if (task === null) return false;
    this.trace.note(this.steps, task.what);
    await this.enter(task.life, task.run);
    if (!this.isCalm && this.random.chance(0.3)) this.now += this.random.below(20);
    return true;
  }

  /** Runs code of a process, and what follows from it. @throws the violation of an invariant */
  async enter(life: Life | null, run: () => void): Promise<void> {
    this.steps += 1;
    if (this.steps > STEPS_MAX) throw new InvariantError('it does not come to an end');
    running.run(life, run);
    await nextTurn();
    if (this.violation !== null) throw this.violation;
  }

  #take(): Task | null {
    const possible = this.#tasks.filter((task) => this.#isPossible(task));
    if (possible.length === 0) return null;
    const free = possible.filter(({ heldTo, dueAt }) => heldTo <= this.steps && dueAt <= this.now);
    const task = free.length > 0 ? this.random.pick(free) : earliest(possible);
    this.#tasks.splice(this.#tasks.indexOf(task), 1);
    this.now = Math.max(this.now, task.dueAt);
    return task;
  }

  #isPossible({ life, isReady }: Task): boolean {
    return (life === null || !life.isPaused) && (isReady === undefined || isReady());
  }

  /** What is waited for, for the message of a run that hangs. */
  waiting(): readonly string[] {
    return this.#tasks.map(({ what }) => what);
  }
}

/** Held tasks before timers, and of either the one that is waited for least. */
function earliest(tasks: readonly Task[]): Task {
  return tasks.reduce((a, b) => ((b.dueAt - a.dueAt || b.heldTo - a.heldTo) < 0 ? b : a));
}

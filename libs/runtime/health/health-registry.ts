import { messageOf, type ConsumerHealth } from '#pipeline';
import type { DependencyStatus } from './dependency.js';

/** The answer of one check; `reason` is for the person who reads `/health`. */
export interface HealthResult {
  readonly name: string;
  readonly isUp: boolean;
  readonly reason: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface HealthLimits {
  /** A consumer that last polled longer ago counts as dead. */
  readonly pollAgeMaxMs: number;
}

type Probe<Value> = () => Value;

/** Where the parts of an app say how to find out whether they are well. */
export class HealthRegistry {
  private readonly consumers = new Map<string, Probe<ConsumerHealth>>();
  private readonly dependencies = new Map<string, Probe<DependencyStatus>>();
  private readonly checks = new Map<string, Probe<string | null | Promise<string | null>>>();
  private shuttingDown = false;
  private startup: string | null = null;

  constructor(
    private readonly limits: HealthLimits,
    private readonly now: () => number = Date.now,
  ) {}

  registerConsumer(name: string, health: Probe<ConsumerHealth>): void {
    this.consumers.set(name, health);
  }

  registerDependency(name: string, status: Probe<DependencyStatus>): void {
    this.dependencies.set(name, status);
  }

  /** A further condition of readiness: answers the reason why the part is not ready, or null. */
  registerReadiness(name: string, reasonIfNot: Probe<string | null | Promise<string | null>>): void {
    this.checks.set(name, reasonIfNot);
  }

  /** Not ready from now on, whatever the checks say. */
  startShuttingDown(): void {
    this.shuttingDown = true;
  }

  /** Not ready while `stage` is not null, such as `opening the store`. */
  setStartup(stage: string | null): void {
    this.startup = stage;
  }

  /** The first consumer that has given up for good, or null. */
  crash(): { readonly name: string; readonly error: Error } | null {
    for (const [name, health] of this.consumers) {
      const { crashed } = health();
      if (crashed !== null) return { name, error: crashed };
    }
    return null;
  }

  /** Is the process worth keeping? */
  live(): readonly HealthResult[] {
    return [
      { name: 'process', isUp: true, reason: 'running' },
      ...[...this.consumers].map(([name, health]) => this.consumerLive(name, health())),
    ];
  }

  /** Can it do its work now? */
  async ready(): Promise<readonly HealthResult[]> {
    const checks = await Promise.all([...this.checks].map(([name, check]) => readiness(name, check)));
    return [
      this.stage(),
      ...[...this.dependencies].map(([name, status]) => dependencyReady(name, status())),
      ...[...this.consumers].map(([name, health]) => consumerReady(name, health())),
      ...checks,
    ];
  }

  private stage(): HealthResult {
    if (this.shuttingDown) return { name: 'process', isUp: false, reason: 'shutting down' };
    if (this.startup !== null) return { name: 'process', isUp: false, reason: this.startup };
    return { name: 'process', isUp: true, reason: 'running' };
  }

  private consumerLive(name: string, health: ConsumerHealth): HealthResult {
    if (health.crashed !== null) return { name, isUp: false, reason: `crashed: ${health.crashed.message}` };
    // Before the first poll it waits for its group or its dependencies: that is readiness, not death.
    if (health.lastPollAt === 0) return { name, isUp: true, reason: 'has not polled yet' };
    const ageMs = Math.max(0, this.now() - health.lastPollAt);
    const isUp = ageMs <= this.limits.pollAgeMaxMs;
    const reason = isUp ? 'polling' : `has not polled for ${Math.round(ageMs / 1_000)} s`;
    return { name, isUp, reason, details: { pollAgeMs: ageMs } };
  }
}

function consumerReady(name: string, health: ConsumerHealth): HealthResult {
  if (health.crashed !== null) return { name, isUp: false, reason: `crashed: ${health.crashed.message}` };
  const assigned = health.assigned.map(({ topic, partition }) => `${topic}/${partition}`);
  return health.joined
    ? { name, isUp: true, reason: 'joined', details: { assigned } }
    : { name, isUp: false, reason: 'has not joined its group' };
}

function dependencyReady(name: string, status: DependencyStatus): HealthResult {
  if (status.isReady) return { name, isUp: true, reason: 'ready' };
  const since = new Date(status.since).toISOString();
  const { attempts, lastError } = status;
  return {
    name,
    isUp: false,
    reason: `waiting for ${status.name} since ${since}${lastError === null ? '' : `: ${lastError}`}`,
    details: { attempts },
  };
}

async function readiness(
  name: string,
  check: Probe<string | null | Promise<string | null>>,
): Promise<HealthResult> {
  try {
    const reason = await check();
    return { name, isUp: reason === null, reason: reason ?? 'ready' };
  } catch (error) {
    return { name, isUp: false, reason: messageOf(error) };
  }
}

/** What a number was measured on, and who else was at work meanwhile. */
import { cpus, loadavg, release, totalmem, type } from 'node:os';

export interface MachineFacts {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
}

export function machineFacts(): MachineFacts {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.version,
  };
}

/** More than this many cores at work for somebody else make the seconds of a run doubtful. */
const OTHERS_TOLERATED = 0.1;

export interface Surroundings {
  /** Mean load of the last minute at the start and at the end. */
  readonly load: readonly [start: number, end: number];
  /** Cores that were busy with anything but this run, on average. */
  readonly otherCores: number;
  readonly quiet: boolean;
}

/** Watches the machine over a run. */
export class MachineWatch {
  readonly #load = minuteLoad();
  readonly #busy = busySeconds();
  readonly #startedAt = performance.now();

  /** @param ownCpuSeconds   CPU seconds of this run, its children and its servers since the watch began */
  end(ownCpuSeconds: number): Surroundings {
    const wallSeconds = (performance.now() - this.#startedAt) / 1_000;
    const others = Math.max(0, (busySeconds() - this.#busy - ownCpuSeconds) / wallSeconds);
    const otherCores = Math.round(others * 100) / 100;
    return { load: [this.#load, minuteLoad()], otherCores, quiet: otherCores <= OTHERS_TOLERATED };
  }
}

/** CPU seconds of this process since `from`, its threads included. */
export function cpuSeconds(from?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

function minuteLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** Of all cores since the machine started. */
function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1_000;
}

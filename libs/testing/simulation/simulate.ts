import { messageOf } from '#pipeline';
import { localCodecs } from '../pipeline-world.js';
import { checkInvariants } from './invariants.js';
import { Simulation } from './simulation.js';
import { inVirtualTime } from './virtual-time.js';

/** What one seed came to. */
export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  /** Of every decision of the scheduler: equal for equal seeds. */
  readonly digest: string;
  readonly facts: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Partitions that came back from a snapshot. */
  readonly restores: number;
}

/** A run that ended badly; the message has the seed and the last decisions. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}

const codecs = localCodecs();

/** @throws SimulationError   with the seed, what is wrong, and the last decisions before it */
export async function simulate(seed: number): Promise<SimulationReport> {
  const simulation = new Simulation(seed, await codecs);
  const { scheduler } = simulation;
  try {
    await inVirtualTime(scheduler, async () => {
      await simulation.storm();
      await simulation.calm();
      await simulation.stop();
    });
    const counts = await checkInvariants(simulation);
    const restores = simulation.snapshots?.restores ?? 0;
    return { seed, steps: scheduler.steps, digest: scheduler.trace.digest(), ...counts, restores };
  } catch (error) {
    const what = messageOf(error);
    const last = scheduler.trace.last().join('\n  ');
    throw new SimulationError(`SIM_SEED=${seed}: ${what}\nlast decisions:\n  ${last}`, { cause: error });
  }
}

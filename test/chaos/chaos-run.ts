/** The storm: faults in a seeded order, some of them while the last one is not over yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#pipeline';
import { eventually } from '#testing';
import { SeededRandom } from '../../libs/testing/simulation/seeded-random.js';
import { strike } from './chaos-faults.js';
import type { FaultKind } from './fault-kinds.js';
import type { ChaosOptions } from './chaos-options.js';
import { PATIENCE_MS, type ChaosWorld } from './chaos-world.js';
import { whereThingsStand } from './where-things-stand.js';

export interface FaultRecord {
  readonly kind: FaultKind;
  readonly startedAt: number;
  healedAt: number;
  isStruck: boolean;
  /** When everything that was sent up to the healing had come through, ms; null while it has not. */
  recoveredAt: number | null;
}

/** An app that has come back makes its group share the partitions anew once more, some time after all seemed well. */
const AFTERMATH_MS = 12_000;
/** How often a fault does not wait for the last one to be over. */
const OVERLAP_CHANCE = 0.25;

/** Each kind once before any comes twice, in a random order. */
export function planFaults(
  random: SeededRandom,
  count: number,
  kinds: readonly FaultKind[],
): readonly FaultKind[] {
  const plan: FaultKind[] = [];
  while (plan.length < count) {
    const left = [...kinds];
    while (left.length > 0 && plan.length < count) {
      const [kind] = left.splice(random.below(left.length), 1);
      if (kind !== undefined) plan.push(kind);
    }
  }
  return plan;
}

export async function storm(world: ChaosWorld, options: ChaosOptions): Promise<readonly FaultRecord[]> {
  const random = new SeededRandom(options.seed);
  const faults: FaultRecord[] = [];
  const underWay = new Map<string, Promise<void>>();
  for (const [index, kind] of planFaults(random, options.faults, options.kinds).entries()) {
    await sleep(random.below(options.pauseMs + 1));
    // What is down already cannot be taken down, and one transaction at a time can be held.
    const target = kind.endsWith('inside a transaction') ? 'transaction' : kind;
    await underWay.get(target);
    const fault = { kind, startedAt: Date.now(), healedAt: 0, isStruck: false, recoveredAt: null };
    faults.push(fault);
    if (options.isLong) {
      const sent = `${world.traffic.acknowledged} records sent`;
      process.stdout.write(`fault ${index + 1} of ${options.faults}: ${kind} (${sent})\n`);
    }
    const isPatient = options.isLong && !random.chance(OVERLAP_CHANCE);
    const suffering = suffer(world, fault, new SeededRandom(random.below(1_000_000)));
    // Whoever waits for it gets the error; until then it must not end the process.
    suffering.catch(() => undefined);
    underWay.set(target, suffering);
    if (isPatient) await suffering;
  }
  await Promise.all(underWay.values());
  return faults;
}

async function suffer(world: ChaosWorld, fault: FaultRecord, random: SeededRandom): Promise<void> {
  const { healedAt, isStruck } = await strike(fault.kind, world, random);
  fault.healedAt = healedAt;
  fault.isStruck = isStruck;
  fault.recoveredAt = await recovered(world, fault.kind, healedAt);
}

/** When everything that was sent up to an instant, and something later, has come through, ms. */
async function recovered(world: ChaosWorld, kind: FaultKind, healedAt: number): Promise<number> {
  const { probes } = world.traffic;
  const { seen } = world.watch;
  const missing = (): readonly string[] =>
    [...probes].filter(([id, sentAt]) => sentAt <= healedAt && !seen.has(id)).map(([id]) => id);
  try {
    await eventually(() => {
      const waiting = missing();
      if (waiting.length > 0) throw new Error(`${waiting.length} probes have not come through`);
      if (![...probes].some(([id, sentAt]) => sentAt > healedAt && seen.has(id))) {
        throw new Error('nothing that was sent afterwards has come through');
      }
    }, PATIENCE_MS);
  } catch (error) {
    const text = await whereThingsStand(world, missing());
    throw new Error(`after ${kind}: ${messageOf(error)}\n${text}`, {
      cause: error,
    });
  }
  return Date.now();
}

/** The longest that a tier change was on its way that was caused between the fault and the recovery from it, ms. */
export function worstStall(world: ChaosWorld, { startedAt, healedAt, recoveredAt }: FaultRecord): number {
  let worst = 0;
  for (const [id, sentAt] of world.traffic.probes) {
    const seenAt = world.watch.seen.get(id);
    if (seenAt === undefined || sentAt < startedAt || sentAt > (recoveredAt ?? healedAt)) continue;
    worst = Math.max(worst, seenAt - sentAt);
  }
  return worst;
}

/** Whether nothing else was broken from some time before its start until the world had recovered. */
export function isAlone(fault: FaultRecord, faults: readonly FaultRecord[]): boolean {
  const { recoveredAt } = fault;
  if (recoveredAt === null) return false;
  return faults.every(
    (other) =>
      other === fault ||
      other.startedAt > recoveredAt ||
      (other.recoveredAt !== null && other.recoveredAt + AFTERMATH_MS < fault.startedAt),
  );
}

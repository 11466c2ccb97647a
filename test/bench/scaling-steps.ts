/** One instance more or less, and who has which partition before and after. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '#pipeline';
import type { AppProcess } from './app-process.js';

export interface ScalingStep {
  /** `1 → 2`. */
  readonly name: string;
  readonly moved: ReadonlySet<number>;
  /** How many have to move so that the shares differ by one at most. */
  readonly leastMoves: number;
  /** From before the instance is started or stopped until all is calm again, ms. */
  readonly from: number;
  readonly to: number;
}

const POLL_MS = 250;
const SETTLED_MS = 120_000;
/** Time for what has waited to be worked off. */
const CALM_MS = 8_000;

/** Changes `instances` by one. */
export async function takeStep(
  step: 1 | -1,
  instances: AppProcess[],
  start: () => Promise<AppProcess>,
): Promise<ScalingStep> {
  const before = await ownersOf(instances);
  const partitions = before.size;
  const count = instances.length;
  const from = Date.now();
  const leaves = step === -1 ? instances.pop() : undefined;
  const held = [...before.values()].filter((one) => one === leaves).length;
  if (leaves === undefined) instances.push(await start());
  else await leaves.stop();
  const after = await ownersOf(instances, partitions);
  await sleep(CALM_MS);
  const moved = [...after].filter(([partition, owner]) => before.get(partition) !== owner);
  return {
    name: `${count} → ${instances.length}`,
    moved: new Set(moved.map(([partition]) => partition)),
    // The one that comes takes its share, which the others need not exceed; of the one that leaves all go.
    leastMoves: step === 1 ? Math.floor(partitions / instances.length) : held,
    from,
    to: Date.now(),
  };
}

/** Waits until each partition has one owner, and each instance its share. */
export async function ownersOf(
  instances: readonly AppProcess[],
  partitions?: number,
): Promise<ReadonlyMap<number, AppProcess>> {
  const deadline = Date.now() + SETTLED_MS;
  for (;;) {
    const owners = new Map<number, AppProcess>();
    const shares: number[] = [];
    for (const instance of instances) {
      const own = await instance.partitionsOf(TOPICS.relationshipLog);
      shares.push(own.length);
      for (const partition of own) owners.set(partition, instance);
    }
    const total = shares.reduce((sum, share) => sum + share, 0);
    const isEven = Math.max(...shares) - Math.min(...shares) <= 1;
    if (owners.size === (partitions ?? total) && total === owners.size && total > 0 && isEven) return owners;
    if (Date.now() > deadline) throw new Error(`the instances have ${shares.join(', ')} partitions`);
    await sleep(POLL_MS);
  }
}

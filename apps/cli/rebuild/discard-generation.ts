import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { generations, GenerationSink, shownGeneration } from '#clickhouse';
import type { SnapshotStore } from '#pipeline';
import type { Platform } from '#platform';
import { BUILD } from '#runtime';
import { CliError } from '../exit-codes.js';
import type { FoldedNow } from './rebuild-target.js';

/**
 * Gives a generation up: one that is being built, or one that is not shown any more. Its rows, its stores on this
 * machine and its snapshots are deleted.
 * @throws CliError   the log is folded as it, or nobody has heard of it
 */
export async function discardGeneration(
  generation: number,
  {
    platform,
    now,
    snapshots,
  }: { readonly platform: Platform; readonly now: FoldedNow; readonly snapshots: SnapshotStore | null },
): Promise<void> {
  const { clickhouse } = platform;
  const folded = [...now.partitions.values()].map((one) => one.generation);
  if (folded.includes(generation) || generation === (await shownGeneration(clickhouse))) {
    throw new CliError(`generation ${generation} is what the log is folded as; it cannot be given up`);
  }
  const known = (await generations(clickhouse)).find((one) => one.generation === generation);
  if (known === undefined && generation > Math.min(...folded)) {
    throw new CliError(`there is no generation ${generation}; --list has those that a rebuild has made`);
  }
  const at = Date.now();
  const head = { generation, epoch: 1, logId: now.logId, foldVersion: 0 };
  const first = { ...head, beganAt: at, build: BUILD, shownFrom: [] };
  const sink = new GenerationSink(clickhouse);
  await sink.write({ ...(known ?? first), state: 'discarded', changedAt: at });
  await sink.deleteRows(generation);
  rmSync(join(platform.dataDir, 'state', `rebuild-g${generation}`), { recursive: true, force: true });
  for (const one of (await snapshots?.list(null)) ?? []) {
    const { manifest } = one;
    if (manifest?.checkpoint.logId !== now.logId || manifest.checkpoint.generation !== generation) continue;
    await snapshots?.remove(one);
  }
}

/** Which generation a rebuild makes: the one that an earlier run has begun, or the next. */
import {
  generations,
  GenerationSink,
  shownGeneration,
  type ClickHouse,
  type StoredGeneration,
} from '#clickhouse';
import { FOLD_VERSION } from '#domain';
import { begunGenerations, firstEpoch, TOPICS } from '#pipeline';
import type { Platform } from '#platform';
import { BUILD } from '#runtime';
import { CliError } from '../exit-codes.js';

/** What the log is folded as, partition by partition. */
export interface FoldedNow {
  readonly logId: string;
  /** Partition → generation and epoch. They differ where a switch was cut short. */
  readonly partitions: ReadonlyMap<number, { readonly generation: number; readonly epoch: number }>;
}

/** @throws CliError   the log has no first record, or has lost it */
export async function foldedNow(platform: Platform): Promise<FoldedNow> {
  const { log, generations: codec } = platform.codecs();
  const partitions = new Map<number, { readonly generation: number; readonly epoch: number }>();
  let logId = '';
  for (const { partition, start } of await platform.log.ends(TOPICS.relationshipLog)) {
    const first = await firstEpoch(platform.log, log, { topic: TOPICS.relationshipLog, partition });
    if (first === null) {
      throw new CliError(
        start > 0
          ? `${TOPICS.relationshipLog}-${partition} begins at offset ${start}: what lay before is gone, and cannot be folded again`
          : `${TOPICS.relationshipLog}-${partition} is empty: there is nothing to rebuild`,
      );
    }
    ({ logId } = first);
    const begun = (await begunGenerations(platform.log, codec, partition)).get(logId) ?? first;
    partitions.set(partition, { generation: begun.generation, epoch: begun.epoch });
  }
  if (partitions.size === 0) throw new CliError(`topic ${TOPICS.relationshipLog} does not exist`);
  return { logId, partitions };
}

/**
 * The generation to build; one that is begun now is entered, so that nobody is shown its rows.
 * @throws CliError   another release, or another log, has begun one
 */
export async function targetGeneration(
  { clickhouse }: Platform,
  now: FoldedNow,
): Promise<{ readonly entry: StoredGeneration; readonly isNew: boolean }> {
  const known = await generations(clickhouse);
  await assertComplete(clickhouse, known, now);
  const building = known.find(({ state }) => state === 'building');
  if (building !== undefined) {
    assertOurs(building, now);
    return { entry: building, isNew: false };
  }
  const at = Date.now();
  const used = [...known, ...now.partitions.values()];
  const entry: StoredGeneration = {
    generation: 1 + Math.max(...used.map(({ generation }) => generation)),
    epoch: 1 + Math.max(...used.map(({ epoch }) => epoch)),
    ...{
      logId: now.logId,
      foldVersion: FOLD_VERSION,
      state: 'building',
      beganAt: at,
      changedAt: at,
      build: BUILD,
      shownFrom: [],
    },
  };
  await new GenerationSink(clickhouse).write(entry);
  return { entry, isNew: true };
}

/** After a repartition there is nothing to compare with before the new log is folded. @throws CliError */
async function assertComplete(
  clickhouse: ClickHouse,
  known: readonly StoredGeneration[],
  { partitions }: FoldedNow,
): Promise<void> {
  const folded = Math.min(...[...partitions.values()].map(({ generation }) => generation));
  const made = known.find(({ generation }) => generation === folded);
  if (made === undefined || made.shownFrom.length === 0) return;
  if ((await shownGeneration(clickhouse)) >= folded) return;
  throw new CliError(
    `the log was repartitioned, and generation ${folded} is not folded up to there yet: wait until readers are shown it`,
  );
}

function assertOurs({ generation, logId, foldVersion }: StoredGeneration, now: FoldedNow): void {
  const wayOut = `\`gravity rebuild --discard ${generation}\` gives it up`;
  if (logId !== now.logId) {
    throw new CliError(`generation ${generation} is being built of another log (${logId}); ${wayOut}`);
  }
  if (foldVersion === FOLD_VERSION) return;
  throw new CliError(
    `generation ${generation} is being built by version ${foldVersion} of the fold, this is version ${FOLD_VERSION}; ${wayOut}`,
  );
}

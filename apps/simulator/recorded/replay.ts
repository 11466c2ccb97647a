/**
 * The replay of recorded data: read and sort everything, then write it to the relationship log in batches, each in
 * one transaction with the number of rows done. Stopped anywhere, the same replay goes on where it was.
 */
import { createHash } from 'node:crypto';
import { DEFAULT_ADMISSION_LIMITS } from '#domain';
import { recordedGroup } from './replay-identity.js';
import { WALL_CLOCK } from './replay-pace.js';
import type { ReplayObserver, ReplayPlan, ReplayReport, ReplayTarget } from './replay-plan.js';
import { REPLAY_POSITION, ReplayRun } from './replay-run.js';
import { sortRows, type SortedRows } from './sorted-rows.js';

/** The files hold no row that can be a touchpoint, so the options hardly fit them. */
export class NothingToReplayError extends Error {
  override readonly name = 'NothingToReplayError';
  constructor(
    readonly rows: Pick<SortedRows, 'rowsRead' | 'rejected' | 'ignored'>,
    verb: 'replayed' | 'imported',
  ) {
    super(rows.rowsRead === 0 ? 'the files hold no rows' : `none of ${rows.rowsRead} rows can be ${verb}`);
  }
}

/**
 * @param openTarget   called once everything has been read and sorted: before that nothing is touched
 * @throws UnreadableFileError | MissingColumnError   before anything is written
 * @throws NothingToReplayError | OlderThanLogError | OtherRulesError   before anything is written
 * @throws the signal's reason   aborted while the files were read: nothing is written then either
 * @throws OwnershipLostError   another process replays the same files
 */
export async function replay(
  plan: ReplayPlan,
  openTarget: () => Promise<ReplayTarget>,
  observer: ReplayObserver,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const limits = { ...DEFAULT_ADMISSION_LIMITS, currency: plan.sequencing.currency };
  const clock = plan.clock ?? WALL_CLOCK;
  const rows = await sortRows({
    files: plan.files,
    options: plan.reading,
    brand: plan.sequencing.brand,
    directory: plan.sortDirectory,
    latestAt: clock.now() + limits.aheadMaxMs,
    signal,
    ...(plan.runRowsMax === undefined ? {} : { runRowsMax: plan.runRowsMax }),
    onProgress: (progress) => observer.progress?.({ phase: 'read', ...progress }),
    onReject: (source, row, reason, detail) => observer.reject?.(source, row, reason, detail),
  });
  try {
    if (rows.rows === 0) throw new NothingToReplayError(rows, 'replayed');
    const group = recordedGroup(
      'replay',
      rows.contentHash,
      plan.reading,
      plan.sequencing,
      plan.pseudonyms?.keyHash ?? null,
    );
    const target = await openTarget();
    const writer = await target.log.writer(group, REPLAY_POSITION);
    try {
      return await new ReplayRun(plan, target, observer, rows, group, writer, limits, clock).run(signal);
    } finally {
      await writer.close();
    }
  } finally {
    rows.dispose();
  }
}

/** Identifies a pseudonymisation key without showing it. */
export function keyHashOf(key: Buffer): string {
  return createHash('sha256').update('gravity replay key\0').update(key).digest('hex');
}

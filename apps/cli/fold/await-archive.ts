import { setTimeout as delay } from 'node:timers/promises';
import { TOPICS } from '#pipeline';
import type { Platform } from '#platform';
import { CliError } from '../exit-codes.js';
import { ARCHIVE_GROUP } from './folding.js';

const WAIT_MS = 60_000;
const POLL_MS = 500;

/**
 * Until the raw facts of the relationship log are stored up to these offsets by partition.
 * @throws CliError   they do not get there
 */
export async function awaitArchive(
  { log }: Platform,
  positions: ReadonlyMap<number, number>,
  signal: AbortSignal,
): Promise<void> {
  const topic = TOPICS.relationshipLog;
  const waiting = new Map(positions);
  for (const until = Date.now() + WAIT_MS; ;) {
    for (const [partition, position] of waiting) {
      if (((await log.committed(ARCHIVE_GROUP, { topic, partition })) ?? 0) >= position)
        waiting.delete(partition);
    }
    if (waiting.size === 0) return;
    signal.throwIfAborted();
    if (Date.now() > until) {
      throw new CliError(
        `the raw facts of ${waiting.size} partitions are behind the figures: is the archive service running?`,
      );
    }
    await delay(POLL_MS);
  }
}

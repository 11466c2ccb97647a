import {
  CommitAbortedError,
  CommitUnknownError,
  type CommitReceipt,
  type Log,
  type OutgoingRecord,
  type Position,
  type TransactionalWriter,
} from './log.js';

const ATTEMPTS = 8;
const FIRST_BACKOFF_MS = 10;

/**
 * Commits records together with the position of their input, once. After an aborted try it tries again; after
 * an unknown outcome the committed position says whether it had gone through.
 *
 * @throws OwnershipLostError   at once: the caller no longer owns the input
 * @throws CommitAbortedError   still failing after the last attempt; nothing became visible
 */
export async function commitTransaction(
  log: Log,
  writer: TransactionalWriter,
  group: string,
  records: readonly OutgoingRecord[],
  position: Position,
): Promise<CommitReceipt> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writer.commit({ records, positions: [position] });
    } catch (error) {
      if (error instanceof CommitUnknownError) {
        const committed = await log.committed(group, position);
        if (committed !== null && committed >= position.offset) return { appendedAt: null };
      } else if (!(error instanceof CommitAbortedError)) {
        throw error;
      }
      if (attempt >= ATTEMPTS) throw error;
      await backoff(attempt);
    }
  }
}

function backoff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, FIRST_BACKOFF_MS * 2 ** (attempt - 1)));
}

import {
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  messageOf,
  type CommitReceipt,
  type OutgoingRecord,
  type Position,
  type TransactionalWriter,
} from '#pipeline';
import type { LogEnvironment } from './log-environment.js';
import type { LogStorage } from './log-storage.js';
import { groupByPartition } from './outgoing.js';
import type { PartitionRef, TopicCatalog } from './topic-catalog.js';

export interface WriterParts {
  readonly environment: LogEnvironment;
  readonly storage: LogStorage;
  readonly catalog: TopicCatalog;
  /** Called for each partition that a commit has added to. */
  readonly appended: (partition: PartitionRef) => void;
  /** Throws when the log is closed. */
  readonly assertOpen: () => void;
}

/** Records and positions in one LMDB transaction, which is refused once the pair's epoch has moved on. */
export class EmbeddedWriter implements TransactionalWriter {
  private closed = false;

  private constructor(
    private readonly parts: WriterParts,
    private readonly group: string,
    private readonly input: PartitionRef,
    private readonly epoch: number,
  ) {}

  static open(parts: WriterParts, group: string, input: PartitionRef): EmbeddedWriter {
    const epoch = parts.environment.transact(() => {
      const next = parts.storage.epoch(group, input) + 1;
      parts.storage.putEpoch(group, input, next);
      return next;
    });
    return new EmbeddedWriter(parts, group, input, epoch);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here has to reject
  async commit(transaction: {
    readonly records: readonly OutgoingRecord[];
    readonly positions: readonly Position[];
  }): Promise<CommitReceipt> {
    if (this.closed) throw new Error('this writer is closed');
    const { catalog, storage } = this.parts;
    const positions = transaction.positions.map((position) => {
      if (!Number.isSafeInteger(position.offset) || position.offset < 0) {
        throw new RangeError(`${position.offset} is no offset (${position.topic}/${position.partition})`);
      }
      return { partition: catalog.partition(position), offset: position.offset };
    });
    return appendTransaction(this.parts, transaction.records, () => {
      const current = storage.epoch(this.group, this.input);
      if (current !== this.epoch) {
        throw new OwnershipLostError(
          `${this.group} on ${this.input.topic}/${this.input.partition}: writer ${this.epoch} is fenced by ${current}`,
        );
      }
      for (const { partition, offset } of positions) storage.putPosition(this.group, partition, offset);
    });
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/**
 * Appends in one transaction, in which `also` runs first.
 * @throws CommitAbortedError, CommitUnknownError as in the port, and whatever `also` throws
 */
export function appendTransaction(
  { environment, storage, catalog, appended, assertOpen }: WriterParts,
  records: readonly OutgoingRecord[],
  also: () => void = () => {},
): CommitReceipt {
  assertOpen();
  const groups = groupByPartition(records, catalog);
  let appendedAt: number | null = null;
  let complete = false;
  try {
    environment.transact(() => {
      also();
      if (groups.length > 0) {
        const time = storage.nextAppendTime();
        for (const group of groups) storage.append(group.partition, group.records, time);
        appendedAt = time;
      }
      complete = true;
    });
  } catch (cause) {
    if (cause instanceof OwnershipLostError) throw cause;
    const reason = messageOf(cause);
    // Once everything was written it was the flush that failed, and only the disk knows what it has.
    if (complete) throw new CommitUnknownError(`the log could not be flushed: ${reason}`, { cause });
    throw new CommitAbortedError(`the log could not be written: ${reason}`, { cause });
  }
  for (const { partition } of groups) appended(partition);
  return { appendedAt };
}

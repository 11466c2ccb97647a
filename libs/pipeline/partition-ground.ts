/** Whether a store, the log and the committed position belong together; where not, the message says the way out. */
import { FOLD_VERSION, type EpochRaised } from '#domain';
import type { LogGeneration } from './codecs.js';
import { ForeignLogError } from './log-identity.js';
import type { PartitionEnds, TopicPartition } from './log.js';
import type { Checkpoint } from './state-store.js';

/** What the log has and what was published, as of the opening of a partition. */
export interface LogBounds {
  readonly committed: number | null;
  readonly ends: PartitionEnds;
  /** By log id: the generation that a rebuild has begun in this partition, where one has. */
  readonly generations: ReadonlyMap<string, LogGeneration>;
}

interface GroundPorts {
  readonly group: string;
  readonly storeDirectory: string;
}

/** The log must still have what is to be folded next. */
export function assertInLog(
  input: TopicPartition,
  position: number,
  ends: PartitionEnds,
  ports: GroundPorts,
): void {
  if (ends.start > position) throw new ForeignLogError(lostRecords(input, position, ends, ports));
}

export function lostRecords(
  input: TopicPartition,
  position: number,
  { start }: PartitionEnds,
  { group, storeDirectory }: GroundPorts,
): string {
  return (
    `${nameOf(input)} begins at offset ${start}, but the local state of group ${group} is at ${position}: what lies ` +
    `between was never folded and is gone. Delete ${storeDirectory} where GRAVITY_SNAPSHOT_DIR has a snapshot from ` +
    `after offset ${start}, or put a copy of it from after that in its place, or start a new log; this topic must be ` +
    'kept for ever (retention.ms -1).'
  );
}

/** It must have had what was committed. */
export function assertCommittedInLog(
  input: TopicPartition,
  { committed, ends }: LogBounds,
  { group, storeDirectory }: GroundPorts,
): void {
  if (committed === null || committed <= ends.end) return;
  throw new ForeignLogError(
    `Group ${group} has committed offset ${committed} of ${nameOf(input)}, but the log ends at ${ends.end}: it was cut ` +
      `or is another one. If the log is right, delete ${storeDirectory} and the committed offsets of group ${group}.`,
  );
}

export function assertFoldedByUs(
  input: TopicPartition,
  checkpoint: Checkpoint,
  committed: number | null,
  { group, storeDirectory }: GroundPorts,
): void {
  const name = nameOf(input);
  const wayOut = `Delete ${storeDirectory} to fold ${name} from the log again.`;
  if (checkpoint.foldVersion !== FOLD_VERSION) {
    throw new ForeignLogError(
      `The local state of ${name} was folded by version ${checkpoint.foldVersion} of the fold, this is version ${FOLD_VERSION}. ` +
        `\`gravity rebuild --switch\` goes over to this one. ${wayOut}`,
    );
  }
  if (committed === null) {
    throw new ForeignLogError(
      `The local state of ${name} is at offset ${checkpoint.offset}, but group ${group} has no committed offset ` +
        `(expired, or another cluster): what has been published is not known. Commit offset ${checkpoint.offset} for the ` +
        `group if nothing was published behind it; else delete ${storeDirectory}, which publishes everything again.`,
    );
  }
  if (committed < checkpoint.offset) {
    throw new ForeignLogError(
      `The local state of ${name} is at offset ${checkpoint.offset}, ahead of the committed offset ${committed}. ${wayOut}`,
    );
  }
}

/** A generation is gone on with by the fold that has built it. */
export function assertBuiltByUs(input: TopicPartition, begun: LogGeneration | undefined): void {
  if (begun === undefined || begun.foldVersion === FOLD_VERSION) return;
  throw new ForeignLogError(
    `${nameOf(input)} is folded as generation ${begun.generation}, which version ${begun.foldVersion} of the fold has ` +
      `built; this is version ${FOLD_VERSION}. Run the release that has built it, or build another generation with ` +
      'this one (`gravity rebuild`).',
  );
}

/**
 * A log that begins with a later epoch was made of another one (`repartition.ts`): what it holds has been published,
 * and folded as news all of it would be published again.
 */
export function assertPublishedIsKnown(
  input: TopicPartition,
  first: EpochRaised | null,
  committed: number | null,
  { group }: GroundPorts,
): void {
  if (committed !== null || first === null || first.epoch === 1) return;
  throw new ForeignLogError(
    `${nameOf(input)} was repartitioned (it begins with epoch ${first.epoch}), but group ${group} has no committed offset ` +
      '(expired, or another cluster): what has been published is not known. Commit the offset up to which it was for ' +
      'the group: where the services have not run since, that is the end of each partition.',
  );
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

export {
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  type Assignment,
  type BatchControl,
  type CommitReceipt,
  type ConsumerHandler,
  type ConsumerHealth,
  type ConsumerOptions,
  type StoredState,
  type Log,
  type LogConsumer,
  type LogRecord,
  type OutgoingRecord,
  type PartitionEnds,
  type Position,
  type RecordBatch,
  type TopicPartition,
  type TopicPlanStep,
  type TopicSpec,
  type TransactionalWriter,
} from './log.js';
export {
  type Checkpoint,
  type CheckpointWrite,
  type FrozenPartition,
  type OutboxEntry,
  type PartitionStore,
  StoreWriteError,
  type StateStore,
  type StoreEntry,
  type StoreEntryKind,
} from './state-store.js';
export {
  type FigureRow,
  type FigureSink,
  type HeartbeatRow,
  type LateEventRow,
  type PeriodFigureRow,
  type PersonRow,
  type RowHead,
  type RowStatus,
  type WindowFigureRow,
} from './rows.js';
export {
  LogCorruptError,
  RegistryUnavailableError,
  type DeadLetter,
  type DeadLetterCodec,
  type DecodedSource,
  type DetailedEntry,
  type EntryExtras,
  type IntakeProgress,
  type IntakeProgressCodec,
  type KeyedValue,
  type LogCodec,
  type LogGeneration,
  type LogGenerationCodec,
  type SourceCodec,
  type StoredDeadLetter,
  type TierChangedCodec,
  type TierSnapshot,
  type TiersCodec,
} from './codecs.js';
export {
  ARCHIVED_TOPICS,
  ArchiveWorker,
  type ArchiveObserver,
  type ArchivePorts,
  type ArchiveReport,
  type ArchiveSink,
  type RawFact,
} from './archive-worker.js';
export { commitTransaction } from './commit-transaction.js';
export { CurrentLog } from './current-log.js';
export { PublishedTiers, type Placed } from './published-tiers.js';
export { RebuiltPartition, type FoldedAs, type RebuildPorts } from './rebuilt-partition.js';
export { switchGeneration, type Switched, type SwitchPorts } from './switch-generation.js';
export { TierDifferences, type TierDifference } from './tier-differences.js';
export {
  commitBatch,
  judgeBatch,
  progressRecord,
  type JudgedBatch,
  type JudgementPorts,
  type IntakePartitions,
  type IntakePorts,
  type IntakeReport,
} from './intake-batch.js';
export { IntakeProgressView } from './intake-progress-view.js';
export { IntakeWorker, TopicStoppedError, type IntakeObserver } from './intake-worker.js';
export {
  NO_BREAKER,
  RejectBreaker,
  type RejectBreakerSettings,
  type StoppedTopic,
} from './reject-breaker.js';
export {
  firstEpoch,
  ForeignLogError,
  initialiseLog,
  LogNotInitialisedError,
  type LogInitialisation,
  type LogSetup,
} from './log-identity.js';
export { begunGenerations } from './log-generations.js';
export { nextTicks, TICK_INTERVAL_MS } from './next-ticks.js';
export {
  openPartition,
  type OpenedPartition,
  type OpenPorts,
  type PartitionOrigin,
} from './open-partition.js';
export { entriesOf as snapshotEntries, type RefusedSnapshot } from './restore-snapshot.js';
export {
  snapshotBytes,
  SnapshotTornError,
  type ListedSnapshot,
  type SnapshotDraft,
  type SnapshotFile,
  type SnapshotManifest,
  type SnapshotStore,
} from './snapshot-store.js';
export {
  putSnapshot,
  SnapshotTaker,
  type SnapshotObserver,
  type SnapshotSettings,
} from './snapshot-taker.js';
export { Outbox, type PumpReport } from './outbox.js';
export { partitionOf } from './partition.js';
export { PartitionState } from './partition-state.js';
export { processBatch, type BatchPorts, type BatchReport } from './process-batch.js';
export { refold, type Refolded, type RefoldedStates, type RefoldOptions } from './refold.js';
export { type Opening, type RelationshipObserver, type RelationshipPorts } from './owned-partition.js';
export { DEFAULT_RELATIONSHIP_SETTINGS, type RelationshipSettings } from './relationship-settings.js';
export { RelationshipWorker } from './relationship-worker.js';
export {
  replayLetters,
  wholeValue,
  type LetterOutcome,
  type ReplayedLetter,
  type ReplayLettersOptions,
  type ReplayLettersPorts,
} from './replay-letters.js';
export {
  type LogCopy,
  planRepartition,
  repartition,
  type Repartitioned,
  type RepartitionPlan,
  type RepartitionPorts,
  type RepartitionProgress,
  type RepartitionTarget,
} from './repartition.js';
export { RepartitionRefused } from './survey-log.js';
export { TOPICS } from './topics.js';
export { asError, messageOf } from './thrown.js';

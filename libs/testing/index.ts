export { AWKWARD_TEXTS, clickhouseContract, type OpenedClickHouse } from './clickhouse-contract.js';
export { columnContract } from './column-contract.js';
export { type EmbeddedClickHouse, MIGRATIONS, openEmbeddedClickHouse } from './embedded-clickhouse.js';
export { engagementFact, linkFact, paidFact, refundFact, visitFact } from './raw-facts.js';
export {
  naiveWindow,
  type LinkEntry,
  type MoneyEntry,
  type NaiveFigures,
  type SeenEntry,
  type WindowLogEntry,
} from './naive-windows.js';
export { LOG_BRANDS, LOG_CHANNELS, WINDOW_SETS, windowLog } from './window-log-arbitrary.js';
export {
  WindowHarness,
  linkViewOf,
  rowKey,
  type FoldedBatch,
  type HarnessCheckpoint,
} from './window-harness.js';
export { FoldedTables } from './folded-tables.js';
export { RecordingFigureSink } from './recording-figure-sink.js';
export { figureSinkContract, type OpenedFigureSink } from './figure-sink-contract.js';
export {
  batchesOf,
  feed,
  feedFrom,
  PATIENT,
  PipelineWorld,
  SILENT_INTAKE,
  SILENT_OBSERVER,
  WORLD_GROUP,
} from './pipeline-world.js';
export { GravityHost } from './gravity-host.js';
export { runGravity, type GravityOutcome } from './gravity-process.js';
export { TempDir } from './temp-dir.js';
export { MemorySnapshotStore } from './memory-snapshot-store.js';
export { snapshotStoreContract, type OpenedSnapshotStore } from './snapshot-store-contract.js';
export { stateStoreContract, type OpenedStateStore } from './state-store-contract.js';
export { logContract, type OpenedLog } from './log-contract.js';
export { eventually, LogProbe, RecordingHandler, seenRecords, type SeenRecord } from './log-probe.js';
export { CRASH_GROUP, CRASH_INPUT, CRASH_OUTPUT, CRASH_OUTPUTS, recordsOf } from './commit-loop.js';
export { builtFile, repositoryRoot } from './places.js';
export { spawnBuilt } from './spawn-built.js';
export { FoldHarness } from './fold-harness.js';
export { factText, given, type Expected, type Given } from './given.js';
export {
  engage,
  epochRaised,
  follow,
  instant,
  join,
  KIT_BRAND,
  KIT_PERSON,
  link,
  pay,
  quit,
  reach,
  refund,
  rulesSet,
  tick,
  unfollow,
  visit,
  type KitHead,
  type KitPayment,
  type KitRefund,
  type KitTime,
} from './touchpoint-kit.js';
export { arrivals, LOG_RULES, personLog, type Arriving, type PersonLog } from './arbitrary-log.js';
export { naiveGmvParts, naiveLinkFlows, type NaiveParts } from './naive-breakdowns.js';
export { localDate, NaivePerson, type NaiveSummary } from './naive-person.js';

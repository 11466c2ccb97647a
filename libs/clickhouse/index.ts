export {
  type ClickHouse,
  type CompactValue,
  type EncodedInsert,
  type Insert,
  type Params,
  type Query,
  type Statement,
} from './clickhouse.js';
export { ClickHouseFailure } from './clickhouse-failure.js';
export { type ClickHouseConfig, createClickHouse } from './create-clickhouse.js';
export type { EmbeddedConfig } from './embedded-lanes.js';
export {
  migrate,
  type MigrateOptions,
  type MigrationAction,
  type MigrationStep,
} from './migrations/migrate.js';
export { MigrationError } from './migrations/migration-files.js';
export {
  big,
  flag,
  integer,
  integerOrNull,
  listOf,
  oneOf,
  rowOf,
  type RowReader,
  text,
} from './row-reader.js';
export { type Reopened } from './restate/ends-to-restate.js';
export { planDays } from './restate/plan-days.js';
export { type ReopenedDays } from './restate/days-to-restate.js';
export { type FigureChange } from './restate/figure-changes.js';
export { planRestatement, type PlanOptions, type RestatementPlan } from './restate/plan-restatement.js';
export { restate, type RestatementCause } from './restate/restate.js';
export { RestatementRefused } from './restate/restatement-refused.js';
export { newestGeneration } from './newest-generation.js';
export { RowEncoder } from './row-encoder.js';
export { positionOf, versionAt } from './row-version.js';
export { GenerationSink } from './sinks/generation-sink.js';
export { generations, IS_SHOWN, shownGeneration, type StoredGeneration } from './queries/generations.js';
export {
  compareGenerations,
  type FigureDifference,
  type GenerationsCompared,
} from './queries/compare-generations.js';
export { type ServerConfig } from './server-lanes.js';
export {
  oraclePersons,
  oracleTotals,
  type OraclePerson,
  type OracleQuery,
  type OracleTotals,
} from './queries/oracle.js';
export {
  brands,
  channels,
  latestPeriodFigures,
  type PeriodFigures,
  type PeriodQuery,
} from './queries/period-figures.js';
export {
  countLateEvents,
  lateEvents,
  type LateEventCursor,
  type LateEventsFilter,
  type LateEventsQuery,
  type StoredLateEvent,
} from './queries/late-events.js';
export {
  lastReconciliation,
  storedDrifts,
  type StoredComparison,
  type StoredDrift,
} from './queries/reconciliations.js';
export { restatements, type RestatementsQuery, type StoredRestatement } from './queries/restatements.js';
export { personRow, persons, tierStocks, type PersonFigures, type PersonsQuery } from './queries/persons.js';
export {
  tierChanges,
  type StoredTierChange,
  type TierChangeCursor,
  TIER_CAUSES,
  type TierChangesQuery,
} from './queries/tier-changes.js';
export {
  gmvParts,
  linkFlows,
  type BreakdownQuery,
  type GmvPart,
  type LinkFlow,
} from './queries/breakdowns.js';
export {
  netTierFlows,
  tierFlows,
  type NetTierFlow,
  type TierFlow,
  type TierFlowsQuery,
} from './queries/tier-flows.js';
export { ROW_STATUSES, worstStatus } from './queries/row-status.js';
export {
  addedCounts,
  NO_COUNTS,
  WINDOW_COUNT_READERS,
  WINDOW_COUNTS,
  type WindowCounts,
} from './queries/window-counts.js';
export {
  heartbeats,
  latestWindowFigures,
  windowFiguresAt,
  windowSeries,
  type SeriesQuery,
  type WindowFigures,
  type WindowPoint,
  type WindowQuery,
} from './queries/window-figures.js';
export { windowFiguresFromFacts, type FactsWindow } from './queries/window-figures-from-facts.js';
export { type WindowDrift } from './reconcile/difference-at.js';
export {
  reconcilePeriods,
  type PeriodDrift,
  type PeriodsReconciliation,
  type PeriodsSample,
} from './reconcile/reconcile-periods.js';
export {
  reconcilePersons,
  type PersonDrift,
  type PersonsReconciliation,
  type PersonsSample,
} from './reconcile/reconcile-persons.js';
export {
  reconcileTierFlows,
  type TierFlowDrift,
  type TierFlowReconciliation,
  type TierFlowSample,
} from './reconcile/reconcile-tier-flows.js';
export {
  reconcileWindow,
  type WindowReconciliation,
  type WindowSample,
} from './reconcile/reconcile-windows.js';
export { reachedBy } from './reconcile/reached-by.js';
export { ClickHouseArchiveSink } from './sinks/archive-sink.js';
export { DeadLetterSink } from './sinks/dead-letter-sink.js';
export { ClickHouseFigureSink, FIGURE_COLUMNS } from './sinks/figure-sink.js';
export { ReconciliationSink } from './sinks/reconciliation-sink.js';
export { TierChangeSink } from './sinks/tier-change-sink.js';
export { type TouchpointEntry, TouchpointSink } from './sinks/touchpoint-sink.js';
export { type ReadyStatus, waitUntilReady, type WaitOptions } from './wait-until-ready.js';
export { addDays } from './recount/scheme-days.js';

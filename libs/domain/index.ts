export {
  ALL_CHANNELS,
  DEFAULT_CHANNEL,
  ENGAGEMENT_ACTIONS,
  guestPerson,
  KNOWN_CHANNELS,
  LINK_KINDS,
  NOTE_KINDS,
  personKey,
  ROLES,
  VISIT_SURFACES,
  type Channel,
  type ContentShared,
  type Credit,
  type Engaged,
  type EngagementAction,
  type EpochRaised,
  type FoldedTouchpoint,
  type LinkChanged,
  type LinkKind,
  type LogEntry,
  type Noted,
  type NoteKind,
  type OrderPaid,
  type OrderRefunded,
  type Origin,
  type PresaleDeposited,
  type Reviewed,
  type Role,
  type RulesSet,
  type ShareClicked,
  type Tick,
  type Touchpoint,
  type TouchpointHead,
  type Visited,
  type VisitSurface,
} from './events.js';
export { type Tier, type TierCause, type TierChanged, type TierEvidence } from './facts.js';
export {
  DEFAULT_WINDOWS,
  DEFAULT_ZONE,
  defaultRules,
  defaultSchemes,
  type Rules,
  type Scheme,
  type SchemePeriod,
  type WindowSpec,
} from './rules.js';
export {
  ADMISSION_REASONS,
  DECODE_REASONS,
  REJECT_REASONS,
  type AdmissionReason,
  type DecodeReason,
  type Reject,
  type RejectReason,
} from './reject.js';
export {
  ACTORS,
  CONTENT_KINDS,
  FISSION_FORMS,
  GROUP_KINDS,
  ORDER_KINDS,
  RELATION_KINDS,
  SHARE_KINDS,
  SOURCE_ACTIONS,
  UNKNOWN_SYMBOL,
  type Actor,
  type ContentKind,
  type FissionForm,
  type GroupKind,
  type OrderKind,
  type RelationKind,
  type ShareKind,
  type SourceAction,
  type SourceEngagement,
  type SourceHead,
  type SourceOrder,
  type SourcePosition,
  type SourceRelation,
  type SourceShare,
  type SourceTouchpoint,
  type SourceVisit,
  type TouchpointDetail,
} from './source-events.js';
export { DEFAULT_ADMISSION_LIMITS, type AdmissionLimits } from './admission-limits.js';
export { admit, type Admission, type Arrival } from './admission.js';
export { faultOf, type Fault } from './source-faults.js';
export { NO_LINKS, type ChannelLinks, type LinkView, type MoneyChange, type Span } from './window-port.js';
export {
  closedTo,
  lateMisses,
  windowGrid,
  type GridWindow,
  type LateMiss,
  type WindowContext,
  type WindowGrid,
} from './windows/window-grid.js';
export { MOMENT, NO_PRESENCE, type Grains, type PersonPresence } from './windows/presence.js';
export { writeAscii } from './ascii.js';
export { ByteReader } from './byte-reader.js';
export { ByteWriter } from './byte-writer.js';
export { readPresence, writePresence } from './presence-codec.js';
export { thinnedPresence } from './windows/thinned-presence.js';
export { recordPresence } from './windows/record-presence.js';
export {
  linksChanged,
  personReplaced,
  presenceReplaced,
  type PersonView,
} from './windows/person-replaced.js';
export { buyersChanged, type Purchase } from './windows/buyers-changed.js';
export { moneyChanged } from './windows/money-changed.js';
export { WindowChanges, type Aggregate } from './windows/window-changes.js';
export { WindowFigures, type WindowRowBatch } from './windows/window-figures.js';
export { type WindowHeartbeat, type WindowRow, type WindowRowStatus } from './windows/window-metrics.js';
export {
  contentShared,
  engaged,
  linkChanged,
  noted,
  orderPaid,
  orderRefunded,
  presaleDeposited,
  reviewed,
  shareClicked,
  visited,
} from './touchpoints.js';
export { BatchFold, type BatchResult, type FoldBase, type FoldCounts } from './batch-fold.js';
export { FOLD_VERSION } from './fold-version.js';
export { INITIAL_FRAME, type FoldFrame } from './fold-frame.js';
export { DueIndex, type DueChanges, type DueMove } from './due-index.js';
export { dueEdges } from './due-edges.js';
export { parseRules } from './parse-rules.js';
export { compileRules, type CompiledRules, type CompiledScheme, type DayRange } from './compiled-rules.js';
export { DayCalendar, dayFromText, dayText, monthText } from './day-calendar.js';
export { periodAt, type Period } from './periods.js';
export { type Relationship } from './relationship.js';
export { decodeState, dueOf, encodeState } from './state-codec.js';
export { restatedTier, standingTier, type RestatedTier, type Restating } from './restated-tier.js';
export { hasSameSummaries, personSummaries, type PersonSummary } from './person-summary.js';
export { schemeShare, type SchemeShare } from './scheme-share.js';
export { tierAt } from './tiers.js';
export { encodeFigures, Figures, restoreFigures, type FiguresSnapshot } from './figures/figures.js';
export { type PeriodFigure } from './figures/period-row.js';
export { type DayChange, type FigureChanges } from './figures/figure-changes.js';

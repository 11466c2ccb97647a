export {
  clickhouseSettings,
  consumerSettings,
  dataDirSettings,
  kafkaAccessSettings,
  kafkaSettings,
  LOG_LEVELS,
  paceSettings,
  type LogLevel,
  serverSettings,
} from './config/config-fragments.js';
export {
  type ConfigSchema,
  describeConfig,
  renderConfig,
  renderConfigMarkdown,
  type Setting,
} from './config/describe-config.js';
export { ConfigError, type Environment, loadConfig } from './config/load-config.js';
export {
  brokers,
  choice,
  duration,
  flag,
  httpUrl,
  instant,
  integer,
  list,
  path,
  port,
  secret,
  size,
  text,
  timeZone,
} from './config/setting-types.js';
export { Dependency, type DependencyOptions, type DependencyStatus } from './health/dependency.js';
export { HealthRegistry, type HealthLimits, type HealthResult } from './health/health-registry.js';
export { AppLogger, type LogFields, type LoggerOptions } from './logging/app-logger.js';
export { redactFields, redactText } from './logging/redact.js';
export {
  type BatchObservation,
  type HeldRecords,
  Metrics,
  type ServiceMetrics,
  type TransactionOutcome,
} from './metrics/metrics.js';
export { BUILD } from './process/build-version.js';
export { SignalGate } from './process/signal-gate.js';
export { EXIT, StartupError } from './process/startup-error.js';
export {
  SHUTDOWN_PHASES,
  type ShutdownPhase,
  type ShutdownReport,
  ShutdownSequence,
} from './shutdown/shutdown-sequence.js';

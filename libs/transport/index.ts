export { BatchContext } from './batch-context.js';
export { LogServer, type LogServerOptions, type LogServerStatus } from './log-server.js';
export { ANY_TOPIC, OnBatch } from './on-batch.js';
export type { PartitionLifecycle } from './partition-lifecycle.js';
export { RethrowFilter } from './rethrow.filter.js';

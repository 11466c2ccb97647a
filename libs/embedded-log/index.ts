export { CorruptBatchError } from './batch-codec.js';
export { isInShare, type ThreadShare } from './consumer-group.js';
export { EmbeddedLog, type EmbeddedLogOptions } from './embedded-log.js';
export { ForeignLogDirectoryError } from './log-environment.js';
export { InvalidRecordError } from './outgoing.js';
export type { HandlerFailure } from './partition-worker.js';
export { UnknownPartitionError } from './topic-catalog.js';

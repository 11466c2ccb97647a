export { DataDirectoryLock, DataDirectoryLockedError, type LockHolder } from './data-directory-lock.js';
export { KeyTooLongError } from './lmdb-partition-store.js';
export { LmdbStateStore } from './lmdb-state-store.js';
export { ForeignStoreDirectoryError } from './store-environment.js';

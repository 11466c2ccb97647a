export {
  DataDirectoryLock,
  DataDirectoryLockedError,
  DataDirectoryUnusableError,
  type LockHolder,
} from './data-directory-lock.js';
export { KeyTooLongError } from './stored-key.js';
export { LmdbStateStore } from './lmdb-state-store.js';
export { ForeignStoreDirectoryError } from './store-environment.js';
export { SnapshotDirectory } from './snapshot-directory.js';
export { TornStoreError } from './data-file.js';

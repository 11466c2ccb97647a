export { logDirectory, openStateStore, openStateStoreAnyway, type OpenStateStore } from './data-folder.js';
export { GuestFolder } from './guest-folder.js';

import { MemorySnapshotStore } from './memory-snapshot-store.js';
import { snapshotStoreContract } from './snapshot-store-contract.js';

snapshotStoreContract('memory', () => {
  const store = new MemorySnapshotStore();
  return {
    store,
    elsewhere: () => store,
    damage: (id, how) => store.damage(id, how),
    cleanup: () => undefined,
  };
});

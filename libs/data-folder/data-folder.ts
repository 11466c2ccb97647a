/** What lies where in a data folder. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { StateStore } from '#pipeline';
import { LmdbStateStore, TornStoreError } from '#state-store';

export interface OpenStateStore {
  readonly store: StateStore;
  readonly directory: string;
}

export function logDirectory(dataDir: string): string {
  return join(dataDir, 'log');
}

export function openStateStore(dataDir: string, name: string): OpenStateStore {
  const directory = join(dataDir, 'state', name);
  return { directory, store: LmdbStateStore.open({ path: directory }) };
}

/**
 * The same, where a store of which a part is missing makes room for a new one. Only for who owns the data folder.
 * @param onSetAside   told what was wrong, and where the old one is kept
 */
export function openStateStoreAnyway(
  dataDir: string,
  name: string,
  onSetAside: (reason: string, kept: string) => void,
): OpenStateStore {
  try {
    return openStateStore(dataDir, name);
  } catch (error) {
    if (!(error instanceof TornStoreError)) throw error;
    const directory = join(dataDir, 'state', name);
    const kept = `${directory}.unusable-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    renameSync(directory, kept);
    onSetAside(error.message, kept);
    return openStateStore(dataDir, name);
  }
}

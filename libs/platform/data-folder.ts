/** What lies where in a data folder. */
import { join } from 'node:path';
import { type StateStore } from '#pipeline';
import { LmdbStateStore } from '#state-store';

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

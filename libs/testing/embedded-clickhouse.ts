import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouse, createClickHouse, migrate } from '#clickhouse';

export interface EmbeddedClickHouse {
  readonly clickhouse: ClickHouse;
  /** Closes the engine and deletes its data. A process can hold one engine: close before opening another. */
  close(): Promise<void>;
}

export const MIGRATIONS = join(import.meta.dirname, '../../deploy/clickhouse');

/** An engine of its own in a temporary directory, with the tables unless `migrated` is false. */
export async function openEmbeddedClickHouse({ migrated = true } = {}): Promise<EmbeddedClickHouse> {
  const path = await mkdtemp(join(tmpdir(), 'gravity-clickhouse-'));
  const clickhouse = await createClickHouse({ path });
  if (migrated) await migrate(clickhouse, { directory: MIGRATIONS });
  return {
    clickhouse,
    async close() {
      await clickhouse.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}

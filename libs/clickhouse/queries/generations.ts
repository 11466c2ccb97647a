/** The generations that a rebuild or a repartition has made, and which of them readers are shown. */
import type { ClickHouse } from '../clickhouse.js';
import { big, integer, listOf, oneOf, rowOf, text } from '../row-reader.js';

const STATES = ['building', 'shown', 'discarded'] as const;

export interface StoredGeneration {
  readonly generation: number;
  readonly epoch: number;
  readonly logId: string;
  readonly foldVersion: number;
  /** `building`: its rows may not be complete, and the log is not folded as it. */
  readonly state: (typeof STATES)[number];
  /** ms. */
  readonly beganAt: number;
  /** ms; the newest entry of a generation holds. */
  readonly changedAt: number;
  readonly build: string;
  /**
   * By partition, the versions that its rows have to have reached before readers are shown any of them; empty: none.
   * What the heartbeats vouch for counts.
   */
  readonly shownFrom: readonly bigint[];
}

/** SQL: whether rows of this generation may be shown. The newest of those is what readers see. */
export const IS_SHOWN = `generation NOT IN (
  SELECT generation FROM gravity.generations FINAL WHERE state != 'shown'
  UNION ALL
  SELECT generation FROM (
    SELECT generation, partition, version AS due, toUInt64(0) AS reached
    FROM gravity.generations FINAL ARRAY JOIN shown_from AS version, range(toUInt16(length(shown_from))) AS partition
    UNION ALL
    SELECT generation, partition, 0, max(version) FROM gravity.window_heartbeats
    WHERE generation IN (SELECT generation FROM gravity.generations WHERE notEmpty(shown_from))
    GROUP BY generation, partition
  ) GROUP BY generation, partition HAVING max(reached) < max(due)
)`;

/** All that were ever begun, the newest first. */
export function generations(clickhouse: ClickHouse): Promise<readonly StoredGeneration[]> {
  return clickhouse.query({
    sql: `
      SELECT generation, epoch, log_id AS logId, fold_version AS foldVersion, state,
        toUnixTimestamp64Milli(began_at) AS beganAt, toUnixTimestamp64Milli(changed_at) AS changedAt, build,
        shown_from AS shownFrom
      FROM gravity.generations FINAL ORDER BY generation DESC`,
    row: rowOf({
      ...{ generation: integer, epoch: integer, logId: text, foldVersion: integer, state: oneOf(STATES) },
      ...{ beganAt: integer, changedAt: integer, build: text, shownFrom: listOf(big) },
    }),
  });
}

/** The newest generation that has rows and is shown; 0 before the first row. */
export async function shownGeneration(clickhouse: ClickHouse): Promise<number> {
  const [found] = await clickhouse.query({
    sql: `SELECT max(generation) AS newest FROM gravity.window_heartbeats WHERE ${IS_SHOWN}`,
    row: rowOf({ newest: integer }),
  });
  return found?.newest ?? 0;
}

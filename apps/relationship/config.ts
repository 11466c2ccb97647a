import { z } from 'zod';
import { microserviceSettings } from '#platform';
import { consumerSettings, duration, integer, list, paceSettings, path, serverSettings } from '#runtime';

/** Settings of the fold alone; standalone has them too. */
export const relationshipSettings = {
  stateCachePersons: integer(1_000)
    .prefault('500000')
    .describe('Person states kept decoded in memory per partition; the rest is read from the local store'),
  checkpointMs: duration()
    .prefault('20s')
    .describe(
      'How often the local store is brought up to date; bounds what a restart folds again, as 50,000 records do',
    ),
  flushMs: duration().prefault('1s').describe('How often changed figures are written to ClickHouse'),
  outboxRowsMax: integer(1_000)
    .prefault('250000')
    .describe('Rows that may wait for ClickHouse per partition before reading pauses'),
  snapshotDir: path()
    .optional()
    .describe(
      'Where snapshots of the local store go, and come back from on a machine without one; unset: none',
    ),
  snapshotEveryMs: duration()
    .prefault('5m')
    .describe(
      'How often each partition gets a snapshot, at least; earlier where 100,000 records have come since the last',
    ),
  snapshotKeep: integer(1, 1_000)
    .prefault('2')
    .describe('Snapshots that stay of a partition, of one log and fold version'),
};

export const relationshipConfig = z.object({
  ...serverSettings,
  ...microserviceSettings,
  ...consumerSettings,
  ...paceSettings('50ms'),
  ...relationshipSettings,
  sourceTopics: list()
    .prefault('touchpoint.relation,touchpoint.visit,touchpoint.engagement,touchpoint.order,touchpoint.share')
    .describe('Source topics whose intake bounds the ticks; the same list as intake’s'),
});
export type RelationshipConfig = z.infer<typeof relationshipConfig>;

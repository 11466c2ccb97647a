/** What happens to snapshots, as logs and metrics. */
import {
  snapshotBytes,
  type Opening,
  type PartitionState,
  type SnapshotManifest,
  type SnapshotObserver,
  type TopicPartition,
} from '#pipeline';
import type { AppLogger, ServiceMetrics } from '#runtime';

type Logger = Pick<AppLogger, 'info' | 'warn' | 'warnRepeated'>;

/** Where the state of a partition came from; loud where it is not where it should have been. */
export function reportOpening(
  input: TopicPartition,
  state: Pick<PartitionState, 'position' | 'mutedTo'>,
  { snapshot, refused, setAside, durationMs }: Opening,
  logger: Logger,
): void {
  if (setAside !== null) {
    logger.warn('the local store of a partition could not be read and was set aside', {
      ...input,
      ...setAside,
    });
  }
  for (const { id, reason } of refused) {
    logger.warn('a snapshot was passed over', { ...input, snapshot: id, reason });
  }
  if (snapshot !== null) {
    logger.info('partition restored from a snapshot', { ...input, ...snapshotFields(snapshot), durationMs });
  } else if (refused.length > 0) {
    logger.warn('no snapshot can be used: the partition is folded from the start of the log', { ...input });
  }
  const { position, mutedTo } = state;
  logger.info('partition opened', { ...input, position, mutedTo, durationMs });
}

export function snapshotReports(metrics: ServiceMetrics, logger: Logger): SnapshotObserver {
  return {
    found: (manifest) => metrics.snapshot(manifest.partition, manifest.takenAt, snapshotBytes(manifest)),
    taken: (manifest, durationMs) => {
      metrics.snapshot(manifest.partition, manifest.takenAt, snapshotBytes(manifest), durationMs);
      logger.info('snapshot taken', {
        partition: manifest.partition,
        ...snapshotFields(manifest),
        durationMs,
      });
    },
    failed: (partition, error) => {
      metrics.snapshotFailed(partition);
      logger.warnRepeated('a snapshot failed; the partition goes on without it', {
        partition,
        reason: error.message,
      });
    },
  };
}

function snapshotFields(manifest: SnapshotManifest) {
  const { id, checkpoint, takenAt } = manifest;
  return {
    snapshot: id,
    offset: checkpoint.offset,
    takenAt: new Date(takenAt).toISOString(),
    bytes: snapshotBytes(manifest),
  };
}

import type { RowStatus } from '#pipeline';
import { BUILD } from '#runtime';
import { leastWatermark, type FoldProgress, type PartitionProgress } from './fold-progress.js';
import { isoOrNull, type Stamp } from './stamp.js';

export interface StampParts {
  /** ms */
  readonly asOf: number | null;
  readonly status: RowStatus;
  /** What the figure is made of. */
  readonly partitions: ReadonlyMap<number, PartitionProgress>;
  /** Partitions of the log. */
  readonly total: number;
  readonly generation: number | null;
  readonly schemeId: string | null;
}

/** A figure of fewer partitions than the log has is a lower bound, whatever its rows say. */
export function stampOf(parts: StampParts): Stamp {
  const { partitions, total } = parts;
  const positions = [...partitions].sort(([left], [right]) => left - right);
  return {
    as_of: isoOrNull(parts.asOf),
    watermark: isoOrNull(leastWatermark(partitions.values())),
    partitions_reporting: partitions.size,
    partitions_total: total,
    log_positions: Object.fromEntries(positions.map(([partition, { position }]) => [partition, position])),
    late_pending: null,
    status: partitions.size < total ? 'incomplete' : parts.status,
    build: BUILD,
    scheme_id: parts.schemeId,
    generation: parts.generation,
  };
}

/** Of what is true as of the fold's progress, such as the rows of persons. */
export function progressStamp(progress: FoldProgress | null, total: number, schemeId: string | null): Stamp {
  const partitions = progress?.partitions ?? new Map<number, PartitionProgress>();
  return stampOf({
    asOf: leastWatermark(partitions.values()),
    status: 'provisional',
    ...{ partitions, total, generation: progress?.generation ?? null, schemeId },
  });
}

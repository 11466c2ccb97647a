/** As of when a figure is true, and how complete it is. On every answer of the API; null where not computed. */
export interface Stamp {
  /** The instant that the figure is for: the end of the window, or the newest event counted. ISO, UTC. */
  readonly as_of: string | null;
  /** Event time that all partitions have reached. ISO, UTC. */
  readonly watermark: string | null;
  readonly partitions_reporting: number | null;
  readonly partitions_total: number | null;
  /** Next log offset by partition. */
  readonly log_positions: Readonly<Record<string, number>> | null;
  readonly late_pending: number | null;
  readonly status: 'provisional' | 'closed' | 'restated' | 'incomplete';
  /** Version of the software that computed it. */
  readonly build: string;
  readonly scheme_id: string | null;
  readonly generation: number | null;
}

export const BUILD = '0.1.0';

export function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

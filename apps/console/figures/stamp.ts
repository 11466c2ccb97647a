import { z } from 'zod';
import { ROW_STATUSES } from '#clickhouse';

const instant = z.iso.datetime();

/** As of when a figure is true, and how complete it is. On every answer of the API; null where not computed. */
export const stampSchema = z
  .object({
    as_of: instant
      .nullable()
      .describe(
        'The instant the figure is for: the end of its window, or how far time has got. ISO, UTC. The live figure ' +
          'is of the end that is still open, so by design it lies ahead of the watermark, by no more than one slide ' +
          'of the window: provisional, true as of the watermark, and for nothing beyond it',
      ),
    watermark: instant
      .nullable()
      .describe('Event time that all partitions have reached: nothing before it is awaited. ISO, UTC'),
    partitions_reporting: z.int().nullable().describe('Partitions of the log that the figure is made of'),
    partitions_total: z.int().nullable(),
    log_positions: z
      .record(z.string(), z.int())
      .nullable()
      .describe('Partition → next log offset: equal positions mean equal figures'),
    late_pending: z.int().nullable().describe('Late events that closed figures do not hold yet'),
    status: z
      .enum(ROW_STATUSES)
      .describe(
        'provisional: its time is not over, it still moves; closed: its time is over; restated: corrected after its ' +
          'close; incomplete: a lower bound, since partitions are missing or its window reaches back before the ' +
          'first event of the log',
      ),
    build: z.string().describe('Version of the software that answered'),
    scheme_id: z.string().nullable(),
    generation: z.int().nullable().describe('Goes up when the log is laid out anew'),
  })
  .readonly();
export type Stamp = z.infer<typeof stampSchema>;

export function isoOrNull(at: number | null): string | null {
  return at === null || !Number.isFinite(at) ? null : new Date(at).toISOString();
}

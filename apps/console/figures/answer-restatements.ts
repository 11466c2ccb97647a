/** Restatements as the API and `gravity reopen --list` tell them. */
import { z } from 'zod';
import type { FigureChange, StoredRestatement } from '#clickhouse';

const count = z.int();
const instant = z.iso.datetime();

const changeSchema = z
  .object({
    channel: z.string(),
    figure: z.string().describe('Named as rows name it; the stock of a tier tier_0 to tier_5'),
    ends: count.describe('Ends of the window, or days of the scheme, at which the figure changed'),
    before: count.describe('Sum over these ends'),
    after: count.describe('Sum over these ends'),
    largest: count.describe('The largest difference, after − before'),
    largest_at: instant.describe('The first end that has it'),
  })
  .readonly();

export const restatementSchema = z
  .object({
    id: z.string(),
    at: instant,
    state: z
      .enum(['begun', 'done'])
      .describe('begun: it was cut short, or goes on; not all rows may be there'),
    by: z.string(),
    reason: z.string(),
    brand: z.string(),
    channel: z.string().nullable().describe('all or one channel; null: all and every channel'),
    window: z.string().nullable().describe('Null: days of a scheme were counted anew'),
    scheme_id: z.string().nullable().describe('Null: ends of a window were counted anew'),
    from_day: z.iso.date().nullable().describe('Of a scheme: first local day that was counted anew'),
    to_day: z.iso.date().nullable().describe('Last one'),
    from: instant.describe('First end that was counted anew; of days the close of the first'),
    to: instant.describe('Last one'),
    ends: count.describe('Ends, or days'),
    ends_changed: count,
    rows: count.describe('Written: one for each end or day, channel and partition that changed'),
    changes: z.array(changeSchema).readonly(),
    log_positions: z
      .record(z.string(), count)
      .describe('Partition → log offset up to which everything is counted'),
    generation: count,
    build: z.string(),
  })
  .readonly();
export type RestatementAnswer = z.infer<typeof restatementSchema>;

export const restatementsAnswerSchema = z.object({
  restatements: z.array(restatementSchema).readonly().describe('The newest first'),
});

export function changeAnswer({ largestAt, ...change }: FigureChange): z.infer<typeof changeSchema> {
  return { ...change, largest_at: new Date(largestAt).toISOString() };
}

function orNull(stored: string): string | null {
  return stored === '' ? null : stored;
}

const storedChanges = z.array(changeSchema.unwrap().omit({ largest_at: true }).extend({ largestAt: count }));
const storedPositions = z.record(z.string(), count);

/** @throws SyntaxError, ZodError   what is stored was not written by `restate` */
export function restatementAnswer(stored: StoredRestatement): RestatementAnswer {
  const { id, state, by, reason, brand, channel, ends, rows, generation, build } = stored;
  return {
    ...{ id, at: new Date(stored.at).toISOString(), state, by, reason, brand },
    ...{ channel: orNull(channel), window: orNull(stored.window) },
    ...{ scheme_id: orNull(stored.schemeId), from_day: orNull(stored.fromDay), to_day: orNull(stored.toDay) },
    from: new Date(stored.fromEnd).toISOString(),
    to: new Date(stored.toEnd).toISOString(),
    ...{ ends, ends_changed: stored.endsChanged, rows },
    changes: storedChanges.parse(JSON.parse(stored.changes)).map(changeAnswer),
    log_positions: storedPositions.parse(JSON.parse(stored.logPositions)),
    ...{ generation, build },
  };
}

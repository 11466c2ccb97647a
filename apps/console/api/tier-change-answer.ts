import { z } from 'zod';
import type { StoredTierChange } from '#clickhouse';
import type { TierChanged } from '#domain';
import { stampSchema } from '../figures/stamp.js';

export const tierChangeSchema = z
  .object({
    person: z.string().describe('Pseudonym'),
    scheme_id: z.string(),
    period_id: z.string(),
    from: z.int(),
    to: z.int(),
    direction: z.enum(['UP', 'DOWN']),
    cause: z.string().describe('EVENT, TIME, REFUND, UNLINK, MERGE, RESTATE or ERASURE'),
    cause_event_id: z.string().nullable(),
    effective_at: z.iso.datetime(),
    detected_at: z.iso.datetime(),
    version: z.string().describe('epoch × 2^48 + log offset, in decimal'),
    evidence: z.object({
      purchase_days: z.array(z.string()).readonly(),
      ever_purchased: z.boolean(),
      last_share_at: z.iso.datetime().nullable(),
    }),
  })
  .readonly();
export type TierChangeAnswer = z.infer<typeof tierChangeSchema>;

export const tierChangesAnswerSchema = z
  .object({
    brand: z.string(),
    changes: z.array(tierChangeSchema).readonly(),
    next: z.string().nullable().describe('`after` of the next page; null: this was the last one for now'),
    stamp: stampSchema,
  })
  .readonly();
export type TierChangesAnswer = z.infer<typeof tierChangesAnswerSchema>;

/** Of the fact as it was published. */
export function tierChangeAnswer(fact: TierChanged): TierChangeAnswer {
  return answerOf({ ...fact, ...fact.evidence });
}

/** Of the fact as it is stored. */
export function storedTierChangeAnswer(stored: StoredTierChange): TierChangeAnswer {
  return answerOf(stored);
}

function answerOf(change: Omit<StoredTierChange, 'brand'>): TierChangeAnswer {
  return {
    person: change.person,
    scheme_id: change.schemeId,
    period_id: change.periodId,
    from: change.from,
    to: change.to,
    direction: change.direction,
    cause: change.cause,
    cause_event_id: change.causeEventId,
    effective_at: new Date(change.effectiveAt).toISOString(),
    detected_at: new Date(change.detectedAt).toISOString(),
    version: change.version.toString(),
    evidence: {
      purchase_days: change.purchaseDays,
      ever_purchased: change.everPurchased,
      last_share_at: change.lastShareAt === null ? null : new Date(change.lastShareAt).toISOString(),
    },
  };
}

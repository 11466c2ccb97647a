/** The matrix of tier changes of some local days, as the API and `gravity figures --of tier-flows` give it. */
import { z } from 'zod';
import { netTierFlows, TIER_CAUSES, tierFlows, type ClickHouse } from '#clickhouse';
import { DayCalendar, dayFromText, dayText } from '#domain';
import { foldProgress, leastWatermark } from './fold-progress.js';
import { progressStamp } from './stamp-of.js';
import { isoOrNull, stampSchema } from './stamp.js';

const tier = z.int().describe('Tier 0–5');

export const tierFlowsAnswerSchema = z
  .object({
    brand: z.string(),
    scheme_id: z.string(),
    from_day: z.string().describe('Local day YYYY-MM-DD'),
    to_day: z.string().describe('Local day, included'),
    flows: z
      .array(
        z.object({
          day: z.string().nullable().describe('Null for all days together'),
          from: tier,
          to: tier,
          cause: z.enum(TIER_CAUSES),
          changes: z.int(),
          persons: z.int().describe('Distinct: they do not add up over cells or days'),
        }),
      )
      .readonly()
      .describe('Every change that was published, by the day on which it took effect'),
    net: z
      .array(z.object({ from: tier, to: tier, persons: z.int() }))
      .readonly()
      .describe('Where persons stood before their first change in these days, and after the last'),
    stamp: stampSchema,
  })
  .readonly();
export type TierFlowsAnswer = z.infer<typeof tierFlowsAnswerSchema>;

export interface TierFlowsQuestion {
  readonly brand: string;
  readonly schemeId: string;
  /** Local days `YYYY-MM-DD`, both included; null: the day that time has reached. */
  readonly fromDay: string | null;
  readonly toDay: string | null;
  readonly byDay: boolean;
  readonly zone: string;
  readonly partitionsTotal: number;
}

/** @returns null while nothing has been written yet */
export async function answerTierFlows(
  clickhouse: ClickHouse,
  question: TierFlowsQuestion,
): Promise<TierFlowsAnswer | null> {
  const { brand, schemeId, byDay, zone } = question;
  const progress = await foldProgress(clickhouse);
  const reached = progress && leastWatermark(progress.partitions.values());
  if (reached === null) return null;
  const calendar = DayCalendar.of(zone);
  const last = dayNumber(question.toDay) ?? calendar.dayOf(reached - 1);
  const first = dayNumber(question.fromDay) ?? last;
  const end = calendar.dayStart(last + 1);
  const query = { brand, schemeId, zone, byDay, from: calendar.dayStart(first), to: end };
  const [flows, net] = await Promise.all([tierFlows(clickhouse, query), netTierFlows(clickhouse, query)]);
  const stamp = progressStamp(progress, question.partitionsTotal, schemeId);
  const isOver = end <= reached && stamp.status !== 'incomplete';
  return {
    ...{ brand, scheme_id: schemeId, from_day: dayText(first), to_day: dayText(last) },
    flows: flows.map((flow) => ({ ...flow, day: byDay ? flow.day : null })),
    net,
    stamp: {
      ...stamp,
      as_of: isoOrNull(Math.min(end, reached)),
      status: isOver ? 'closed' : stamp.status,
    },
  };
}

function dayNumber(text: string | null): number | null {
  return text === null ? null : dayFromText(text);
}

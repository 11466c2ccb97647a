/** The shapes of the API's answers about figures: what the code makes, what the API's description says. */
import { z } from 'zod';
import { stampSchema } from './stamp.js';

const count = z.int();
const money = z.int().describe('Minor units of the brand’s currency');

export const ratioSchema = z
  .object({
    numerator: count,
    denominator: count,
    value: z.number().nullable().describe('numerator / denominator; null over 0'),
  })
  .readonly();
export type Ratio = z.infer<typeof ratioSchema>;

const buyers = count.describe('Distinct persons with an order in the window; guests are none');

const reachable = count.describe(
  'Of the Capital, those with a link in whose channel they have not declined messages',
);

const moneyShape = {
  orders: count,
  gmv_gross_minor: money,
  refunds_minor: money,
  gmv_net_minor: money,
};

export const periodAnswerSchema = z
  .object({
    scheme_id: z.string(),
    period_id: z.string(),
    day: z.string().describe('Local day YYYY-MM-DD that new, lost, orders and money speak of'),
    capital: count,
    new_relations: count.describe('Of the day'),
    lost_relations: count.describe('Of the day'),
    net_relations: count.describe('Of the day'),
    conversion: ratioSchema
      .nullable()
      .describe(
        'FAST+ Conversion, literal: deepened in the period / Capital before it; for all channels only',
      ),
    conversion_cohort: ratioSchema
      .nullable()
      .describe('The same, only of those who were in the Capital before: never above 1'),
    tiers: z.array(count).readonly().nullable().describe('Persons by tier 0–5; for all channels only'),
    ...moneyShape,
    stamp: stampSchema,
  })
  .readonly();
export type PeriodAnswer = z.infer<typeof periodAnswerSchema>;

export const figuresAnswerSchema = z
  .object({
    brand: z.string(),
    channel: z.string(),
    window: z.string(),
    capital: count.describe('FAST+ Capital: persons in relation just before the end of the window'),
    capital_reachable: reachable,
    visitors: count.describe('Distinct persons who came'),
    active: count.describe('Distinct persons who did something beyond looking'),
    visitors_related: count.describe('Visitors in relation with the brand'),
    active_related: count.describe('Active persons in relation with the brand'),
    connection: ratioSchema.describe(
      'FAST+ Connection, channel gravity 场域引力: active relations / visitors',
    ),
    related_visit_share: ratioSchema.describe('Related visitors / visitors'),
    buyers,
    ...moneyShape,
    period: periodAnswerSchema
      .nullable()
      .describe('Of the scheme’s period; of the past only at a midnight of the scheme’s zone, else null'),
    stamp: stampSchema,
  })
  .readonly();
export type FiguresAnswer = z.infer<typeof figuresAnswerSchema>;

export const seriesAnswerSchema = z
  .object({
    brand: z.string(),
    channel: z.string(),
    window: z.string(),
    points: z
      .array(
        z.object({
          as_of: z.iso
            .datetime()
            .describe('End of the window; that of the last, open one lies ahead of the watermark'),
          status: z.string(),
          ...{
            capital: count,
            capital_reachable: reachable,
            visitors: count,
            active: count,
            visitors_related: count,
            active_related: count,
            buyers,
          },
          ...moneyShape,
        }),
      )
      .readonly(),
    stamp: stampSchema,
  })
  .readonly();
export type SeriesAnswer = z.infer<typeof seriesAnswerSchema>;

export function ratio(numerator: number, denominator: number): Ratio {
  return { numerator, denominator, value: denominator === 0 ? null : numerator / denominator };
}

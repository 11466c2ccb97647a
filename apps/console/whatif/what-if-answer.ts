/** The answer of `/api/v1/whatif`: what describes it to the API's readers is what the command line reads it by. */
import { z } from 'zod';

const count = z.int().nonnegative();
const schemeFiguresSchema = z.object({
  scheme: z.string(),
  zone: z.string(),
  zero_order_counts: z.boolean(),
  tiers: z.array(count).describe('Persons by tier, 0 to 5'),
  capital: count.describe('Persons in relation with the brand'),
  capital_base: count.describe('The same at the close of the period before'),
  deepened: count,
  deepened_cohort: count,
  conversion: z.number().nullable().describe('deepened over capital_base; null over 0'),
  conversion_cohort: z.number().nullable(),
});
export const whatIfAnswerSchema = z.object({
  as_of: z.iso.datetime().nullable().describe('Events before it are counted'),
  zone: z.string(),
  generation: z.int().describe('Of this fold, which is never that of the log'),
  brands: z.array(
    z.object({
      brand: z.string(),
      against: schemeFiguresSchema,
      candidate: schemeFiguresSchema,
      flows: z
        .array(z.object({ from: z.int(), to: z.int(), persons: count }))
        .describe('Persons by tier under `against` and under `candidate`'),
      moved_up: count,
      moved_down: count,
    }),
  ),
  moved: z
    .array(z.object({ brand: z.string(), person: z.string(), from: z.int(), to: z.int() }))
    .describe('Who would stand elsewhere; empty unless asked for by moved=true'),
});

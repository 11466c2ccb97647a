/** What is finer than brand and channel, counted from the raw facts of a window. */
import { z } from 'zod';
import { gmvParts, linkFlows, type ClickHouse, type GmvPart, type LinkFlow } from '#clickhouse';
import { statusFromFacts, WINDOW_WIDTHS, type FiguresQuestion } from './answer-figures.js';
import { ratio, ratioSchema } from './answers.js';
import { firstFactAt } from './first-fact.js';
import { foldProgress, leastWatermark } from './fold-progress.js';
import { stampOf } from './stamp-of.js';
import { stampSchema } from './stamp.js';

const source = z.string().nullable().describe('Entry source; null where it is not known');
const flow = {
  new: z.int().describe('Links that began in the window'),
  lost: z.int().describe('Links that ended in it'),
  net: z.int(),
};
const part = {
  orders: z.int(),
  gmv_gross_minor: z.int().describe('Minor units of the brand’s currency'),
};
const RELATIONS = ['new', 'older', 'none'] as const;
type Relation = (typeof RELATIONS)[number];

export const breakdownsAnswerSchema = z
  .object({
    brand: z.string(),
    channel: z.string(),
    window: z.string(),
    scheme_id: z.string(),
    links: z
      .object({
        by_kind: z.array(z.object({ kind: z.string(), ...flow })).readonly(),
        by_source: z.array(z.object({ source, ...flow })).readonly(),
      })
      .describe(
        'Links, not persons: who follows and joins has two. Their channel and source: where they began',
      ),
    gmv: z
      .object({
        by_tier: z
          .array(z.object({ tier: z.int(), ...part }))
          .readonly()
          .describe('Of the buyer just before the order; guests have tier 0'),
        by_relation: z
          .array(z.object({ relation: z.enum(RELATIONS), ...part }))
          .readonly()
          .describe('new: the buyer’s relation began in the window; older: before it; none: no live link'),
        by_source: z
          .array(z.object({ source, ...part }))
          .readonly()
          .describe('Entry source of the payment'),
        private_share: ratioSchema.describe('GMV that was not paid in the public domain / all GMV'),
      })
      .describe('GMV gross; the parts of each list add up to that of the window'),
    stamp: stampSchema,
  })
  .readonly();
export type BreakdownsAnswer = z.infer<typeof breakdownsAnswerSchema>;

/**
 * As of `at`, or as far as time has got where that is earlier.
 * @returns null while nothing has been written yet
 */
export async function answerBreakdowns(
  clickhouse: ClickHouse,
  question: Omit<FiguresQuestion, 'zone'>,
): Promise<BreakdownsAnswer | null> {
  const progress = await foldProgress(clickhouse);
  const reached = progress && leastWatermark(progress.partitions.values());
  if (progress === null || reached === null) return null;
  const { brand, channel, window, schemeId, partitionsTotal: total } = question;
  const widthMs = WINDOW_WIDTHS.get(window);
  if (widthMs === undefined) throw new RangeError(`window ${window} is not known`);
  const at = Math.min(question.at ?? reached, reached);
  const query = { brand, channel, widthMs, at };
  const [links, parts, firstAt] = await Promise.all([
    linkFlows(clickhouse, query),
    gmvParts(clickhouse, { ...query, schemeId }),
    firstFactAt(clickhouse),
  ]);
  const { generation, partitions } = progress;
  const status = statusFromFacts({ from: at - widthMs, at }, firstAt, reached);
  return {
    ...{ brand, channel, window, scheme_id: schemeId },
    links: {
      by_kind: flowsBy('kind', links).map(({ key, ...counts }) => ({ kind: key, ...counts })),
      by_source: flowsBy('source', links).map(({ key, ...counts }) => ({ source: key || null, ...counts })),
    },
    gmv: {
      by_tier: partsBy('tier', parts).map(({ key, ...counts }) => ({ tier: Number(key), ...counts })),
      by_relation: partsBy('relation', parts).map(({ key, ...counts }) => {
        return { relation: relationOf(key), ...counts };
      }),
      by_source: partsBy('source', parts).map(({ key, ...counts }) => ({ source: key || null, ...counts })),
      private_share: privateShare(partsBy('domain', parts)),
    },
    stamp: stampOf({ asOf: at, status, partitions, total, generation, schemeId }),
  };
}

function flowsBy(by: LinkFlow['by'], flows: readonly LinkFlow[]) {
  return flows
    .filter((one) => one.by === by)
    .map(({ key, began, ended }) => ({ key, new: began, lost: ended, net: began - ended }));
}

function partsBy(by: GmvPart['by'], parts: readonly GmvPart[]) {
  return parts
    .filter((one) => one.by === by)
    .map(({ key, orders, gmv_gross_minor }) => ({ key, orders, gmv_gross_minor }));
}

function privateShare(domains: readonly { readonly key: string; readonly gmv_gross_minor: number }[]) {
  const total = domains.reduce((sum, { gmv_gross_minor: gmv }) => sum + gmv, 0);
  return ratio(domains.find(({ key }) => key === 'private')?.gmv_gross_minor ?? 0, total);
}

function relationOf(key: string): Relation {
  const relation = RELATIONS.find((one) => one === key);
  if (relation === undefined) throw new RangeError(`a relation can't be ${key}`);
  return relation;
}

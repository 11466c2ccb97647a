/** The FAST+ figures of a brand as the API, the page and `gravity figures` give them. */
import { NO_COUNTS, windowFiguresFromFacts, type ClickHouse } from '#clickhouse';
import { ALL_CHANNELS, DayCalendar, DEFAULT_WINDOWS, DEFAULT_ZONE, dayText } from '#domain';
import type { RowStatus } from '#pipeline';
import { ratio, type FiguresAnswer, type PeriodAnswer } from './answers.js';
import { firstFactAt } from './first-fact.js';
import { foldProgress, leastWatermark, type FoldProgress } from './fold-progress.js';
import { periodKey, periodRows, sumsByKey, type PeriodSum } from './period-rows.js';
import { stampOf, type StampParts } from './stamp-of.js';
import {
  lastEndWithRows,
  latestWindowBoard,
  windowBoardAt,
  type ChannelCounts,
  type WindowBoard,
} from './window-board.js';

export interface FiguresQuestion {
  readonly brand: string;
  /** `all` or one channel. */
  readonly channel: string;
  /** `1m`, `5m`, `1h`, `24h` or `30d`. */
  readonly window: string;
  /** Events before this instant, ms; null: now. */
  readonly at: number | null;
  /** Whose tiers and Conversion are answered. */
  readonly schemeId: string;
  /** Of the relationship log. */
  readonly partitionsTotal: number;
  /** Zone of the scheme's days. Default: Asia/Shanghai. */
  readonly zone?: string;
}

/** Widths by window id. */
export const WINDOW_WIDTHS: ReadonlyMap<string, number> = new Map(
  DEFAULT_WINDOWS.map(({ id, widthMs }) => [id, widthMs]),
);

/**
 * Live from the rows that the fold has written, or as of an instant: from a closed window end if there is one and
 * else counted from the raw facts. Nothing can be true for an instant that time has not reached: one beyond the last
 * end with rows is answered as of that end, and `as_of` says so.
 *
 * @returns null while nothing has been written yet
 */
export async function answerFigures(
  clickhouse: ClickHouse,
  question: FiguresQuestion,
): Promise<FiguresAnswer | null> {
  const progress = await foldProgress(clickhouse);
  if (progress === null) return null;
  const { brand, window, at } = question;
  const reached = leastWatermark(progress.partitions.values()) ?? -Infinity;
  if (at !== null && at <= reached) return answerAt(clickhouse, question, at, progress);
  const board = await latestWindowBoard(clickhouse, { brand, window }, progress);
  if (at === null) {
    const period = await newestPeriod(clickhouse, question, progress);
    if (board !== null) return boardAnswer(question, board, period);
    // The log has other windows than are asked for, and keeps those of its first rules.
    return factsAnswer(clickhouse, question, reached, { progress, period });
  }
  const lastEnd = await lastEndWithRows(clickhouse, { brand, window }, progress.generation);
  const newest = Math.max(reached, lastEnd ?? reached);
  if (at < newest) return factsAnswer(clickhouse, question, at, { progress, period: null });
  const period = await newestPeriod(clickhouse, question, progress);
  if (board?.end === newest) return boardAnswer(question, board, period);
  // Not every partition has a row there: what has come since the end before counts all the same.
  return factsAnswer(clickhouse, question, newest, { progress, period });
}

async function newestPeriod(
  clickhouse: ClickHouse,
  { brand, schemeId, channel, partitionsTotal: total }: FiguresQuestion,
  progress: FoldProgress,
): Promise<PeriodAnswer | null> {
  const { generation } = progress;
  const rows = await periodRows(clickhouse, { brand, schemeId, keep: 'newest', generation });
  const period = sumsByKey(rows, progress).get(periodKey(schemeId, channel));
  return period === undefined ? null : periodAnswer(period, { total, generation });
}

/** The answer for one channel out of a board that has been read already. */
export function boardAnswer(
  question: Pick<FiguresQuestion, 'brand' | 'channel' | 'window' | 'partitionsTotal'>,
  board: WindowBoard,
  period: PeriodAnswer | null,
): FiguresAnswer {
  const { partitionsTotal: total, channel } = question;
  // A channel in which nothing happened has no rows, and is as true as the others.
  const status = board.channels.get(ALL_CHANNELS)?.status ?? 'closed';
  const counted = board.channels.get(channel) ?? { counts: NO_COUNTS, status };
  const { end: asOf, generation, partitions } = board;
  return answerOf(
    question,
    counted,
    { asOf, status: counted.status, partitions, total, generation, schemeId: null },
    period,
  );
}

/** @param log.asOf   the close that it speaks of, ms; default: as far as time has got */
export function periodAnswer(
  period: PeriodSum,
  log: { readonly total: number; readonly generation: number; readonly asOf?: number },
): PeriodAnswer {
  const isAll = period.channel === ALL_CHANNELS;
  const { partitions, status, scheme_id: schemeId } = period;
  const asOf = log.asOf ?? leastWatermark(partitions.values());
  return {
    scheme_id: period.scheme_id,
    period_id: period.period_id,
    day: period.day,
    capital: period.capital,
    new_relations: period.new_relations,
    lost_relations: period.lost_relations,
    net_relations: period.new_relations - period.lost_relations,
    conversion: isAll ? ratio(period.deepened, period.capital_base) : null,
    conversion_cohort: isAll ? ratio(period.deepened_cohort, period.capital_base) : null,
    tiers: isAll ? period.tiers : null,
    orders: period.orders,
    gmv_gross_minor: period.gmv_gross_minor,
    refunds_minor: period.refunds_minor,
    gmv_net_minor: period.gmv_gross_minor - period.refunds_minor,
    stamp: stampOf({
      ...{ asOf, status, partitions, schemeId, total: log.total, generation: log.generation },
    }),
  };
}

async function answerAt(
  clickhouse: ClickHouse,
  question: FiguresQuestion,
  at: number,
  progress: FoldProgress,
): Promise<FiguresAnswer> {
  const { brand, window } = question;
  const period = await periodAt(clickhouse, question, at, progress);
  const closed = await windowBoardAt(clickhouse, { brand, window }, at, progress);
  if (closed !== null) return boardAnswer(question, closed, period);
  return factsAnswer(clickhouse, question, at, { progress, period });
}

async function factsAnswer(
  clickhouse: ClickHouse,
  question: FiguresQuestion,
  at: number,
  { progress, period }: { readonly progress: FoldProgress; readonly period: PeriodAnswer | null },
): Promise<FiguresAnswer> {
  const { brand, channel, window, partitionsTotal: total } = question;
  const widthMs = WINDOW_WIDTHS.get(window);
  if (widthMs === undefined) throw new RangeError(`window ${window} is not known`);
  const [counts, firstAt] = await Promise.all([
    windowFiguresFromFacts(clickhouse, { brand, channel, widthMs, at }),
    firstFactAt(clickhouse),
  ]);
  const { generation, partitions } = progress;
  const status = statusFromFacts({ from: at - widthMs, at }, firstAt, leastWatermark(partitions.values()));
  return answerOf(
    question,
    { counts, status },
    { asOf: at, status, partitions, total, generation, schemeId: null },
    period,
  );
}

/** As the fold would have said it of a row. Ends that reach back before the first event were never seen whole. */
export function statusFromFacts(
  { from, at }: { readonly from: number; readonly at: number },
  firstAt: number | null,
  watermark: number | null,
): RowStatus {
  if (firstAt === null || from < firstAt) return 'incomplete';
  return watermark !== null && at <= watermark ? 'closed' : 'provisional';
}

/** The rows of a day say how it closed, so they answer for the midnight at its end and for no other instant. */
async function periodAt(
  clickhouse: ClickHouse,
  { brand, schemeId, channel, zone, partitionsTotal: total }: FiguresQuestion,
  at: number,
  progress: FoldProgress,
): Promise<PeriodAnswer | null> {
  const { generation, partitions } = progress;
  const calendar = DayCalendar.of(zone ?? DEFAULT_ZONE);
  const day = calendar.dayOf(at - 1);
  const watermark = leastWatermark(partitions.values());
  if (calendar.dayStart(day + 1) !== at || watermark === null || watermark < at) return null;
  const rows = await periodRows(clickhouse, {
    ...{ brand, schemeId, generation, keep: 'newest', dayMax: dayText(day) },
  });
  const period = sumsByKey(rows, progress).get(periodKey(schemeId, channel));
  return period === undefined ? null : periodAnswer(period, { total, generation, asOf: at });
}

function answerOf(
  question: Pick<FiguresQuestion, 'brand' | 'channel' | 'window'>,
  { counts }: ChannelCounts,
  stamp: StampParts,
  period: PeriodAnswer | null,
): FiguresAnswer {
  return {
    brand: question.brand,
    channel: question.channel,
    window: question.window,
    capital: counts.capital,
    capital_reachable: counts.capital_reachable,
    visitors: counts.visitors,
    active: counts.active,
    visitors_related: counts.visitors_related,
    active_related: counts.active_related,
    connection: ratio(counts.active_related, counts.visitors),
    related_visit_share: ratio(counts.visitors_related, counts.visitors),
    orders: counts.orders,
    buyers: counts.buyers,
    gmv_gross_minor: counts.gmv_gross_minor,
    refunds_minor: counts.refunds_minor,
    gmv_net_minor: counts.gmv_gross_minor - counts.refunds_minor,
    period,
    stamp: stampOf(stamp),
  };
}

import {
  latestPeriodFigures,
  latestWindowFigures,
  windowFiguresAt,
  windowFiguresFromFacts,
  type ClickHouse,
  type PeriodFigures,
  type WindowCounts,
  type WindowFigures,
} from '#clickhouse';
import { ALL_CHANNELS, DEFAULT_WINDOWS } from '#domain';
import { BUILD, isoOrNull, type Stamp } from './stamp.js';

export interface FiguresQuestion {
  readonly brand: string;
  /** `all` or one channel. */
  readonly channel: string;
  /** `5m`, `1h`, `24h` or `30d`. */
  readonly window: string;
  /** Events before this instant, ms; null: now. */
  readonly at: number | null;
  /** Whose tiers and Conversion are answered, for `at` null. */
  readonly schemeId: string;
  readonly partitionsTotal: number;
}

/** A ratio is made on reading; null over 0. */
export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
  readonly value: number | null;
}

export interface FiguresAnswer {
  readonly brand: string;
  readonly channel: string;
  readonly window: string;
  /** Persons in relation with the brand just before the end of the window (FAST+ Capital). */
  readonly capital: number;
  readonly visitors: number;
  readonly active: number;
  /** FAST+ Connection, the channel gravity 场域引力: active relations over visitors. */
  readonly connection: Ratio;
  /** Related visitors over visitors. */
  readonly related_visit_share: Ratio;
  readonly orders: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  readonly gmv_net_minor: number;
  /** Of the scheme's period; null when the figures are of the past, or of a channel without rows. */
  readonly period: PeriodAnswer | null;
  readonly stamp: Stamp;
}

export interface PeriodAnswer {
  readonly scheme_id: string;
  readonly period_id: string;
  readonly day: string;
  readonly capital: number;
  readonly new_relations: number;
  readonly lost_relations: number;
  readonly net_relations: number;
  /** FAST+ Conversion, literal; for all channels only. */
  readonly conversion: Ratio | null;
  readonly conversion_cohort: Ratio | null;
  /** Persons by tier 0–5; for all channels only. */
  readonly tiers: readonly number[] | null;
  readonly orders: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  readonly gmv_net_minor: number;
  readonly stamp: Stamp;
}

/** Widths by window id. */
export const WINDOW_WIDTHS: ReadonlyMap<string, number> = new Map(
  DEFAULT_WINDOWS.map(({ id, widthMs }) => [id, widthMs]),
);

/**
 * The FAST+ figures of a brand: live from the rows that the fold has written, or as of an instant, from a closed
 * window end if there is one and else counted from the raw facts.
 *
 * @returns null while nothing has been written yet
 */
export async function answerFigures(
  clickhouse: ClickHouse,
  question: FiguresQuestion,
): Promise<FiguresAnswer | null> {
  const { brand, channel, window, at } = question;
  if (at !== null) return answerOf(question, await countsAt(clickhouse, question, at), null);
  const live = await latestWindowFigures(clickhouse, { brand, channel, window });
  if (live === null) return null;
  const { schemeId } = question;
  const period = await latestPeriodFigures(clickhouse, { brand, channel, schemeId });
  return answerOf(
    question,
    { counts: live, stamp: windowStamp(live, question) },
    period === null ? null : periodAnswer(period, channel, question),
  );
}

interface Counted {
  readonly counts: WindowCounts;
  readonly stamp: Stamp;
}

async function countsAt(clickhouse: ClickHouse, question: FiguresQuestion, at: number): Promise<Counted> {
  const { brand, channel, window } = question;
  const closed = await windowFiguresAt(clickhouse, { brand, channel, window }, at);
  if (closed !== null) return { counts: closed, stamp: windowStamp(closed, question) };
  const widthMs = WINDOW_WIDTHS.get(window);
  if (widthMs === undefined) throw new RangeError(`window ${window} is not known`);
  const counts = await windowFiguresFromFacts(clickhouse, { brand, channel, widthMs, at });
  const stamp: Stamp = {
    as_of: isoOrNull(at),
    watermark: null,
    partitions_reporting: null,
    partitions_total: question.partitionsTotal,
    log_positions: null,
    late_pending: null,
    status: 'provisional',
    build: BUILD,
    scheme_id: null,
    generation: null,
  };
  return { counts, stamp };
}

function answerOf(question: FiguresQuestion, counted: Counted, period: PeriodAnswer | null): FiguresAnswer {
  const { counts, stamp } = counted;
  return {
    brand: question.brand,
    channel: question.channel,
    window: question.window,
    capital: counts.capital,
    visitors: counts.visitors,
    active: counts.active,
    connection: ratio(counts.active_related, counts.visitors),
    related_visit_share: ratio(counts.visitors_related, counts.visitors),
    orders: counts.orders,
    gmv_gross_minor: counts.gmv_gross_minor,
    refunds_minor: counts.refunds_minor,
    gmv_net_minor: counts.gmv_gross_minor - counts.refunds_minor,
    period,
    stamp,
  };
}

export function periodAnswer(
  period: PeriodFigures,
  channel: string,
  question: Pick<FiguresQuestion, 'schemeId' | 'partitionsTotal'>,
): PeriodAnswer {
  const isAll = channel === ALL_CHANNELS;
  return {
    scheme_id: question.schemeId,
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
    stamp: {
      as_of: isoOrNull(period.watermark),
      watermark: isoOrNull(period.watermark),
      partitions_reporting: period.partitionsReporting,
      partitions_total: question.partitionsTotal,
      log_positions: null,
      late_pending: null,
      status: period.status,
      build: BUILD,
      scheme_id: question.schemeId,
      generation: period.generation,
    },
  };
}

function windowStamp(figures: WindowFigures, question: FiguresQuestion): Stamp {
  return {
    as_of: isoOrNull(figures.end),
    watermark: isoOrNull(figures.watermark),
    partitions_reporting: figures.partitionsReporting,
    partitions_total: question.partitionsTotal,
    log_positions: null,
    late_pending: null,
    status: figures.status,
    build: BUILD,
    scheme_id: null,
    generation: figures.generation,
  };
}

function ratio(numerator: number, denominator: number): Ratio {
  return { numerator, denominator, value: denominator === 0 ? null : numerator / denominator };
}

/** The figures of one window end, and the row they make. */

/** Index of each metric in the cells of `DifferencePages`; part of the snapshot format. */
export const METRIC = {
  visitors: 0,
  active: 1,
  activeRelated: 2,
  visitorsRelated: 3,
  capital: 4,
  orders: 5,
  gross: 6,
  refunds: 7,
  buyers: 8,
  capitalReachable: 9,
} as const;

export type Metric = (typeof METRIC)[keyof typeof METRIC];
export const METRICS = 10;

/** What a person is counted among in one go, as bits: visitors, active ones, the related of either, and buyers. */
export const AMONG_VISITORS = 1;
export const AMONG_ACTIVE = 2;
export const AMONG_RELATED = 4;
export const AMONG_BUYERS = 8;

/** `incomplete`: the window reaches back before the first tick of the log, so its figures are a lower bound. */
export type WindowRowStatus = 'provisional' | 'closed' | 'incomplete';

/** Which end a row is of, and what is known of it. */
export interface WindowRowHead {
  readonly brand: string;
  readonly channel: string;
  readonly window: string;
  /** End instant T of [T − W, T), ms. */
  readonly end: number;
  readonly status: WindowRowStatus;
  /** ms */
  readonly watermark: number;
}

/** The absolute figures of one (brand, channel, window, end) in one partition; counts are of distinct persons. */
export interface WindowRow extends WindowRowHead {
  readonly visitors: number;
  readonly active: number;
  readonly active_related: number;
  readonly visitors_related: number;
  /** Persons with a live link just before T (in this channel; in any, for `all`). */
  readonly capital: number;
  /** Of them, those who have not declined messages there (in every channel they are linked in, for `all`). */
  readonly capital_reachable: number;
  readonly orders: number;
  /** Persons with one of these orders; guests are none. */
  readonly buyers: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
}

/** @param values   figures by `METRIC` */
export function windowRow(head: WindowRowHead, values: Float64Array): WindowRow {
  const { brand, channel, window, end, status, watermark } = head;
  return {
    brand,
    channel,
    window,
    end,
    status,
    watermark,
    visitors: values[METRIC.visitors] ?? 0,
    active: values[METRIC.active] ?? 0,
    active_related: values[METRIC.activeRelated] ?? 0,
    visitors_related: values[METRIC.visitorsRelated] ?? 0,
    capital: values[METRIC.capital] ?? 0,
    capital_reachable: values[METRIC.capitalReachable] ?? 0,
    orders: values[METRIC.orders] ?? 0,
    buyers: values[METRIC.buyers] ?? 0,
    gmv_gross_minor: values[METRIC.gross] ?? 0,
    refunds_minor: values[METRIC.refunds] ?? 0,
  };
}

/** All ends of `window` up to `end` (ms) are closed and taken; an end without a row is zero up to there. */
export interface WindowHeartbeat {
  readonly window: string;
  readonly end: number;
}

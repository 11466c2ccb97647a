/** The absolute, versioned rows that go to ClickHouse. Field names are the column names. */
import type { PersonSummary } from '#domain';

export interface RowHead {
  readonly brand: string;
  readonly partition: number;
  readonly generation: number;
  /** epoch × 2^48 + log offset, with bit 47 set in restated rows; the highest wins. */
  readonly version: bigint;
}

export type RowStatus = 'provisional' | 'closed' | 'restated' | 'incomplete';

/** One window end of one channel (`all` for all). Counts are of persons of this partition, so they add up. */
export interface WindowFigureRow extends RowHead {
  readonly table: 'window_figures';
  readonly channel: string;
  /** `5m`, `1h`, … */
  readonly window: string;
  /** End instant T of [T − W, T), ms. */
  readonly end: number;
  readonly status: RowStatus;
  /** The partition's watermark when the row was written, ms. */
  readonly watermark: number;
  readonly visitors: number;
  readonly active: number;
  readonly active_related: number;
  readonly visitors_related: number;
  readonly capital: number;
  readonly capital_reachable: number;
  readonly orders: number;
  readonly buyers: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
}

/** The state of one period of one scheme on one local day (the last row of a day is the day's close). */
export interface PeriodFigureRow extends RowHead {
  readonly table: 'period_figures';
  readonly channel: string;
  readonly scheme_id: string;
  readonly period_id: string;
  /** Local day in the scheme's zone, `YYYY-MM-DD`. */
  readonly day: string;
  readonly status: RowStatus;
  readonly watermark: number;
  /** Persons with a live link (in this channel; in any, for `all`). */
  readonly capital: number;
  /** The same at the close of the period before: the denominator of Conversion. */
  readonly capital_base: number;
  /** Of the day. */
  readonly new_relations: number;
  readonly lost_relations: number;
  readonly orders: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  /** Of the period, `all` only (0 in the rows of one channel). */
  readonly deepened: number;
  readonly deepened_cohort: number;
  /** Persons by tier now, index 0–5; tier 0 are known persons without a link. `all` only. */
  readonly tiers: readonly number[];
}

/** One person under one scheme. */
export interface PersonRow extends RowHead {
  readonly table: 'persons';
  readonly scheme_id: string;
  readonly person: string;
  readonly period_id: string;
  readonly tier: number;
  readonly purchase_days: number;
  readonly orders: number;
  readonly own_value_minor: number;
  readonly first_purchase: number | null;
  readonly last_purchase: number | null;
  readonly is_member: boolean;
  /** True when the person is known only by dropped or empty state; readers leave such rows out. */
  readonly gone: boolean;
}

/** The row of a person; field by field, since there are more of these than of all others. */
export function personRow(head: Omit<RowHead, 'brand'>, person: PersonSummary): PersonRow {
  return {
    table: 'persons',
    partition: head.partition,
    generation: head.generation,
    version: head.version,
    brand: person.brand,
    scheme_id: person.scheme_id,
    person: person.person,
    period_id: person.period_id,
    tier: person.tier,
    purchase_days: person.purchase_days,
    orders: person.orders,
    own_value_minor: person.own_value_minor,
    first_purchase: person.first_purchase,
    last_purchase: person.last_purchase,
    is_member: person.is_member,
    gone: person.gone,
  };
}

/** A partition has closed all ends up to `end`; absent rows up to there are zeros. */
export interface HeartbeatRow {
  readonly table: 'window_heartbeats';
  readonly partition: number;
  readonly generation: number;
  readonly version: bigint;
  readonly window: string;
  readonly end: number;
}

/** A late event in a window: what final ends it missed; they change only by a restatement. One per event and window. */
export interface LateEventRow extends RowHead {
  readonly table: 'late_events';
  readonly channel: string;
  readonly window: string;
  readonly event_id: string;
  readonly person: string;
  readonly at: number;
  readonly arrived_at: number;
  /** End instants [missed_from, missed_to), ms. */
  readonly missed_from: number;
  readonly missed_to: number;
}

export type FigureRow = WindowFigureRow | PeriodFigureRow | PersonRow | HeartbeatRow | LateEventRow;

export interface FigureSink {
  /** Resolves once the rows are stored; rejects when they may not be (they will be sent again). */
  write(rows: readonly FigureRow[]): Promise<void>;
}

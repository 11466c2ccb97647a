import type { WindowFigureRow } from '#pipeline';
import { integer } from '../row-reader.js';

/** The figures that a window end has. */
export const WINDOW_COUNTS = [
  ...(['visitors', 'active', 'active_related', 'visitors_related'] as const),
  ...(['capital', 'capital_reachable', 'orders', 'buyers', 'gmv_gross_minor', 'refunds_minor'] as const),
] satisfies readonly (keyof WindowFigureRow)[];

export type WindowCount = (typeof WINDOW_COUNTS)[number];

/** The counts of one window end. They add up over partitions; ratios are made by whoever shows them. */
export type WindowCounts = Pick<WindowFigureRow, WindowCount>;

export const NO_COUNTS: WindowCounts = {
  visitors: 0,
  active: 0,
  active_related: 0,
  visitors_related: 0,
  capital: 0,
  capital_reachable: 0,
  orders: 0,
  buyers: 0,
  gmv_gross_minor: 0,
  refunds_minor: 0,
};

/** How each of them is read from a row. */
export const WINDOW_COUNT_READERS = {
  visitors: integer,
  active: integer,
  active_related: integer,
  visitors_related: integer,
  capital: integer,
  capital_reachable: integer,
  orders: integer,
  buyers: integer,
  gmv_gross_minor: integer,
  refunds_minor: integer,
} satisfies Record<WindowCount, typeof integer>;

/** Persons are partitioned, so counts add up over partitions (never over channels). */
export function addedCounts(left: WindowCounts, right: WindowCounts): WindowCounts {
  const sum = { ...left };
  for (const count of WINDOW_COUNTS) sum[count] += right[count];
  return sum;
}

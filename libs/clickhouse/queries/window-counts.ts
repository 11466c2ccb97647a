import { type WindowFigureRow } from '#pipeline';

export type WindowCount =
  | 'visitors'
  | 'active'
  | 'active_related'
  | 'visitors_related'
  | 'capital'
  | 'orders'
  | 'gmv_gross_minor'
  | 'refunds_minor';

/** The counts of one window end. They add up over partitions; ratios are made by whoever shows them. */
export type WindowCounts = Pick<WindowFigureRow, WindowCount>;

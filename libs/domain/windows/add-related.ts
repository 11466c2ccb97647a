import type { Span } from '../window-port.js';
import { relatedTo } from './coverage.js';
import type { WindowChanges } from './window-changes.js';
import type { GridWindow } from './window-grid.js';
import type { Metric } from './window-metrics.js';

/**
 * Records `value` in `metric` on those of the ends [from, to) whose window holds an instant of one of `links`:
 * the intersection of one span with the links' cover.
 */
export function addRelated(
  aggregate: number,
  metric: Metric,
  from: number,
  to: number,
  value: number,
  links: readonly Span[],
  window: GridWindow,
  out: WindowChanges,
): void {
  // Two links apart in time may share ends: `cursor` keeps those from counting twice.
  let cursor = from;
  for (const link of links) {
    if (link.to <= link.from) continue;
    const start = Math.max(cursor, Math.floor(link.from / window.slideMs));
    const end = Math.min(to, relatedTo(link.to, window));
    if (start >= end) continue;
    out.add(aggregate, window.index, metric, start, end, value);
    cursor = end;
  }
}

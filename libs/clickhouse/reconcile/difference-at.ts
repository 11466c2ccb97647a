/** One window end of a channel held against the raw facts. */
import type { WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { countLateEvents } from '../queries/late-events.js';
import { WINDOW_COUNTS, type WindowCount } from '../queries/window-counts.js';
import { figuresAt, type Heartbeats } from '../queries/window-figures.js';
import { windowFiguresFromFacts } from '../queries/window-figures-from-facts.js';
import { hasImports } from './has-imports.js';

export interface WindowDrift {
  readonly brand: string;
  readonly channel: string;
  readonly window: string;
  /** ms. */
  readonly end: number;
  readonly figure: WindowCount;
  readonly live: number;
  readonly recount: number;
}

export interface WindowDifference {
  /** The row differs from all raw facts, and what came too late for it, or was imported, explains that. */
  readonly isLate: boolean;
  readonly drifts: readonly WindowDrift[];
}

/**
 * The row of an end against all raw facts; where they differ, against those that were there in time: before the end
 * was final, or before it was last restated. The ledger may name a record that was a repetition, which the fold could
 * no longer know, and of an import it does not say what was in time; so a figure may lie between the two.
 */
export async function differenceAt(
  clickhouse: ClickHouse,
  { brand, window }: { readonly brand: string; readonly window: Pick<WindowSpec, 'id' | 'widthMs'> },
  beats: Heartbeats,
  channel: string,
  end: number,
): Promise<WindowDifference> {
  const facts = { brand, channel, widthMs: window.widthMs, at: end };
  const [live, all] = await Promise.all([
    figuresAt(clickhouse, { brand, channel, window: window.id }, beats, end),
    windowFiguresFromFacts(clickhouse, facts),
  ]);
  const differing = (recount: (figure: WindowCount) => number): readonly WindowDrift[] =>
    WINDOW_COUNTS.filter((figure) => live[figure] !== recount(figure)).map((figure) => ({
      ...{ brand, channel, window: window.id, end, figure },
      live: live[figure],
      recount: recount(figure),
    }));
  const drifts = differing((figure) => all[figure]);
  if (drifts.length === 0) return { isLate: false, drifts };
  // A late link changes what is related in every channel, so entries of all of them are looked for.
  const { generation } = beats;
  const ledger = { brand, window: window.id, generation, missedEnd: end };
  const withoutImports = await hasImports(clickhouse, brand, end);
  if (!withoutImports && (await countLateEvents(clickhouse, ledger)) === 0) return { isLate: false, drifts };
  const inTime = await windowFiguresFromFacts(clickhouse, {
    ...facts,
    inTime: { window: window.id, generation, restatedAsOf: live.restatedAsOf, withoutImports },
  });
  const left = differing((figure) => {
    const [least = 0, most = 0] = [all[figure], inTime[figure]].sort((a, b) => a - b);
    return Math.min(Math.max(live[figure], least), most);
  });
  return { isLate: left.length === 0, drifts: left };
}

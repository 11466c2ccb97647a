import { compileRules, type CompiledRules } from './compiled-rules.js';
import type { FigureRecorder } from './figures/figure-changes.js';
import type { FoldFrame } from './fold-frame.js';
import { retentionAt, retirementOf, type Retention } from './retention.js';
import type { Retirement } from './due-instants.js';
import { windowGrid, type WindowContext, type WindowGrid } from './windows/window-grid.js';

/** What a step needs to know besides the state and the event. Constant between two ticks. */
export interface FoldContext {
  readonly rules: CompiledRules;
  /** ms; 0 before the first tick. */
  readonly watermark: number;
  readonly grid: WindowGrid;
  /** The grid for one brand. */
  windowsOf(brand: string): WindowContext;
  readonly retention: Retention;
  readonly retirement: Retirement;
  /** The zones that day figures are kept in. */
  readonly zones: readonly string[];
  readonly out: FigureRecorder;
}

/** Rules may do without rolling figures; then no presence is kept either. */
const NO_WINDOWS: WindowGrid = { specs: [], watermark: -Infinity, grainMs: 1, windows: [] };

export function foldContext(frame: FoldFrame, out: FigureRecorder): FoldContext {
  const rules = compileRules(frame.rules);
  const { windows, fineRowsFrom } = rules.rules;
  const watermark = frame.watermark === 0 ? -Infinity : frame.watermark;
  const grid =
    windows.length === 0 ? { ...NO_WINDOWS, watermark } : windowGrid(windows, watermark, fineRowsFrom);
  const byBrand = new Map<string, WindowContext>();
  return {
    rules,
    watermark: frame.watermark,
    grid,
    windowsOf(brand) {
      let own = byBrand.get(brand);
      if (own === undefined) {
        own = { grid, brand };
        byBrand.set(brand, own);
      }
      return own;
    },
    retention: retentionAt(rules, frame.watermark),
    retirement: retirementOf(rules),
    zones: frame.zones ?? rules.calendars.map(({ zone }) => zone),
    out,
  };
}
